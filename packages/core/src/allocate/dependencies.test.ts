import { describe, expect, it } from 'vitest';
import { reasonSentence } from '../explain/sentences.ts';
import { noLimits, request } from './allocate.fixture.ts';
import { allocate } from './allocate.ts';
import { dependences } from './dependencies.ts';
import type { AllocationRequest } from './types.ts';

const needs = (workload: string, ...names: string[]): AllocationRequest =>
  request(workload, 2, 0, { dependencies: names.map((name) => ({ workload: name, ready: name.endsWith('!') })) });

const found = (...requests: AllocationRequest[]) =>
  Object.fromEntries([...dependences(requests)].map(([name, { kind, path }]) => [name, `${kind} ${path.join(' > ')}`]));

describe('dependencies', () => {
  it('hold back until each has a ready replica, and tell what they wait for in turn', () => {
    const requests = [needs('a', 'b'), needs('b', 'x!', 'c'), needs('c', 'x!')];
    expect(found(...requests)).toEqual({ a: 'waits b > c', b: 'waits c' });
    const { grants } = allocate(requests, noLimits, null);
    expect(grants.map((grant) => grant.replicas)).toEqual([0, 0, 2]);
    expect(grants[0]?.reasons.map(reasonSentence)).toEqual([
      'Waiting for b to have a ready replica (which waits for c).',
    ]);
  });

  it.each<[string, AllocationRequest[], Record<string, string>]>([
    ['of two', [needs('a', 'b'), needs('b', 'a')], { a: 'cycle b > a', b: 'cycle a > b' }],
    ['of one', [needs('a', 'a')], { a: 'cycle a' }],
    [
      'with a way out and in',
      [needs('in', 'a'), needs('a', 'b'), needs('b', 'a', 'out'), needs('out')],
      { in: 'waits a', a: 'cycle b > a', b: 'waits out' },
    ],
    [
      'between two circles',
      [needs('a', 'b'), needs('b', 'a', 'm'), needs('m', 'x'), needs('x', 'y'), needs('y', 'x')],
      { a: 'cycle b > a', b: 'waits m > x', m: 'waits x', x: 'cycle y > x', y: 'cycle x > y' },
    ],
  ])('a circle %s holds nobody back', (_, requests, expected) => {
    expect(found(...requests)).toEqual(expected);
  });

  it('a circle starts within one round, and says why', () => {
    const { grants } = allocate([needs('a', 'b'), needs('b', 'a')], noLimits, null);
    expect(grants.map((grant) => grant.replicas)).toEqual([2, 2]);
    expect(grants[0]?.reasons.map(reasonSentence)).toEqual([
      'Its dependencies lead back to itself (b > a), so it does not wait for them.',
    ]);
  });

  it('may be a chain as long as there are workloads', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => needs(`w${i}`, `w${i + 1}`));
    expect(dependences(chain).get('w0')?.path).toHaveLength(8);
  });

  it('say nothing about a workload that starts nothing', () => {
    const dependencies = [{ workload: 'db', ready: false }];
    expect(allocate([request('a', 2, 2, { dependencies })], noLimits, null).grants[0]).toMatchObject({
      replicas: 2,
      reasons: [],
    });
  });
});
