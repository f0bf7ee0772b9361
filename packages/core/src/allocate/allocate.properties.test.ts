import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noLimits, sized } from './allocate.fixture.ts';
import { allocate } from './allocate.ts';
import { claimsOf, give, lackedBy } from './claim.ts';
import { openRooms } from './room.ts';
import type { AllocationLimits, AllocationRequest, Quota } from './types.ts';

const teams = ['red', 'blue', 'green'];
const anyLimit = (max: number) => fc.option(fc.nat(max), { freq: 2 });
const anyCapacity = fc.record({ cpuMilli: anyLimit(40), memoryBytes: anyLimit(60), gpuMilli: anyLimit(8) });

const anyQuota: fc.Arbitrary<Quota> = fc.record({
  name: fc.constantFrom('q1', 'q2'),
  scope: fc.oneof(
    fc.constantFrom(...teams).map((namespace) => ({ namespace })),
    fc.constantFrom(...teams).map((team) => ({ label: ['tier', team] as [string, string] })),
  ),
  maxReplicas: anyLimit(12),
  capacity: anyCapacity,
  maxPricePerHourMicro: anyLimit(30),
  weight: fc.constantFrom(0, 1, 2, 5),
});

const anyLimits = (preemption: fc.Arbitrary<boolean>): fc.Arbitrary<AllocationLimits> =>
  fc.record({
    maxReplicas: anyLimit(30),
    capacity: anyCapacity,
    maxPricePerHourMicro: anyLimit(50),
    quotas: fc.array(anyQuota, { maxLength: 3 }),
    jobCaps: fc.array(
      fc.record({ name: fc.constant('cap'), max: fc.nat(6), members: fc.subarray(['w0', 'w1', 'w2', 'w5']) }),
      { maxLength: 2 },
    ),
    preemption,
  });

const anyClass = fc.record({
  wanted: fc.nat(9),
  current: fc.nat(6),
  requests: fc.record({ cpuMilli: fc.nat(4), memoryBytes: fc.nat(9), gpuMilli: fc.nat(1) }),
  pricePerHourMicro: fc.nat(5),
});

