import type { FleetAction, FleetPod, PlacementPod } from '@ebb/core';
import type { Guests } from '@ebb/engine';
import { clusterInput, nodePoolInput, offering, VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';

const gib = 1024 ** 3;
const offerings = [offering('small', 0.1, { cpuMilli: 2000, memoryBytes: 8 * gib })];

function podOf(id: string, cpuMilli = 1500): FleetPod {
  const pod: PlacementPod = {
    ...{
      id,
      workload: 'shop/web',
      labels: {},
      cpuMilli,
      memoryBytes: gib,
      gpu: null,
      requirements: [],
      affinityTerms: [],
    },
    ...{ preferred: [], tolerations: [], spread: [], antiAffinity: [], clusters: null, regions: null, pools: null },
    ...{ interruptible: true, interruptionPriceMicro: 0, priority: 0 },
  };
  return { pod, bound: null, isLeaving: false, loadMs: 0, inFlight: 0, doNotDisrupt: false };
}

/** Pods that go where they are told, as soon as it is decided. */
class ToldGuests implements Guests {
  pods: FleetPod[] = [];
  cpuOfDaemons = 0;
  readonly actions: FleetAction[] = [];
  readonly #listeners = new Set<(what: 'pods' | 'overhead') => void>();
  system: VirtualSystem | null = null;
  /** Whether each launch was in the store when it was decided. */
  readonly stored: boolean[] = [];

  observe() {
    return { pods: this.pods };
  }

  decided(_cluster: string, { actions }: { actions: readonly FleetAction[] }): void {
    this.actions.push(...actions);
    for (const action of actions) {
      if (action.type !== 'bind') continue;
      const { node, place } = action;
      this.pods = this.pods.map((one) => (one.pod.id === action.pod ? { ...one, bound: { node, place } } : one));
    }
  }

  overheadOf() {
    return { cpuMilli: this.cpuOfDaemons, memoryBytes: 0, memoryShare: 0, pods: 0 };
  }

  watch(listener: (what: 'pods' | 'overhead') => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  say(pods: FleetPod[]): void {
    this.pods = pods;
    this.tell('pods');
  }

  tell(what: 'pods' | 'overhead'): void {
    for (const listener of this.#listeners) listener(what);
  }
}

const cluster = clusterInput('prod', { type: 'kubernetes', cloud: 'aws', region: 'r1' });

async function started(guests: ToldGuests): Promise<VirtualSystem> {
  const system = new VirtualSystem({ offerings, guests });
  await system.start();
  await system.applyInputs(
    cluster,
    nodePoolInput('cpu', { cluster: 'prod', consolidation: { delay: '30s' }, disruptionBudgets: [{ nodes: '100%' }] }),
  );
  await system.clock.advance(100);
  return system;
}

describe('machines for the pods of others', () => {
  it('come when one waits, and go when it has gone', async () => {
    const guests = new ToldGuests();
    const system = await started(guests);
    expect(system.cloud.bought).toEqual([]);
    guests.say([podOf('a')]);
    await system.clock.advance(120_000);
    expect(guests.actions.map(({ type }) => type)).toEqual(['launch', 'bind']);
    expect(system.engine.fleets()).toMatchObject([{ cluster: 'prod', nodes: [{ phase: 'ready' }] }]);
    guests.say([]);
    await system.clock.advance(120_000);
    expect(system.cloud.machines()).toEqual([]);
    expect(await system.store.ledger.readNodes({})).toMatchObject([{ instanceType: 'small' }]);
    await system.stop();
  });

  it('are no place for replicas, which run where they always did', async () => {
    const guests = new ToldGuests();
    const system = await started(guests);
    await system.apply(workloadDocument('web', { scaling: { minReplicas: 1, maxReplicas: 2 } }));
    await system.clock.advance(60_000);
    expect(system.engine.status({ cluster: 'local', namespace: 'default', name: 'web' })?.replicas.ready).toBe(1);
    expect(system.cloud.bought).toEqual([]);
    await system.stop();
  });

  it('are one, though the engine is killed at any moment of it', async () => {
    for (const afterMs of [0, 2, 20, 100, 30_000]) {
      const guests = new ToldGuests();
      const system = await started(guests);
      guests.say([podOf('a')]);
      await system.clock.advance(afterMs);
      system.kill();
      // What was told to nobody is not known to those who run the pods either.
      guests.pods = [podOf('a')];
      await system.clock.advance(3000);
      await system.start();
      await system.clock.advance(120_000);
      expect([afterMs, system.cloud.bought.length, system.cloud.machines().length]).toEqual([afterMs, 1, 1]);
      await system.stop();
    }
  });

  it('leave room for daemons, and are not replaced when those change', async () => {
    const guests = new ToldGuests();
    const system = await started(guests);
    guests.say([podOf('a')]);
    await system.clock.advance(120_000);
    guests.cpuOfDaemons = 600;
    guests.tell('overhead');
    await system.clock.advance(120_000);
    expect(system.cloud.bought.length).toBe(1);
    guests.say([...guests.pods, podOf('b')]);
    await system.clock.advance(1000);
    // 1500 and 600 are more than a machine has.
    expect(system.cloud.bought.length).toBe(1);
    expect(system.engine.fleets()[0]?.reasons.map(({ code }) => code)).toContain('unplaceable');
    await system.stop();
  });

  it('stay as they are when the document of the cluster goes, and are taken up when it comes back', async () => {
    const guests = new ToldGuests();
    const system = await started(guests);
    guests.say([podOf('a')]);
    await system.clock.advance(120_000);
    await system.engine.remove('Cluster', { cluster: 'prod', namespace: 'default', name: 'prod' });
    guests.say([]);
    await system.clock.advance(600_000);
    expect(system.cloud.machines().length).toBe(1);
    await system.applyInputs(cluster);
    await system.clock.advance(120_000);
    expect(system.cloud.machines()).toEqual([]);
    await system.stop();
  });
});
