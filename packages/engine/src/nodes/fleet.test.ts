import { fleetStep } from '@ebb/core';
import { FleetReplayer } from '@ebb/engine';
import {
  clusterInput,
  nodePoolInput,
  offering,
  VirtualSystem,
  type VirtualSystemOptions,
  workloadDocument,
} from '@ebb/testing';
import type { NodePoolInput, WorkloadInput } from '@ebb/documents';
import { describe, expect, it } from 'vitest';

const key = { cluster: 'local', namespace: 'default', name: 'web' };
const gib = 1024 ** 3;
const offerings = [
  offering('small', 0.1, { cpuMilli: 2000, memoryBytes: 8 * gib }),
  offering('large', 0.3, { cpuMilli: 8000, memoryBytes: 32 * gib }),
  offering('small', 0.03, { cpuMilli: 2000, memoryBytes: 8 * gib, capacityType: 'spot' }),
];

function web(spec: Partial<WorkloadInput['spec']> = {}): WorkloadInput {
  return workloadDocument('web', {
    classes: [{ name: 'default', command: ['serve'], resources: { requests: { cpu: 1.5, memory: '1Gi' } } }],
    scaling: { minReplicas: 0, maxReplicas: 10 },
    placement: { clusters: ['cloud'] },
    ...spec,
  });
}

async function started(
  workload = web(),
  pool: NodePoolInput['spec'] = {},
  options: VirtualSystemOptions = {},
): Promise<VirtualSystem> {
  const system = new VirtualSystem({ offerings, ...options });
  await system.start();
  await system.applyInputs(
    clusterInput('cloud', { type: 'rehearsal', cloud: 'aws', region: 'r1' }),
    nodePoolInput('cpu', {
      cluster: 'cloud',
      startStages: { boot: '40s' },
      consolidation: { delay: '30s' },
      disruptionBudgets: [{ nodes: '100%' }],
      ...pool,
    }),
  );
  await system.apply(workload);
  await system.clock.advance(100);
  return system;
}

const replicas = (system: VirtualSystem) => system.engine.status(key)?.replicaList ?? [];
const ready = (system: VirtualSystem) => system.engine.status(key)?.replicas.ready;
const fleet = (system: VirtualSystem) => {
  const [found] = system.engine.fleets();
  if (!found) throw new Error('nothing is rented');
  return found;
};

