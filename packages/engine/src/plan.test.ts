import { expect, it } from 'vitest';
import { type PlanInput, planReplicas } from './plan.ts';
import { newReplica, type Replica } from './replicaSet.ts';

let created = 0;
function replica(phase: Replica['phase'], more: Partial<Replica> = {}): Replica {
  created++;
  const base = {
    id: `r${created}`,
    class: 'default',
    revision: 'new',
    node: 'local',
    createdAtMs: created,
    askedAtUs: 0,
    heldAtUs: null,
  };
  return Object.assign(newReplica({ ...base }), { phase, ...more });
}

const plan = (replicas: Replica[], desired: Record<string, number>, more: Partial<PlanInput> = {}) =>
  planReplicas({
    desired,
    revisions: new Map([['default', 'new']]),
    update: { type: 'Rolling', maxSurge: 1, maxUnavailable: 0 },
    replicas,
    mayStart: () => true,
    victims: (list, count) => list.slice(0, Math.max(0, count)).map((one) => one.id),
    ...more,
  });

const seenReady = { phase: 'ready' } as Replica['seen'];

it('does nothing when there is what is wanted', () => {
  const nothing = { starts: [], takeBack: [], drains: [], waiting: [] };
  expect(plan([replica('ready'), replica('starting')], { default: 2 })).toEqual(nothing);
  expect(plan([replica('stopping'), replica('failed')], { default: 0 })).toEqual(nothing);
});

it('counts replicas in back-off as present: the driver starts them again', () => {
  expect(plan([replica('backoff')], { default: 2 }).starts).toEqual([{ class: 'default', count: 1 }]);
});

it('takes back what still drains before it starts anything, the last drained first', () => {
  const first = replica('draining', { drainSinceMs: 1, seen: seenReady });
  const last = replica('draining', { drainSinceMs: 2, seen: seenReady });
  const old = replica('draining', { drainSinceMs: 3, seen: seenReady, revision: 'old' });
  const dead = replica('draining', { drainSinceMs: 4, seen: { phase: 'unready' } as Replica['seen'] });
  expect(plan([first, last, old, dead], { default: 1 })).toMatchObject({ takeBack: [last.id], starts: [] });
  expect(plan([first, last, old, dead], { default: 3 })).toMatchObject({
    takeBack: [last.id, first.id],
    starts: [{ class: 'default', count: 1 }],
  });
});

it('waits where starting is in back-off', () => {
  expect(plan([], { default: 2 }, { mayStart: () => false })).toMatchObject({ starts: [], waiting: ['default'] });
});

it('drains classes that left the document, and shares the surge among those that are there', () => {
  const gone = replica('ready', { class: 'gpu' });
  expect(plan([gone], { default: 0 }).drains).toEqual([{ id: gone.id, cause: 'class-removed' }]);
  const old = (name: string) => replica('ready', { class: name, revision: 'old' });
  const both = plan(
    [old('a'), old('b')],
    { a: 1, b: 1 },
    {
      revisions: new Map([
        ['a', 'new'],
        ['b', 'new'],
      ]),
    },
  );
  expect(both.starts).toEqual([{ class: 'a', count: 1 }]);
});

it('says why everything goes when a workload is deleted', () => {
  const one = replica('ready');
  expect(plan([one], {}, { cause: 'workload-removed' }).drains).toEqual([{ id: one.id, cause: 'workload-removed' }]);
});
