import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPlan } from './checkPlan.ts';
import { greedyPlan, plan } from './plan.ts';
import { anyInput } from './placement.fixture.ts';
import type { PlacementInput, Plan } from './types.ts';

/** Pods left out, by priority, the highest first. */
function leftOut({ pods }: PlacementInput, { unplaceable }: Plan): number[] {
  const priorities = [...new Set(pods.map(({ priority }) => priority))].sort((a, b) => b - a);
  const out = new Set(unplaceable.flatMap((one) => one.pods));
  return priorities.map((priority) => pods.filter((pod) => pod.priority === priority && out.has(pod.id)).length);
}

describe('any plan', () => {
  it('without a solver can be carried out, has a true bound and is no worse than the greedy one', () => {
    fc.assert(
      fc.property(anyInput, fc.nat(), (input, seed) => {
        const made = plan(input, { solver: null, seed, workUnits: 60 });
        const greedy = greedyPlan(input);
        expect(checkPlan(input, made)).toEqual([]);
        expect(checkPlan(input, greedy)).toEqual([]);
        const [ours, theirs] = [leftOut(input, made), leftOut(input, greedy)];
        const first = ours.findIndex((count, i) => count !== theirs[i]);
        if (first < 0) expect(made.costPerHourMicro).toBeLessThanOrEqual(greedy.costPerHourMicro);
        expect(first < 0 || (ours[first] ?? 0) < (theirs[first] ?? 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('is the same again', () => {
    fc.assert(
      fc.property(anyInput, fc.nat(), (input, seed) => {
        const options = { solver: null, seed, workUnits: 60 };
        expect(plan(input, options)).toEqual(plan(structuredClone(input), options));
      }),
      { numRuns: 40 },
    );
  });
});
