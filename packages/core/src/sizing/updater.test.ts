import { describe, expect, it } from 'vitest';
import type { SizingRecommendation } from './types.ts';
import { byUrgency, updatePriority } from './updatePriority.ts';
import { planUpdates } from './updater.ts';
import {
  defaultUpdater,
  type UpdatableReplica,
  type UpdateObservation,
  type UpdatePolicy,
  type UpdaterSettings,
} from './updaterTypes.ts';

const nowMs = 1_800_000_000_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const recommendation = recommendationOf(400, 200, 800);

function recommendationOf(target: number, lower: number, upper: number): SizingRecommendation {
  const amounts = (cpuMilli: number) => ({ cpuMilli, memoryBytes: 1_000_000_000 });
  return {
    containers: [
      {
        name: 'app',
        lowerBound: amounts(lower),
        target: amounts(target),
        upperBound: amounts(upper),
        uncappedTarget: amounts(target),
      },
    ],
  };
}

function replicaOf(
  name: string,
  cpuMilli: number | undefined,
  change: Partial<UpdatableReplica> = {},
): UpdatableReplica {
  const requests = { memoryBytes: 1_000_000_000, ...(cpuMilli === undefined ? {} : { cpuMilli }) };
  return {
    name,
    group: 'set',
    pending: false,
    startedAtMs: nowMs - hourMs,
    containers: [{ name: 'app', requests, limits: {}, lastOom: null }],
    observedContainers: null,
    resize: null,
    resizeRestarts: false,
    refused: null,
    ...change,
  };
}

function plan(
  replicas: UpdatableReplica[],
  policy: Partial<UpdatePolicy> = {},
  settings: Partial<UpdaterSettings> = {},
  groups: UpdateObservation['groups'] = new Map([['set', replicas.length]]),
  wanted = recommendation,
) {
  return planUpdates(
    {
      policies: [],
      limitRanges: {},
      policy: { mode: 'Recreate', minReplicas: 1, evictionRequirements: [], evictAfterOomMs: null, ...policy },
      settings: { ...defaultUpdater, ...settings },
    },
    wanted,
    { nowMs, replicas, groups },
  );
}

const actions = (made: ReturnType<typeof plan>) => made.updates.map(({ replica, action }) => `${action} ${replica}`);
const whyHeld = (made: ReturnType<typeof plan>) => made.held.map(({ reasons }) => reasons.at(-1)?.code);

function oomOf(ranMs: number, agoMs: number) {
  return { startedAtMs: nowMs - agoMs - ranMs, finishedAtMs: nowMs - agoMs };
}

describe('the priority', () => {
  const two = (a: number, b: number) =>
    updatePriority(
      [
        { name: 'a', requests: { cpuMilli: a }, limits: {} },
        { name: 'b', requests: { cpuMilli: b }, limits: {} },
      ],
      {
        containers: ['a', 'b'].map((name) => ({
          name,
          lowerBound: { cpuMilli: 1 },
          target: { cpuMilli: 300 },
          upperBound: { cpuMilli: 9999 },
          uncappedTarget: {},
        })),
      },
      null,
    );

  it('sums over containers, so that opposite changes cancel', () => {
    expect(two(200, 400)).toEqual({ outsideRange: false, grows: true, difference: 0 });
    // |500 − 600| / 500
    expect(two(200, 300).difference).toBe(0.2);
  });

  it('takes a missing request as one thousandth', () => {
    const priority = updatePriority([{ name: 'app', requests: {}, limits: {} }], recommendationOf(400, 1, 999), null);
    // |1 − 400| / 1 and |1 − 1e12| / 1
    expect(priority).toEqual({ outsideRange: true, grows: true, difference: 399 + 999_999_999_999 });
  });

  it('leaves out containers that were not sized at the start', () => {
    const containers = [{ name: 'app', requests: { cpuMilli: 1 }, limits: {} }];
    expect(updatePriority(containers, recommendation, ['proxy'])).toEqual({
      outsideRange: false,
      grows: false,
      difference: 0,
    });
  });

  it('puts growing first, then the larger difference', () => {
    const [shrinks, grows, growsMore] = [
      { outsideRange: false, grows: false, difference: 9 },
      { outsideRange: false, grows: true, difference: 1 },
      { outsideRange: false, grows: true, difference: 2 },
    ];
    expect([shrinks, grows, growsMore].sort(byUrgency)).toEqual([growsMore, grows, shrinks]);
  });
});

