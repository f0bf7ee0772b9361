import { describe, expect, it } from 'vitest';
import type { Memory } from '../replicas/types.ts';
import { noLimits, request } from './allocate.fixture.ts';
import { allocate } from './allocate.ts';
import type { AllocationLimits } from './types.ts';

/** Plays rounds in which every job started in the round before has ended; returns how often each was served. */
function play(names: string[], limits: AllocationLimits, rounds: number): { served: number[]; memory: Memory | null } {
  const served = names.map(() => 0);
  let memory: Memory | null = null;
  for (let round = 0; round < rounds; round++) {
    const result = allocate(
      names.map((name) => request(name, 9)),
      limits,
      memory,
    );
    memory = JSON.parse(JSON.stringify(result.memory)) as Memory;
    result.grants.forEach((grant, i) => {
      served[i] = (served[i] ?? 0) + grant.replicas;
    });
  }
  return { served, memory };
}

describe('a shared job cap', () => {
  const cap = (max: number, members: string[]) => ({ ...noLimits, jobCaps: [{ name: 'gpu', max, members }] });

  it('counts running and new jobs of all members, and no others', () => {
    const requests = [request('a', 5, 2), request('b', 5), request('c', 5)];
    const { grants } = allocate(requests, cap(4, ['a', 'b']), null);
    expect(grants.map((grant) => grant.replicas)).toEqual([2, 2, 5]);
    expect(grants[1]?.reasons[0]).toMatchObject({
      code: 'grant-job-cap',
      data: { name: 'gpu', limit: 4, used: 4, wanted: 5, granted: 2, limitNeeded: 7, holder1: 'a', holder1Amount: 2 },
    });
  });

  it.each([
    [1, 3],
    [2, 3],
    [3, 2],
    [5, 3],
    [3, 5],
    [4, 7],
  ])('of %d serves each of %d members equally often over rounds', (max, members) => {
    const names = Array.from({ length: members }, (_, i) => `job${i}`);
    const { served } = play(names, cap(max, names), members * 10);
    expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(1);
  });

  it('does not let other workloads, served every round, disturb the order', () => {
    const names = ['a', 'b', 'c', 'd'];
    const { served } = play(names, cap(1, ['a', 'c', 'd']), 30);
    expect(served).toEqual([10, 270, 10, 10]);
  });
});

describe('memory', () => {
  it('keeps nothing when everybody has what they want', () => {
    const { memory } = allocate([request('a', 3)], noLimits, { version: 1, policy: 'caps' });
    expect(memory).toEqual({ version: 1, policy: 'fair-share', line: [], after: '' });
  });

  it('stays within 16 KB, and nobody starves, however many wait', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `cluster/a-rather-long-namespace/workload-${i}`);
    const { served, memory } = play(names, { ...noLimits, maxReplicas: 100 }, 30);
    expect(JSON.stringify(memory).length).toBeLessThan(16 * 1024);
    expect(Math.min(...served)).toBeGreaterThan(0);
  });

  it.each<[string, Memory]>([
    ['another version', { version: 2, policy: 'fair-share', line: ['b'], after: '' }],
    ['another policy', { version: 1, policy: 'caps', line: ['b'], after: '' }],
    ['a broken shape', { version: 1, policy: 'fair-share', line: { b: 1 }, after: 3 }],
  ])('of %s is forgotten', (_, memory) => {
    const limits = { ...noLimits, maxReplicas: 1 };
    const { grants } = allocate([request('a', 1), request('b', 1)], limits, memory);
    expect(grants.map((grant) => grant.replicas)).toEqual([1, 0]);
  });
});
