import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate } from './allocate.ts';
import type { AllocationLimits, AllocationRequest } from './types.ts';

const noLimits: AllocationLimits = {
  maxReplicas: null,
  capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
  maxPricePerHourMicro: null,
};

function request(
  workload: string,
  wanted: number,
  current = 0,
  more: Partial<AllocationRequest> = {},
): AllocationRequest {
  const requests = { cpuMilli: 500, memoryBytes: 1000, gpuMilli: 0 };
  return {
    workload,
    priority: 0,
    minReplicas: 0,
    dependencies: [],
    classes: [{ name: 'default', wanted, current, requests, pricePerHourMicro: 70_000 }],
    ...more,
  };
}

const replicas = (requests: AllocationRequest[], limits: AllocationLimits) =>
  allocate(requests, limits, null).grants.map((grant) => grant.replicas);

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
      data: { dependency: 'local/default/db' },
    });
  });

  it('never gives more than is wanted, nor less than what runs and is wanted while that fits, nor beyond a limit', () => {
    const anyRequest = fc.record({ wanted: fc.nat(8), current: fc.nat(8), priority: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(anyRequest, { maxLength: 6 }), fc.nat(20), (entries, maxReplicas) => {
        const requests = entries.map(({ wanted, current, priority }, i) =>
          request(`w${i}`, wanted, current, { priority }),
        );
        const { grants } = allocate(requests, { ...noLimits, maxReplicas }, null);
        const running = entries.reduce((sum, entry) => sum + Math.min(entry.wanted, entry.current), 0);
        const total = grants.reduce((sum, grant) => sum + grant.replicas, 0);
        expect(total).toBeLessThanOrEqual(Math.max(maxReplicas, running));
        grants.forEach((grant, i) => {
          const { wanted, current } = entries[i] ?? { wanted: 0, current: 0 };
          expect(grant.replicas).toBeLessThanOrEqual(wanted);
          expect(grant.replicas).toBeGreaterThanOrEqual(Math.min(wanted, current));
        });
        const unmet = grants.some((grant, i) => grant.replicas < (entries[i]?.wanted ?? 0));
        if (unmet) expect(total).toBeGreaterThanOrEqual(Math.min(maxReplicas, total));
        if (unmet && running <= maxReplicas) expect(total).toBe(maxReplicas);
      }),
    );
  });
});