describe('which replicas', () => {
  it.each<[string, UpdatableReplica, string]>([
    ['below its bounds', replicaOf('r', 199), 'sizing-outside-range'],
    ['above its bounds', replicaOf('r', 801), 'sizing-outside-range'],
    ['without a request', replicaOf('r', undefined), 'sizing-outside-range'],
    ['old and 25 % off', replicaOf('r', 320, { startedAtMs: nowMs - 12 * hourMs }), 'sizing-long-lived'],
    // |445 − 400| / 445 = 0.1011
    ['old and just far enough off', replicaOf('r', 445, { startedAtMs: nowMs - 12 * hourMs }), 'sizing-long-lived'],
    ['an early OOM', withOom(replicaOf('r', 300), 10 * minuteMs - 1, 0), 'sizing-quick-oom'],
  ])('%s is updated', (_name, replica, code) => {
    const made = plan([replica]);
    expect(actions(made)).toEqual(['evict r']);
    expect(made.updates[0]?.reasons[0]?.code).toBe(code);
    expect(made.updates[0]?.containers[0]?.requests.cpuMilli).toBe(400);
  });

  it.each<[string, UpdatableReplica, string]>([
    ['at its lower bound', replicaOf('r', 200), 'sizing-too-young'],
    ['at its upper bound', replicaOf('r', 800), 'sizing-too-young'],
    ['not old enough', replicaOf('r', 320, { startedAtMs: nowMs - 12 * hourMs + 1 }), 'sizing-too-young'],
    ['of unknown age', replicaOf('r', 320, { startedAtMs: null }), 'sizing-too-young'],
    // |444 − 400| / 444 = 0.0991
    ['old, but close', replicaOf('r', 444, { startedAtMs: nowMs - 12 * hourMs }), 'sizing-close-enough'],
    ['an OOM after 10 minutes', withOom(replicaOf('r', 300), 10 * minuteMs, 0), 'sizing-too-young'],
    ['an OOM of long ago', withOom(replicaOf('r', 300), minuteMs, 10 * minuteMs), 'sizing-too-young'],
    ['an early OOM at the target', withOom(replicaOf('r', 400), minuteMs, 0), 'sizing-oom-same-size'],
  ])('%s is not', (_name, replica, code) => {
    const made = plan([replica]);
    expect(actions(made)).toEqual([]);
    expect(whyHeld(made)).toEqual([code]);
  });

  it('does not count an OOM of a container that is off', () => {
    const made = planUpdates(
      {
        policies: [{ container: 'app', mode: 'Off' }],
        limitRanges: {},
        policy: { mode: 'Recreate', minReplicas: 1, evictionRequirements: [], evictAfterOomMs: null },
        settings: defaultUpdater,
      },
      recommendation,
      { nowMs, replicas: [withOom(replicaOf('r', 300), minuteMs, 0)], groups: new Map([['set', 1]]) },
    );
    expect(actions(made)).toEqual([]);
  });

  it('takes the time after an OOM from the policy', () => {
    const replica = withOom(replicaOf('r', 300), 20 * minuteMs, 0);
    expect(actions(plan([replica], { evictAfterOomMs: 30 * minuteMs }))).toEqual(['evict r']);
  });
});

function withOom(replica: UpdatableReplica, ranMs: number, agoMs: number): UpdatableReplica {
  return { ...replica, containers: replica.containers.map((c) => ({ ...c, lastOom: oomOf(ranMs, agoMs) })) };
}

describe('update modes', () => {
  it.each(['Off', 'Initial'] as const)('%s changes nothing that runs', (mode) => {
    const made = plan([replicaOf('r', 1)], { mode });
    expect([actions(made), whyHeld(made)]).toEqual([[], ['sizing-mode']]);
  });

  it('InPlace needs its gate', () => {
    expect(actions(plan([replicaOf('r', 1)], { mode: 'InPlace' }))).toEqual([]);
    expect(actions(plan([replicaOf('r', 1)], { mode: 'InPlace' }, { inPlaceEnabled: true }))).toEqual(['resize r']);
  });

  it('Auto is Recreate', () => {
    expect(actions(plan([replicaOf('r', 1)], { mode: 'Auto' }))).toEqual(['evict r']);
  });
});

describe('the eviction limit', () => {
  const many = (live: number, pending = 0) =>
    Array.from({ length: live }, (_, i) => replicaOf(`r${i}`, 100 - i, { pending: i < pending }));

  it.each([
    // live, configured, least: updated. Tolerance is half of configured, rounded down.
    [4, 4, 2, 2],
    [5, 5, 2, 2],
    [3, 3, 2, 1],
    [2, 2, 2, 1],
    // Of 4 only 3 live, which 2 may be below by one.
    [3, 4, 2, 1],
    [2, 4, 2, 0],
    // Too few; a tolerance of 0 allows one when all run.
    [1, 1, 2, 0],
    [1, 1, 1, 1],
  ])('%i live of %i with at least %i: %i', (live, configured, minReplicas, updated) => {
    const made = plan(many(live), { minReplicas }, {}, new Map([['set', configured]]));
    expect(made.updates).toHaveLength(updated);
    expect(made.held).toHaveLength(live - updated);
  });

  it('does not hold for replicas that are pending, which do not count as running', () => {
    // 2 running of 4, tolerance 2: none of them, but both that are pending.
    expect(actions(plan(many(4, 2))).sort()).toEqual(['evict r0', 'evict r1']);
  });

  it('counts a group whose size is not configured by what lives, and none that is unknown', () => {
    expect(plan(many(4), {}, {}, new Map([['set', null]])).updates).toHaveLength(2);
    expect(whyHeld(plan(many(1), {}, {}, new Map()))).toEqual(['sizing-group-unknown']);
  });

  it('lets the most urgent go first', () => {
    expect(actions(plan(many(4)))).toEqual(['evict r3', 'evict r2']);
  });
});