describe('machines of a cluster', () => {
  it('come for the first request, hold it, and go when nothing needs them', async () => {
    const system = await started();
    expect(system.cloud.bought).toEqual([]);
    const request = system.gateway.arrive('local/default/web', 200_000);
    await system.clock.advance(1000);
    expect(system.cloud.bought.map(({ offering: { instanceType } }) => instanceType)).toEqual(['small']);
    expect(replicas(system).map(({ phase, node }) => [phase, node])).toEqual([['pending', fleet(system).nodes[0]?.id]]);
    expect(replicas(system)[0]?.message).toContain('waits until node');
    await system.clock.advance(45_000);
    expect(request.outcome).toBe('succeeded');
    const [replica] = replicas(system);
    expect(replica?.coldStart.askToNodeUs).toBeGreaterThan(39_000_000);
    expect(fleet(system).nodes).toMatchObject([{ phase: 'ready', replicas: [replica?.id], pool: 'cloud/default/cpu' }]);

    await system.clock.advance(1_800_000);
    expect(replicas(system)).toEqual([]);
    expect(system.cloud.machines()).toEqual([]);
    const rows = await system.store.ledger.readNodes({});
    expect(rows).toMatchObject([{ instanceType: 'small', pricePerHourMicro: 100_000 }]);
    expect(rows[0]?.toMs).not.toBeNull();
    await system.stop();
    const replayer = new FleetReplayer(fleetStep, null);
    const compared = system.store.records.flatMap((record) => replayer.take(record) ?? []);
    expect(compared.filter(({ matches }) => !matches)).toEqual([]);
    expect(compared.flatMap(({ now }) => now.map(({ type }) => type))).toEqual(['launch', 'bind', 'terminate']);
    expect(replayer.passedOver).toBe(0);
  });

  it('take what they hold: no more are bought than replicas need', async () => {
    const system = await started(web({ scaling: { minReplicas: 5, maxReplicas: 5 } }));
    await system.clock.advance(60_000);
    expect(ready(system)).toBe(5);
    const bought = system.cloud.bought.map(({ offering: { instanceType } }) => instanceType);
    // Five of 1.5 processors: one large machine costs less than five small ones.
    expect(bought).toEqual(['large']);
    expect(fleet(system)).toMatchObject({ pricePerHourMicro: 300_000, waiting: 0, problem: null });
  });

  it('are bought once, though the control plane is killed at any moment of it', async () => {
    for (const afterMs of [0, 1, 2, 5, 10, 19, 21, 39, 41, 100, 5000, 39_000, 41_000, 45_000]) {
      const system = await started(web(), {}, { seed: afterMs + 1 });
      await system.apply(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
      await system.clock.advance(afterMs);
      system.kill();
      await system.clock.advance(3000);
      await system.start();
      await system.clock.advance(90_000);
      expect([afterMs, ready(system)]).toEqual([afterMs, 1]);
      expect(system.cloud.machines().length).toBe(1);
      expect(system.cloud.bought.length).toBe(1);
      expect(fleet(system).nodes.map(({ phase, replicas: own }) => [phase, own.length])).toEqual([['ready', 1]]);
      await system.stop();
    }
  });

  it('are decided on once an agent that was away at the start says what runs', async () => {
    const system = await started();
    await system.apply(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    system.kill();
    system.driver.disconnect();
    const starting = system.startWithoutWaiting();
    await system.clock.advance(4000);
    system.driver.reconnect();
    await system.await(starting);
    await system.clock.advance(60_000);
    expect(ready(system)).toBe(1);
    expect(system.cloud.bought.length).toBe(1);
  });

  it('are not taken from elsewhere: new replicas wait while the pools that their workload names are gone', async () => {
    const scaling = { minReplicas: 1, maxReplicas: 5 };
    const system = await started(web({ placement: { pools: [{ name: 'cpu' }] }, scaling }));
    expect(system.cloud.bought.length).toBe(1);
    await system.clock.advance(60_000);
    await system.await(system.engine.remove('NodePool', { cluster: 'cloud', namespace: 'default', name: 'cpu' }));
    await system.clock.advance(200_000);
    // What runs goes on until there is something in its place.
    expect(ready(system)).toBe(1);
    expect(replicas(system).map(({ node, message }) => (node === '' ? message : ''))).toContain(
      'waits for a place: the pools and regions that it may run in are not there',
    );
    await system.applyInputs(nodePoolInput('cpu', { cluster: 'cloud', startStages: { boot: '40s' } }));
    await system.clock.advance(60_000);
    expect(replicas(system).filter(({ node }) => node === '')).toEqual([]);
    expect(ready(system)).toBe(1);
  });

  it('are bought once though the answer of the provider is lost', async () => {
    const system = await started();
    system.cloud.loseAnswers(2);
    await system.apply(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    await system.clock.advance(120_000);
    expect(ready(system)).toBe(1);
    expect(system.cloud.bought.length).toBe(1);
  });

  it('of another sort come where the first cannot be had', async () => {
    const system = await started();
    system.cloud.refuse({ instanceType: 'small' }, 'stock-out', { message: 'no small ones today' });
    await system.apply(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    await system.clock.advance(60_000);
    expect(ready(system)).toBe(1);
    expect(system.cloud.machines().map(({ offering: { instanceType } }) => instanceType)).toEqual(['large']);
  });

  it('that die are replaced, and what ran there is started elsewhere', async () => {
    const system = await started(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    await system.clock.advance(60_000);
    const [before] = replicas(system);
    system.cloud.kill(fleet(system).nodes[0]?.id ?? '');
    await system.clock.advance(60_000);
    expect(ready(system)).toBe(1);
    expect(replicas(system)[0]?.id).not.toBe(before?.id);
    expect(system.cloud.machines().length).toBe(1);
  });

  it('taken back by the cloud are left in time: nothing in flight is broken', async () => {
    const workload = web({ scaling: { minReplicas: 1, maxReplicas: 5 }, interruption: 'allowed' });
    const system = await started(workload, { capacityTypes: ['spot', 'on-demand'] });
    await system.clock.advance(60_000);
    const [first] = fleet(system).nodes;
    expect(first?.capacityType).toBe('spot');
    const request = system.gateway.arrive('local/default/web', 60_000_000);
    await system.clock.advance(1000);
    system.cloud.interrupt(first?.id ?? '', 120_000);
    await system.clock.advance(125_000);
    expect(request.outcome).toBe('succeeded');
    expect(ready(system)).toBe(1);
    expect(fleet(system).nodes.map(({ id }) => id)).not.toContain(first?.id);
  });

  it('give way to cheaper ones when fewer replicas are wanted', async () => {
    const system = await started(web({ scaling: { minReplicas: 5, maxReplicas: 5 } }));
    await system.clock.advance(60_000);
    await system.apply(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    await system.clock.advance(2_400_000);
    expect(ready(system)).toBe(1);
    expect(system.cloud.machines().map(({ offering: { instanceType } }) => instanceType)).toEqual(['small']);
  });

  it('stay as they are while the provider is away', async () => {
    const system = await started(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    await system.clock.advance(60_000);
    system.providers.get('cloud')?.disconnect();
    await system.clock.advance(3_600_000);
    expect(ready(system)).toBe(1);
    expect(fleet(system).problem).toBe('the provider does not answer');
    system.providers.get('cloud')?.reconnect();
    await system.clock.advance(60_000);
    expect(fleet(system).problem).toBeNull();
    expect(system.cloud.bought.length).toBe(1);
  });

  it('end with the document of their cluster', async () => {
    const system = await started(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    await system.clock.advance(60_000);
    await system.await(system.engine.remove('Workload', key));
    await system.await(system.engine.remove('Cluster', { cluster: 'cloud', namespace: 'default', name: 'cloud' }));
    await system.clock.advance(1000);
    system.kill();
    await system.start();
    await system.clock.advance(120_000);
    expect(system.cloud.machines()).toEqual([]);
  });

  it('that no replica fits leave it to the next cluster that its workload names', async () => {
    const system = await started(
      web({
        classes: [{ name: 'default', command: ['serve'], resources: { requests: { cpu: 64, memory: '1Gi' } } }],
        scaling: { minReplicas: 1, maxReplicas: 5 },
        placement: { clusters: ['cloud', 'local'] },
      }),
    );
    await system.clock.advance(5000);
    expect(replicas(system).map(({ phase, node }) => [phase, node])).toEqual([['ready', 'local']]);
    expect(system.cloud.bought).toEqual([]);
  });

  it('are told of where a replica has no place', async () => {
    const resources = { requests: { cpu: 64, memory: '1Gi' } };
    const system = await started(
      web({
        classes: [{ name: 'default', command: ['serve'], resources }],
        scaling: { minReplicas: 1, maxReplicas: 5 },
      }),
    );
    await system.clock.advance(5000);
    expect(fleet(system).waiting).toBe(1);
    expect(fleet(system).reasons.map(({ code }) => code)).toContain('unplaceable');
    expect(replicas(system)[0]?.message).toBe('waits for a node of cluster cloud: needs 64 CPU, the largest has 8');
  });

  it('that are only on order are given up with the replica that they were for', async () => {
    const system = await started();
    const request = system.gateway.arrive('local/default/web', 200_000);
    await system.clock.advance(5000);
    system.gateway.cancel(request.id);
    await system.clock.advance(1_800_000);
    expect(replicas(system)).toEqual([]);
    expect(system.cloud.machines()).toEqual([]);
  });

  it('that nobody knows are named, and left alone', async () => {
    const system = await started(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    await system.clock.advance(60_000);
    const where = {
      cloud: 'aws',
      region: 'r1',
      zone: 'r1a',
      instanceType: 'large',
      capacityType: 'on-demand' as const,
    };
    const foreign = system.cloud.addForeign('cloud', where);
    await system.clock.advance(300_000);
    expect(
      fleet(system)
        .reasons.map(({ sentence }) => sentence)
        .join(),
    ).toContain(foreign);
    expect(system.cloud.machines().length).toBe(2);
  });

  it('end when everything is ended', async () => {
    const system = await started(web({ scaling: { minReplicas: 2, maxReplicas: 5 } }));
    await system.clock.advance(60_000);
    await system.await(system.engine.quiesce());
    expect(system.cloud.machines()).toEqual([]);
  });

  it('are waited for by a workload whose cluster is gone: it runs nowhere else', async () => {
    const system = await started(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    await system.clock.advance(60_000);
    await system.await(system.engine.remove('Cluster', { cluster: 'cloud', namespace: 'default', name: 'cloud' }));
    await system.clock.advance(120_000);
    expect(system.cloud.machines()).toEqual([]);
    expect(replicas(system).map(({ phase, node }) => [phase, node])).toEqual([['pending', '']]);
    await system.applyInputs(clusterInput('cloud', { type: 'rehearsal', cloud: 'aws', region: 'r1' }));
    await system.clock.advance(60_000);
    expect(ready(system)).toBe(1);
  });

  it('are bought no more when the month is paid for, and a pool that costs without work is named', async () => {
    const system = await started(web({ scaling: { minReplicas: 1, maxReplicas: 9 } }), {
      budget: { perMonth: '0.05' },
      warmSpares: 1,
    });
    await system.applyInputs(
      clusterInput('cloud', {
        ...{ type: 'rehearsal', cloud: 'aws', region: 'r1' },
        alarms: { idleCostAbove: '0.01', idleFor: '5m' },
      }),
    );
    await system.clock.advance(1_800_000);
    expect(ready(system)).toBe(1);
    await system.apply(web({ scaling: { minReplicas: 9, maxReplicas: 9 } }));
    await system.clock.advance(300_000);
    expect(fleet(system).waiting).toBeGreaterThan(0);
    expect(system.notices.map(({ type, message }) => [type, message])).toEqual([
      ['pool-budget', 'budget of pool cloud/default/cpu: 0.04 USD of 0.05 USD are spent this month'],
      [
        'pool-budget',
        'budget of pool cloud/default/cpu: 0.05 USD of 0.05 USD are spent this month; nothing more is bought for it',
      ],
    ]);
    await system.apply(web({ scaling: { minReplicas: 0, maxReplicas: 9, paused: { replicas: 0 } } }));
    await system.clock.advance(1_800_000);
    const idle = system.notices.find(({ type }) => type === 'idle-pool');
    expect(idle?.message).toMatch(/^pool cloud\/default\/cpu has cost 0\.\d+ USD without work since/);
    expect(fleet(system).notes.join()).toContain('without work since');
  });

  it('are kept while a budget in time forbids to end any, and go when that is over', async () => {
    let openUntilMs = Number.POSITIVE_INFINITY;
    const system = await started(
      web({ scaling: { minReplicas: 0, maxReplicas: 5, keepAlive: '1s', policy: { type: 'windows' } } }),
      { disruptionBudgets: [{ nodes: '100%' }, { nodes: 0, schedule: '0 9 * * *', duration: '8h' }] },
      {
        window: (_schedule, _durationMs, nowMs) => ({
          isOpen: nowMs < openUntilMs,
          changesAtMs: nowMs < openUntilMs ? openUntilMs : null,
        }),
      },
    );
    openUntilMs = system.clock.nowMs() + 1_200_000;
    await system.apply(web({ scaling: { minReplicas: 1, maxReplicas: 5, policy: { type: 'windows' } } }));
    await system.clock.advance(60_000);
    await system.apply(
      web({ scaling: { minReplicas: 0, maxReplicas: 5, keepAlive: '1s', policy: { type: 'windows' } } }),
    );
    await system.clock.advance(1_000_000);
    expect(ready(system)).toBe(0);
    expect(system.cloud.machines().length).toBe(1);
    await system.clock.advance(300_000);
    expect(system.cloud.machines()).toEqual([]);
  });

  it('are rented once their provider can be opened', async () => {
    const system = await started(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }), {}, { failingProviders: 2 });
    await system.clock.advance(1000);
    expect(fleet(system).problem).toBe('the credentials are not there');
    expect(replicas(system)[0]?.message).toContain('waits for a node of cluster cloud');
    await system.clock.advance(120_000);
    expect(ready(system)).toBe(1);
    expect(fleet(system).problem).toBeNull();
  });

  it('are asked for once it is stored that they are, however long the store refuses', async () => {
    const system = await started();
    system.store.faults.fail = (operation) => (operation === 'state.save' ? new Error('disk full') : null);
    await system.apply(web({ scaling: { minReplicas: 1, maxReplicas: 5 } }));
    await system.clock.advance(20_000);
    expect(system.cloud.bought).toEqual([]);
    delete system.store.faults.fail;
    await system.clock.advance(50_000);
    expect(ready(system)).toBe(1);
    expect(system.cloud.bought.length).toBe(1);
  });
});
