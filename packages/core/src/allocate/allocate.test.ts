import { describe, expect, it } from 'vitest';
import { reasonSentence } from '../explain/sentences.ts';
import { noLimits, replicas, request, sized } from './allocate.fixture.ts';
import { allocate } from './allocate.ts';
import type { AllocationRequest, Quota } from './types.ts';

describe('allocate', () => {
  it('gives everything where nothing is limited', () => {
    expect(replicas([request('a', 3), request('b', 0, 2)], noLimits)).toEqual([3, 0]);
  });

  it('keeps what runs before anything new, then higher priority first', () => {
    const limits = { ...noLimits, maxReplicas: 4 };
    expect(replicas([request('low', 3, 2), request('high', 5, 0, { priority: 10 })], limits)).toEqual([2, 2]);
  });

  it('shares what is left evenly within one priority', () => {
    expect(replicas([request('a', 9), request('b', 9), request('c', 1)], { ...noLimits, maxReplicas: 5 })).toEqual([
      2, 2, 1,
    ]);
  });

  it.each([
    ['cpuMilli', { ...noLimits, capacity: { ...noLimits.capacity, cpuMilli: 1200 } }],
    ['memoryBytes', { ...noLimits, capacity: { ...noLimits.capacity, memoryBytes: 2999 } }],
    ['pricePerHourMicro', { ...noLimits, maxPricePerHourMicro: 200_000 }],
  ])('says that %s is what ran out', (resource, limits) => {
    const [grant] = allocate([request('a', 5)], limits, null).grants;
    expect(grant?.replicas).toBe(2);
    expect(grant?.reasons).toEqual([
      { code: 'grant-capacity', stage: 'grant', data: expect.objectContaining({ wanted: 5, granted: 2, resource }) },
    ]);
  });

  it('starts nothing new before a dependency has a ready replica', () => {
    const dependencies = [{ workload: 'local/default/db', ready: false }];
    const [grant] = allocate([request('a', 3, 1, { dependencies })], noLimits, null).grants;
    expect(grant?.replicas).toBe(1);
    expect(grant?.reasons[0]).toEqual({
      code: 'grant-dependency',
      stage: 'grant',
      data: { dependency: 'local/default/db', wanted: 3, granted: 1 },
    });
  });

  it('takes back from a request what is no longer wanted, whoever runs', () => {
    expect(replicas([request('a', 1, 4), request('b', 9, 4)], { ...noLimits, maxReplicas: 8 })).toEqual([1, 7]);
  });

  it('gives the minimum of each before the growth of anybody, within one priority', () => {
    const limits = { ...noLimits, maxReplicas: 6 };
    const min = { minReplicas: 3 };
    expect(replicas([request('a', 9), request('b', 3, 0, min)], { ...limits, maxReplicas: 3 })).toEqual([0, 3]);
    expect(replicas([request('a', 9, 2), request('b', 3, 0, min), request('c', 3, 0, min)], limits)).toEqual([2, 2, 2]);
    expect(replicas([request('a', 9, 0, { priority: 1 }), request('b', 3, 0, min)], limits)).toEqual([6, 0]);
  });

  it('lets a small workload pass a large one that does not fit', () => {
    const limits = { ...noLimits, capacity: { ...noLimits.capacity, cpuMilli: 3000 } };
    const requests = [sized('large', 2, { cpuMilli: 2000 }, { priority: 9 }), sized('small', 5, { cpuMilli: 300 })];
    expect(replicas(requests, limits)).toEqual([1, 3]);
  });

  it('equalises dominant shares, not replicas (the example of the DRF paper)', () => {
    const limits = { ...noLimits, capacity: { cpuMilli: 9000, memoryBytes: 18, gpuMilli: null } };
    const requests = [
      sized('a', 99, { cpuMilli: 1000, memoryBytes: 4 }),
      sized('b', 99, { cpuMilli: 3000, memoryBytes: 1 }),
    ];
    expect(replicas(requests, limits)).toEqual([3, 2]);
  });

  it('goes on with the next class where the cheapest does not fit', () => {
    const classOf = (name: string, cpuMilli: number, gpuMilli: number) => ({
      name,
      wanted: 2,
      current: 0,
      requests: { cpuMilli, memoryBytes: 0, gpuMilli },
      pricePerHourMicro: 0,
    });
    const limits = { ...noLimits, capacity: { ...noLimits.capacity, cpuMilli: 1000 } };
    const classes = [classOf('cpu', 1000, 0), classOf('gpu', 0, 1000)];
    const [grant] = allocate([request('a', 0, 0, { classes })], limits, null).grants;
    expect(grant?.classes).toEqual({ cpu: 1, gpu: 2 });
    expect(grant?.reasons.map((reason) => reason.data)).toEqual([
      expect.objectContaining({ wanted: 4, granted: 3, resource: 'cpuMilli', limitNeeded: 2000 }),
    ]);
  });

  it('names the largest holders and the limit that would do', () => {
    const limits = { ...noLimits, maxReplicas: 8 };
    const requests = [request('a', 4, 4), request('b', 1, 1), request('c', 2, 2), request('d', 1, 1), request('e', 3)];
    const [reason] = allocate(requests, limits, null).grants[4]?.reasons ?? [];
    expect(reason).toEqual({
      code: 'grant-capacity',
      stage: 'grant',
      data: {
        wanted: 3,
        granted: 0,
        resource: 'replicas',
        limit: 8,
        used: 8,
        limitNeeded: 11,
        holder1: 'a',
        holder1Amount: 4,
        holder2: 'c',
        holder2Amount: 2,
        holder3: 'b',
        holder3Amount: 1,
      },
    });
    expect(reason && reasonSentence(reason)).toBe(
      '3 replicas wanted, 0 granted: more would go over the limit of 8 replicas; most of it is held by a 4 replicas, c 2 replicas, b 1 replica; a limit of 11 replicas would do.',
    );
  });

  it('treats numbers that are none as nothing wanted and no room', () => {
    expect(replicas([request('a', Number.NaN, -3), request('b', 2.7)], noLimits)).toEqual([0, 2]);
    expect(replicas([request('a', 3, 1)], { ...noLimits, maxReplicas: Number.NaN })).toEqual([1]);
    expect(replicas([request('a', 3)], { ...noLimits, maxReplicas: -1 })).toEqual([0]);
  });

  it('lets nothing new in where what runs is beyond the safe integers', () => {
    const limits = { ...noLimits, capacity: { ...noLimits.capacity, memoryBytes: Number.MAX_SAFE_INTEGER } };
    const huge = sized('a', 5, { memoryBytes: Number.MAX_SAFE_INTEGER });
    const running = huge.classes.map((entry) => ({ ...entry, current: 4 }));
    expect(replicas([{ ...huge, classes: running }, request('b', 1)], limits)).toEqual([4, 0]);
  });
});

