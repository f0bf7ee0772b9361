import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

test.each([
  ['minReplica', ['minReplicas', 'maxReplicas'], 'minReplicas'],
  ['MinReplicas', ['minReplicas', 'maxReplicas'], 'minReplicas'],
  ['min_replicas', ['minReplicas', 'maxReplicas'], 'minReplicas'],
  ['roundrobin', ['leastConnections', 'roundRobin'], 'roundRobin'],
  ['prot', ['port', 'probes'], 'port'],
  ['path', ['host', 'pathPrefix'], 'pathPrefix'],
  ['replicas', ['minReplicas', 'cluster'], 'minReplicas'],
  ['zzz', ['port', 'probes'], undefined],
  ['', ['port'], undefined],
  ['port', ['port'], undefined],
])('nearest to %s among %j', (name, candidates, expected) => {
  expect(nearest(name, candidates)).toBe(expected);
});

test('a very long name is not compared at all', () => {
  expect(nearest('p'.repeat(1_000_000), ['p'.repeat(1_000_001)])).toBeUndefined();
});

test('distances', () => {
  expect(editDistance('prot', 'port')).toBe(1);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
});

test('one deletion or one swap is a distance of at most one', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 2, maxLength: 20 }), fc.nat(18), (text, position) => {
      const at = position % (text.length - 1);
      expect(editDistance(text, text.slice(0, at) + text.slice(at + 1))).toBe(1);
      const swapped = text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2);
      expect(editDistance(text, swapped)).toBeLessThanOrEqual(1);
    }),
  );
});
