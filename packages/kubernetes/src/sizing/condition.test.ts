import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sizingCondition, type SizingFacts } from './condition.ts';
import { sizingSpec } from './podSizing.fixture.ts';
import type { HeldCode } from './reasons.ts';
import { heldReasons } from './reasons.ts';

const page = readFileSync(new URL('../../../../docs/kubernetes-sizing.md', import.meta.url), 'utf8');
/** Reasons and what they are with, as people read them. */
const shown = new Map(
  [...page.matchAll(/^\| `(\w+)` \| (True|False) \|/gm)].map(([, reason = '', status = '']) => [reason, status]),
);
const codes = Object.keys(heldReasons) as HeldCode[];
const amounts = { cpuMilli: 100, memoryBytes: 1024 ** 2 };
const bounds = { lowerBound: amounts, upperBound: amounts, uncappedTarget: amounts };
const recommendation = { containers: [{ name: 'main', target: amounts, ...bounds }] };
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null, freq: 2 });

const facts: fc.Arbitrary<SizingFacts> = fc.record({
  sizing: fc
    .constantFrom('never' as const, 'nextRollout' as const, 'inPlace' as const)
    .map((apply) => sizingSpec(apply)),
  mode: fc.constantFrom('control' as const, 'advice' as const),
  rival: maybe(fc.constant('vpa')),
  shares: fc.subarray(['cpu' as const, 'memory' as const]),
  told: maybe(fc.constant(recommendation)),
  early: fc.subarray(['main: 3 samples']),
  plan: maybe(
    fc.array(fc.constantFrom(...codes)).map((held) => ({
      patches: [],
      held: held.map((code) => ({ code, pod: {} as never })),
    })),
  ),
  template: maybe(
    fc.oneof(
      fc.constant({ changes: [] }),
      fc.constantFrom('fits' as const, 'runs' as const, 'no-template' as const).map((held) => ({ held })),
    ),
  ),
  refusal: maybe(fc.constant('no room')),
  isInPlaceServed: fc.boolean(),
  error: maybe(fc.constant('no metrics')),
  trouble: maybe(fc.constant('conflict')),
});

it('says of every state one thing that the page explains, with its status', () => {
  const said = new Set<string>();
  fc.assert(
    fc.property(facts, (state) => {
      const { type, reason, status, message } = sizingCondition(state);
      said.add(reason);
      expect([type, shown.get(reason)]).toEqual(['Sizing', status]);
      expect(message).not.toMatch(/^$|undefined|null|; ;/);
    }),
    { numRuns: 2000, seed: 7 },
  );
  // The last one is said where nothing of this runs.
  expect([...said, 'NotSwitchedOn'].sort()).toEqual([...shown.keys()].sort());
});