describe('quotas', () => {
  const inTeam = (team: string): Partial<AllocationRequest> => ({ namespace: team, labels: { tier: 'batch' } });
  const quota = (team: string, more: Partial<Quota>): Quota => ({ name: team, scope: { namespace: team }, ...more });

  it.each<[string, Partial<Quota>, number]>([
    ['replicas', { maxReplicas: 2 }, 2],
    ['cpu', { capacity: { cpuMilli: 1700 } }, 3],
    ['memory', { capacity: { memoryBytes: 1000 } }, 1],
    ['gpu', { capacity: { gpuMilli: 0 } }, 9],
    ['price an hour', { maxPricePerHourMicro: 280_000 }, 4],
    ['nothing', {}, 9],
  ])('bind the workloads of a namespace by %s', (_, limit, granted) => {
    const limits = { ...noLimits, quotas: [quota('red', limit)] };
    expect(replicas([request('a', 9, 0, inTeam('red')), request('b', 9, 0, inTeam('blue'))], limits)).toEqual([
      granted,
      9,
    ]);
  });

  it('bind by label, all that match at once, and say which', () => {
    const limits = {
      ...noLimits,
      quotas: [
        quota('red', { maxReplicas: 7 }),
        { name: 'batch', scope: { label: ['tier', 'batch'] as [string, string] }, maxReplicas: 5 },
      ],
    };
    const { grants } = allocate([request('a', 9, 0, inTeam('red'))], limits, null);
    expect(grants[0]?.replicas).toBe(5);
    expect(grants[0]?.reasons).toEqual([
      {
        code: 'grant-quota',
        stage: 'grant',
        data: expect.objectContaining({ name: 'batch', limit: 5, limitNeeded: 9 }),
      },
    ]);
  });

  it('share the cluster by weight first, then between their workloads', () => {
    const limits = { ...noLimits, maxReplicas: 12, quotas: [quota('red', { weight: 3 }), quota('blue', {})] };
    const red = [request('a', 20, 0, inTeam('red')), request('b', 2, 0, inTeam('red'))];
    const blue = ['c', 'd', 'e'].map((name) => request(name, 9, 0, inTeam('blue')));
    expect(replicas([...red, ...blue], limits)).toEqual([7, 2, 1, 1, 1]);
  });

  it('with weight 0 take only what no other wants', () => {
    const limits = { ...noLimits, maxReplicas: 5, quotas: [quota('red', { weight: 0 }), quota('blue', {})] };
    const requests = [request('a', 9, 0, inTeam('red')), request('b', 4, 0, inTeam('blue'))];
    expect(replicas(requests, limits)).toEqual([1, 4]);
  });
});

