import { expect, it } from 'vitest';
import { findCycle, neededBy } from './dependencies.ts';

const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

it('finds the cycle through a workload, and none elsewhere', () => {
  const cyclic = graph({ a: ['b', 'c'], b: ['d'], c: ['a'], d: ['e'], e: ['d'] });
  expect(findCycle(cyclic, 'a')).toEqual(['a', 'c', 'a']);
  expect(findCycle(cyclic, 'b')).toBeNull();
  expect(findCycle(cyclic, 'd')).toEqual(['d', 'e', 'd']);
  expect(findCycle(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }), 'a')).toBeNull();
  expect(findCycle(graph({ a: ['a'] }), 'a')).toEqual(['a', 'a']);
});

it('spreads need along the whole chain, once each', () => {
  const chain = graph({ a: ['b'], b: ['c', 'd'], c: ['d'], d: [], x: ['y'] });
  const needed = neededBy(chain, ['a']);
  expect([...needed.keys()].sort()).toEqual(['b', 'c', 'd']);
  expect(needed.get('b')).toBe('a');
  expect(neededBy(chain, [])).toEqual(new Map());
});
