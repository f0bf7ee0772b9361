import type { NodeEvent, NodeLaunch, Provider } from '@ebb/core';
import { resolveNodePool } from '@ebb/documents';
import { nodeLaunch, VirtualClock } from '@ebb/testing';
import { describeProviderConformance } from '@ebb/testing/conformance';
import { describe, expect, it } from 'vitest';
import { objectAt } from '../cloud/json.ts';
import { MemoryBook } from '../testing/memoryBook.ts';
import { FakeKarpenter, Refusal } from './fakeKarpenter.fixture.ts';
import { openKarpenter } from './karpenter.ts';

const limitMs = 3_600_000;

function poolOf(cluster: string, spec: Record<string, unknown> = {}) {
  return resolveNodePool({
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'NodePool',
    metadata: { name: 'general' },
    spec: { cluster, karpenter: { nodeClassRef: { name: 'default' } }, ...spec },
  });
}

class Site {
  readonly clock = new VirtualClock();
  readonly fake = new FakeKarpenter(this.clock);
  readonly log: string[] = [];

  open(cluster: string, book = new MemoryBook(), spec: Record<string, unknown> = {}): Promise<Provider> {
    return openKarpenter(
      { cluster, region: 'us-east-1', pools: () => [poolOf(cluster, spec)] },
      {
        clock: this.clock,
        book,
        log: (line) => this.log.push(line),
        secrets: async () => null,
        nodeClaims: this.fake,
      },
    );
  }

  launch(id: string, cluster = 'conformance', change: Partial<NodeLaunch> = {}): NodeLaunch {
    return nodeLaunch(id, { cluster, askedAtMs: this.clock.nowMs(), ...change });
  }

  until(condition: () => boolean, what: string): Promise<void> {
    return this.clock.runUntilTrue(condition, limitMs, what);
  }
}

describeProviderConformance('Karpenter', async () => {
  const site = new Site();
  const { fake, clock } = site;
  return {
    provider: await site.open('conformance'),
    other: await site.open('other'),
    launch: (id, cluster) => site.launch(id, cluster),
    // Karpenter knows the machines; Ebb asks for what the list of prices has.
    impossible: () => null,
    marksOf: async (id) => {
      const claim = fake.claims.get(id);
      return { ...objectAt(claim, 'metadata', 'labels'), ...objectAt(claim, 'metadata', 'annotations') } as Record<
        string,
        string
      >;
    },
    faults: {
      throttled() {
        fake.refusal = new Refusal(429, 'too many requests', 1000);
        return () => {
          fake.refusal = null;
        };
      },
      down() {
        fake.cut();
        return () => fake.mend();
      },
      lostAnswer() {
        fake.isAnswerLost = true;
      },
      neverJoins(launch) {
        fake.never.add(launch.id);
        return launch;
      },
      dies: (id) => fake.vanish(id),
      interrupted: (id) => fake.end(id),
      skewed(skewMs) {
        fake.skewMs = skewMs;
        return () => {
          fake.skewMs = 0;
        };
      },
      foreign: () => fake.addForeign({ 'ebb.dev/cluster': 'conformance' }),
      vanishes: (id) => fake.vanish(id),
    },
    until: (condition, what) => site.until(condition, what),
    pass: () => clock.advance(60_000),
  };
});

describe('what Karpenter is asked for', () => {
  it('writes a claim of its own with type, zone, capacity, labels and taints, which nothing moves', async () => {
    const site = new Site();
    const provider = await site.open('prod', undefined, { terminationGrace: '10m' });
    const taint = { key: 'nvidia.com/gpu', value: '', effect: 'NoSchedule' as const };
    await provider.launch(site.launch('prod-3-1', 'prod', { taints: [taint] }));
    expect(site.fake.applied).toEqual([
      {
        name: 'prod-3-1',
        body: {
          apiVersion: 'karpenter.sh/v1',
          kind: 'NodeClaim',
          metadata: {
            name: 'prod-3-1',
            labels: {
              'example.com/team': 'vision',
              'ebb.dev/cluster': 'prod',
              'ebb.dev/node': 'prod-3-1',
              'ebb.dev/pool': 'prod_default_general',
              'ebb.dev/capacity-type': 'on-demand',
            },
            annotations: {
              'ebb.dev/pool': 'prod/default/general',
              'ebb.dev/offering': 'aws/us-east-1/us-east-1a/m7i.large/on-demand',
              'ebb.dev/asked-at': new Date(site.clock.nowMs()).toISOString(),
              'karpenter.sh/do-not-disrupt': 'true',
            },
          },
          spec: {
            nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
            requirements: [
              { key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['m7i.large'] },
              { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
              { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['us-east-1a'] },
            ],
            taints: [{ key: 'nvidia.com/gpu', effect: 'NoSchedule' }],
            expireAfter: 'Never',
            terminationGracePeriod: '600s',
          },
        },
      },
    ]);
    await provider.close();
  });

  it('is told that a machine is sold out when Karpenter deletes the claim without one', async () => {
    const site = new Site();
    const provider = await site.open('prod');
    const events: NodeEvent[] = [];
    provider.watch((event) => events.push(event));
    site.fake.soldOut = 'm7i.large';
    await provider.launch(site.launch('prod-3-1', 'prod'));
    const isGone = (event: NodeEvent | undefined) => event?.type === 'node' && event.node.phase === 'gone';
    await site.until(() => isGone(events.at(-1)), 'the end');
    expect(events.at(-1)).toMatchObject({ node: { id: 'prod-3-1', failure: 'stock-out', providerId: null } });
    await provider.close();
  });

  it('remembers over a restart which ids are over', async () => {
    const site = new Site();
    const book = new MemoryBook();
    const first = await site.open('prod', book);
    await first.launch(site.launch('prod-3-1', 'prod'));
    await first.terminate({ id: 'prod-3-1' });
    await first.close();
    await site.clock.advance(60_000);
    const second = await site.open('prod', book);
    await expect(second.launch(site.launch('prod-3-1', 'prod'))).rejects.toMatchObject({ code: 'refused' });
    expect(site.fake.claims.size).toBe(0);
    await second.close();
  });

  it('refuses a pool that does not say how, and a cluster without Karpenter', async () => {
    const site = new Site();
    const provider = await site.open('prod', undefined, { karpenter: undefined });
    await expect(provider.launch(site.launch('a', 'prod'))).rejects.toThrow(/spec\.karpenter/);
    await provider.close();
    const settings = { cluster: 'prod', region: null, pools: () => [] };
    const ports = { clock: site.clock, book: new MemoryBook(), log: () => {}, secrets: async () => null };
    await expect(openKarpenter(settings, ports)).rejects.toThrow(/ebb operator/);
  });

  it('says that Karpenter is not installed, and passes on what the API server refuses', async () => {
    const site = new Site();
    const provider = await site.open('prod');
    for (const [status, code] of [
      [404, 'refused'],
      [403, 'refused'],
      [422, 'refused'],
      [409, 'unavailable'],
      [503, 'unavailable'],
    ] as const) {
      site.fake.refusal = new Refusal(status, 'no');
      await expect(provider.launch(site.launch('a', 'prod'))).rejects.toMatchObject({ code });
    }
    await provider.close();
  });
});