describe('preemption', () => {
  const limits = { ...noLimits, maxReplicas: 6, preemption: true };
  const high = (wanted: number, current = 0) => request('high', wanted, current, { priority: 9 });

  it('takes from the lowest priority first, down to the minimum, and says for whom', () => {
    const requests = [high(3), request('middle', 2, 2, { priority: 5 }), request('low', 4, 4, { minReplicas: 1 })];
    const { grants } = allocate(requests, limits, null);
    expect(grants.map((grant) => grant.replicas)).toEqual([3, 2, 1]);
    const victim = grants[2]?.reasons.find((reason) => reason.stage === 'victims');
    expect(victim).toMatchObject({
      code: 'grant-preempted',
      data: {
        reclaimed: 3,
        running: 4,
        minReplicas: 1,
        priority: 0,
        for: 'high',
        forPriority: 9,
        resource: 'replicas',
      },
    });
    expect(victim && reasonSentence(victim)).toBe(
      '3 of 4 replicas that ran give way to high (priority 9 over 0), which needs the replicas; 1 would have stayed in any case.',
    );
  });

  it.each<[string, number[], AllocationRequest[]]>([
    ['never touches the minimum', [2, 4], [high(6), request('low', 4, 4, { minReplicas: 4 })]],
    ['takes no more than is needed', [2, 4], [high(2), request('low', 6, 6)]],
    ['takes nothing where a lower limit is all that changed', [1, 9], [high(1, 1), request('low', 9, 9)]],
    ['takes nothing within one priority', [0, 6], [request('a', 3), request('b', 6, 6)]],
    ['takes nothing from a higher priority', [6, 0], [high(6, 6), request('low', 3)]],
  ])('%s', (_, granted, requests) => {
    expect(replicas(requests, limits)).toEqual(granted);
  });

  it('names the one that it was done for, also where a third takes what is left over', () => {
    const memoryOnly = { ...limits, maxReplicas: null, capacity: { ...noLimits.capacity, memoryBytes: 10 } };
    const large = sized('large', 1, { memoryBytes: 9 }, { priority: 5 });
    const running = large.classes.map((entry) => ({ ...entry, current: 1 }));
    const { grants } = allocate(
      [
        sized('first', 1, { memoryBytes: 2 }, { priority: 9 }),
        { ...large, classes: running },
        sized('rest', 9, { memoryBytes: 1 }),
      ],
      memoryOnly,
      null,
    );
    expect(grants.map((grant) => grant.replicas)).toEqual([1, 0, 8]);
    expect(grants[1]?.reasons.at(-1)?.data).toMatchObject({ for: 'first', forPriority: 9, reclaimed: 1 });
  });

  it('is off by default', () => {
    expect(replicas([high(3), request('low', 6, 6)], { ...limits, preemption: false })).toEqual([0, 6]);
  });
});