const anyRequests: fc.Arbitrary<AllocationRequest[]> = fc
  .array(
    fc.record({
      priority: fc.nat(2),
      minReplicas: fc.nat(3),
      namespace: fc.constantFrom(...teams),
      labels: fc.constantFrom(...teams).map((tier) => ({ tier })),
      classes: fc.array(anyClass, { minLength: 1, maxLength: 2 }),
      waits: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((entries) =>
    entries.map(({ waits, classes, ...entry }, i) => ({
      ...entry,
      workload: `w${i}`,
      classes: classes.map((each, index) => ({ ...each, name: `c${index}` })),
      dependencies: waits && i % 3 === 0 ? [{ workload: 'db', ready: false }] : [],
    })),
  );

/** The rooms as they are with these replicas in them. */
function fill(
  requests: AllocationRequest[],
  limits: AllocationLimits,
  count: (request: number, name: string) => number,
) {
  const claims = claimsOf(requests, openRooms(limits));
  for (const [i, claim] of claims.entries()) {
    for (const entry of claim.classes) give(claim, entry, count(i, entry.name));
  }
  return claims;
}

describe('whatever is asked, allocate', () => {
  it('stays within what is wanted and every limit, keeps what runs, and leaves nothing that fits', () => {
    fc.assert(
      fc.property(anyRequests, anyLimits(fc.constant(false)), (requests, limits) => {
        const { grants } = allocate(requests, limits, null);
        const after = fill(requests, limits, (i, name) => grants[i]?.classes[name] ?? 0);
        const before = fill(requests, limits, (i, name) => {
          const entry = requests[i]?.classes.find((each) => each.name === name);
          return Math.min(entry?.wanted ?? 0, entry?.current ?? 0);
        });
        for (const [i, claim] of after.entries()) {
          const isWaiting = requests[i]?.dependencies.length !== 0;
          for (const entry of claim.classes) {
            expect(entry.granted).toBeGreaterThanOrEqual(entry.kept);
            expect(entry.granted).toBeLessThanOrEqual(isWaiting ? entry.kept : entry.wanted);
            if (entry.granted < entry.wanted && !isWaiting) expect(lackedBy(claim, entry)).not.toEqual([]);
          }
          claim.rooms.forEach((room, index) => {
            expect(room.left).toBeGreaterThanOrEqual(Math.min(0, before[i]?.rooms[index]?.left ?? 0));
          });
          const isShort = claim.granted < claim.wanted;
          expect(grants[i]?.reasons.length ?? 0).toBeGreaterThanOrEqual(isShort ? 1 : 0);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('with preemption keeps minimum and limits, leaves nothing that fits, and takes only for a higher priority', () => {
    fc.assert(
      fc.property(anyRequests, anyLimits(fc.constant(true)), (requests, limits) => {
        const { grants } = allocate(requests, limits, null);
        const after = fill(requests, limits, (i, name) => grants[i]?.classes[name] ?? 0);
        for (const [i, claim] of after.entries()) {
          expect(claim.granted).toBeGreaterThanOrEqual(Math.min(claim.kept, claim.minReplicas));
          for (const entry of claim.classes) {
            expect(entry.granted).toBeLessThanOrEqual(entry.wanted);
            if (entry.granted > entry.kept) {
              const isIn = (index: number) => (entry.each[index] ?? 0) > 0;
              claim.rooms.forEach((room, index) => {
                if (isIn(index)) expect(room.left).toBeGreaterThanOrEqual(0);
              });
            }
            if (entry.granted < entry.wanted && requests[i]?.dependencies.length === 0) {
              expect(lackedBy(claim, entry)).not.toEqual([]);
            }
          }
          if (claim.granted >= claim.kept) continue;
          const growers = after.filter(
            (other) => other.priority > claim.priority && other.classes.some((entry) => entry.granted > entry.kept),
          );
          expect(growers).not.toEqual([]);
          const victim = grants[i]?.reasons.find((reason) => reason.code === 'grant-preempted');
          expect(growers.map((other) => other.workload)).toContain(victim?.data.for);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the same whatever the order of the requests, and the same again', () => {
    const shuffled = anyRequests.chain((requests) =>
      fc.tuple(fc.constant(requests), fc.shuffledSubarray(requests, { minLength: requests.length })),
    );
    fc.assert(
      fc.property(shuffled, anyLimits(fc.boolean()), ([requests, other], limits) => {
        const first = allocate(requests, limits, null);
        const second = allocate(other, limits, null);
        const byName = new Map(second.grants.map((grant) => [grant.workload, grant]));
        expect(requests.map(({ workload }) => byName.get(workload))).toEqual(first.grants);
        expect(second.memory).toEqual(first.memory);
        const again = allocate(requests, limits, first.memory);
        expect(allocate(requests, limits, second.memory)).toEqual(again);
        expect(allocate(other, limits, first.memory).memory).toEqual(again.memory);
      }),
    );
  });

  it('asks for nothing new once its grants run', () => {
    fc.assert(
      fc.property(anyRequests, anyLimits(fc.boolean()), (requests, limits) => {
        const { grants, memory } = allocate(requests, limits, null);
        const running = requests.map((request, i) => ({
          ...request,
          classes: request.classes.map((entry) => ({ ...entry, current: grants[i]?.classes[entry.name] ?? 0 })),
        }));
        expect(allocate(running, limits, memory).grants.map((grant) => grant.classes)).toEqual(
          grants.map((grant) => grant.classes),
        );
      }),
    );
  });

  it('never gives fewer replicas in total when a limit on replicas is raised', () => {
    const onReplicas = fc.record({
      maxReplicas: fc.nat(30),
      quotas: fc.uniqueArray(fc.record({ team: fc.constantFrom(...teams), max: fc.nat(12) }), {
        selector: ({ team }) => team,
      }),
    });
    const limitsOf = ({ maxReplicas, quotas }: { maxReplicas: number; quotas: { team: string; max: number }[] }) => ({
      ...noLimits,
      maxReplicas,
      quotas: quotas.map(({ team, max }) => ({ name: team, scope: { namespace: team }, maxReplicas: max })),
    });
    const total = (requests: AllocationRequest[], limits: AllocationLimits) =>
      allocate(requests, limits, null).grants.reduce((sum, grant) => sum + grant.replicas, 0);
    fc.assert(
      fc.property(anyRequests, onReplicas, fc.nat(5), fc.nat(5), (requests, limits, more, moreOfFirst) => {
        const raised = {
          maxReplicas: limits.maxReplicas + more,
          quotas: limits.quotas.map((quota, i) => (i === 0 ? { ...quota, max: quota.max + moreOfFirst } : quota)),
        };
        expect(total(requests, limitsOf(raised))).toBeGreaterThanOrEqual(total(requests, limitsOf(limits)));
      }),
    );
  });

  it('may give fewer in total when a limit is raised that large replicas were held back by', () => {
    // Why the property above is about replicas only: sizes that differ make it a packing, and fairness comes first.
    const requests = [
      sized('large', 1, { cpuMilli: 20, memoryBytes: 10 }, { priority: 1 }),
      sized('small', 10, { cpuMilli: 1, memoryBytes: 1 }),
    ];
    const limits = (cpuMilli: number) => ({ ...noLimits, capacity: { cpuMilli, memoryBytes: 10, gpuMilli: null } });
    const granted = (cpuMilli: number) =>
      allocate(requests, limits(cpuMilli), null).grants.map((grant) => grant.replicas);
    expect([granted(10), granted(30)]).toEqual([
      [0, 10],
      [1, 0],
    ]);
  });

  it('shares replicas to within one, however many there are', () => {
    const anyWanted = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(anyWanted, fc.nat(20_000), (wanted, maxReplicas) => {
        const requests = wanted.map((each, i) => sized(`w${i}`, each, {}));
        const granted = allocate(requests, { ...noLimits, maxReplicas }, null).grants.map((grant) => grant.replicas);
        const most = Math.max(...granted);
        granted.forEach((each, i) => {
          if (each < (wanted[i] ?? 0)) expect(each).toBeGreaterThanOrEqual(most - 1);
        });
        const sum = granted.reduce((left, right) => left + right, 0);
        expect(sum).toBe(
          Math.min(
            maxReplicas,
            wanted.reduce((left, right) => left + right, 0),
          ),
        );
      }),
    );
  });

  it('shares between groups by weight, however many there are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 30 }),
        fc.nat(9000),
        (red, blue, members, maxReplicas) => {
          const weights: Record<string, number> = { red, blue };
          const quotas = ['red', 'blue'].map((team) => ({
            name: team,
            scope: { namespace: team },
            weight: weights[team] ?? 1,
          }));
          const requests = [
            sized('alone', 10_000, {}, { namespace: 'red' }),
            ...Array.from({ length: members }, (_, i) => sized(`one-of-many-${i}`, 10_000, {}, { namespace: 'blue' })),
          ];
          const { grants } = allocate(requests, { ...noLimits, maxReplicas, quotas }, null);
          const exact = (maxReplicas * red) / (red + blue);
          expect(Math.abs((grants[0]?.replicas ?? 0) - exact)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('starves no member of a job cap, however long the jobs of each run', () => {
    const anyLengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(anyLengths, fc.integer({ min: 1, max: 4 }), (lengths, max) => {
        const jobs = lengths.map(() => [] as number[]);
        const lastServed = lengths.map(() => 0);
        const limits = { ...noLimits, jobCaps: [{ name: 'shared', max, members: lengths.map((_, i) => `w${i}`) }] };
        let memory: ReturnType<typeof allocate>['memory'] | null = null;
        for (let round = 1; round <= 100; round++) {
          const running = jobs.map((ends) => ends.filter((end) => end > round));
          const requests = running.map((ends, i) => {
            const request = sized(`w${i}`, ends.length + 2, {});
            return { ...request, classes: request.classes.map((entry) => ({ ...entry, current: ends.length })) };
          });
          const result = allocate(requests, limits, memory);
          memory = result.memory;
          result.grants.forEach((grant, i) => {
            const started = grant.replicas - (running[i]?.length ?? 0);
            if (started > 0) lastServed[i] = round;
            jobs[i] = [...(running[i] ?? []), ...Array<number>(started).fill(round + (lengths[i] ?? 1))];
          });
          // A job slot comes free at least every five rounds; each of the others may be served twice before.
          for (const [i, last] of lastServed.entries()) {
            if ((jobs[i]?.length ?? 0) === 0) expect(round - last).toBeLessThanOrEqual(2 * 5 * lengths.length);
          }
        }
      }),
    );
  });
});
