import { until } from '@ebb/testing/services';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KubernetesClient } from '../client/client.ts';
import { httpTransport } from '../client/transport.ts';
import { textAt } from '../client/values.ts';
import { type FakeCluster, half, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { Elector, type Leadership } from './elector.ts';

let cluster: FakeCluster;
const electors: Elector[] = [];
const leaseMs = 1000;

beforeEach(async () => {
  cluster = await startFakeCluster();
});
afterEach(async () => {
  await Promise.all(electors.splice(0).map((one) => one.close()));
  await cluster.close();
});

function elector(identity: string, client = cluster.client): Elector {
  const made = new Elector({ client, namespace: 'default', name: 'ebb', identity, leaseMs, log: () => {} });
  electors.push(made);
  return made;
}

/** A client with connections of its own, that can be taken away from it. */
function cutable(): { client: KubernetesClient; cut(): void } {
  const transport = httpTransport({ server: cluster.server.url });
  let isCut = false;
  const guarded = {
    ...transport,
    send: (request: Parameters<typeof transport.send>[0]) =>
      isCut ? Promise.reject(new Error('cut')) : transport.send(request),
  };
  const client = new KubernetesClient({ transport: guarded, clock: cluster.clock, random: half });
  return {
    client,
    cut: () => {
      isCut = true;
    },
  };
}

const within = (check: () => boolean, what: string) => until(check, { withinMs: 8000, what: () => what });

it('lets one lead, and the next one at once when the lease is given back, with a higher epoch', async () => {
  const first = elector('a');
  const held = await first.lead();
  expect(held.isHeld()).toBe(true);
  let next: Leadership | null = null;
  const second = elector('b');
  void second.lead().then((leadership) => {
    next = leadership;
  });
  await within(() => second.holder === 'a', 'the second one to see the first');
  expect(next).toBeNull();
  await first.close();
  await held.ended;
  expect(held.isHeld()).toBe(false);
  await within(() => next !== null, 'the second one to lead');
  expect((next as Leadership | null)?.epoch).toBeGreaterThan(held.epoch);
});

it('stops trusting its lease before another one may take it', async () => {
  const link = cutable();
  const held = await elector('a', link.client).lead();
  const second = elector('b').lead();
  link.cut();
  await held.ended;
  const lostAtMs = Date.now();
  const next = await second;
  expect(held.isHeld()).toBe(false);
  expect(Date.now()).toBeGreaterThanOrEqual(lostAtMs);
  expect(next.epoch).toBeGreaterThan(held.epoch);
});

it('calls what it had to give up lost, though nobody else took it: it leads anew, with another epoch', async () => {
  const only = elector('a');
  const held = await only.lead();
  cluster.server.refuse = () => 503;
  await within(() => !held.isHeld(), 'the end of its trust');
  cluster.server.refuse = () => null;
  await held.ended;
  const again = await only.lead();
  expect(held.isHeld()).toBe(false);
  expect(again.isHeld()).toBe(true);
  expect(again.epoch).toBeGreaterThan(held.epoch);
});

it('judges a lease by its own clock: times of others count for nothing', async () => {
  const far = new Date(Date.now() + 3_600_000).toISOString();
  cluster.server.put('coordination.k8s.io/v1/leases', {
    metadata: { name: 'ebb', namespace: 'default' },
    spec: { holderIdentity: 'gone', leaseDurationSeconds: 1, renewTime: far, acquireTime: far, leaseTransitions: 6 },
  });
  const fromMs = Date.now();
  const held = await elector('a').lead();
  expect(Date.now() - fromMs).toBeGreaterThanOrEqual(900);
  expect(held.epoch).toBe(8);
});

it('lets one of many win', async () => {
  const leading: string[] = [];
  for (const name of ['a', 'b', 'c', 'd'])
    void elector(name)
      .lead()
      .then(() => leading.push(name));
  await within(() => leading.length > 0, 'a leader');
  await within(() => cluster.server.seen.length > 20, 'some rounds');
  expect(leading).toHaveLength(1);
  const lease = cluster.server.get('coordination.k8s.io/v1/leases', 'default', 'ebb');
  expect(textAt(lease, 'spec', 'holderIdentity')).toBe(leading[0]);
});