describe('eviction requirements', () => {
  const needs = (...requirements: [('cpu' | 'memory')[], 'Higher' | 'Lower'][]) => ({
    evictionRequirements: requirements.map(([resources, direction]) => ({
      resources,
      changeRequirement: `Target${direction}ThanRequests` as const,
    })),
  });

  it.each<[Partial<UpdatePolicy>, boolean]>([
    [needs([['cpu'], 'Higher']), true],
    [needs([['cpu'], 'Lower']), false],
    [needs([['memory'], 'Higher']), false],
    [needs([['memory', 'cpu'], 'Higher']), true],
    // Every requirement has to be met.
    [needs([['cpu'], 'Higher'], [['memory'], 'Lower']), false],
  ])('%j: %s', (policy, evicted) => {
    const made = plan([replicaOf('r', 100)], policy);
    expect(actions(made)).toEqual(evicted ? ['evict r'] : []);
    if (!evicted) expect(whyHeld(made)).toEqual(['sizing-requirement']);
  });

  it('do not hold for a container without a request', () => {
    expect(actions(plan([replicaOf('r', undefined)], needs([['cpu'], 'Lower'])))).toEqual(['evict r']);
  });
});

describe('resizing in place', () => {
  const resizing = (status: 'deferred' | 'infeasible' | 'inProgress' | 'error' | 'unknown', forMs = 0) =>
    replicaOf('r', 100, { resize: { status, sinceMs: nowMs - forMs } });
  const orRecreate = { mode: 'InPlaceOrRecreate' } as const;

  it.each<[Parameters<typeof resizing>, string[]]>([
    [['infeasible'], ['evict r']],
    [['error'], ['evict r']],
    [['unknown'], ['evict r']],
    [['deferred', 5 * minuteMs], []],
    [['deferred', 5 * minuteMs + 1], ['evict r']],
    [['inProgress', hourMs], []],
    [['inProgress', hourMs + 1], ['evict r']],
  ])('falls back to eviction: %j', (resize, expected) => {
    const made = plan([resizing(...resize)], orRecreate);
    expect(actions(made)).toEqual(expected);
    if (expected.length === 0) expect(whyHeld(made)).toEqual(['sizing-resize-waits']);
  });

  it('counts against the budget', () => {
    const replicas = ['a', 'b', 'c', 'd'].map((name, i) => replicaOf(name, 100 - i));
    expect(actions(plan(replicas, orRecreate))).toEqual(['resize d', 'resize c']);
  });

  it('does not need the budget where that is set and nothing restarts', () => {
    const replicas = ['a', 'b', 'c'].map((name, i) => replicaOf(name, 100 - i, { resizeRestarts: i === 0 }));
    const made = plan(replicas, { ...orRecreate, minReplicas: 9 }, { inPlaceSkipsBudget: true });
    // a is below the minimum of 9 live replicas with the others already under way.
    expect(actions(made)).toEqual(['resize c', 'resize b']);
  });

  it('is not replaced by an eviction in a group below its minimum', () => {
    const made = plan([resizing('infeasible')], { ...orRecreate, minReplicas: 2 }, { inPlaceSkipsBudget: true });
    expect([actions(made), whyHeld(made)]).toEqual([[], ['sizing-too-few-replicas']]);
  });

  it('waits for a replica that is pending', () => {
    const made = plan([replicaOf('r', 100, { pending: true })], orRecreate);
    expect([actions(made), whyHeld(made)]).toEqual([[], ['sizing-resize-waits']]);
  });

  describe('only', () => {
    const only = [{ mode: 'InPlace' } as const, { inPlaceEnabled: true }] as const;

    it('never evicts, and remembers what was refused', () => {
      const made = plan([resizing('infeasible')], ...only);
      expect(actions(made)).toEqual(['resize r']);
      expect(made.updates[0]?.remembersRefusal).toBe(true);
      expect(actions(plan([resizing('deferred', 9 * hourMs)], ...only))).toEqual(['resize r']);
    });

    it.each([
      [recommendationOf(400, 1, 9), false],
      [recommendationOf(399, 1, 9), false],
      [recommendationOf(401, 1, 9), true],
    ])('tries again only when something is lower than refused', (refused, again) => {
      const made = plan([replicaOf('r', 100, { refused })], ...only);
      expect(actions(made)).toEqual(again ? ['resize r'] : []);
      if (!again) expect(whyHeld(made)).toEqual(['sizing-refused-before']);
    });
  });
});
