import type { Json } from '@ebb/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { applyDelta, deltaOf } from './observationDelta.ts';

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);

it('leads from any value to any other, exactly, to the order of keys', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const kept = JSON.stringify(before);
      expect(JSON.stringify(applyDelta(before, deltaOf(before, after)))).toBe(JSON.stringify(after));
      expect(JSON.stringify(before)).toBe(kept);
    }),
    { numRuns: 1000 },
  );
});

it('names only what changed', () => {
  const before = { nowMs: 1, readings: [{ value: 0.5, atMs: 1 }], classes: { 'a/b': { held: 0 } } };
  const after = { nowMs: 2, readings: [{ value: 0.5, atMs: 2 }], classes: { 'a/b': { held: 3 } } };
  expect(deltaOf(before, after)).toEqual({ '/nowMs': 2, '/readings/0/atMs': 2, '/classes/a~1b/held': 3 });
  expect(deltaOf(before, before)).toEqual({});
});
