import { checkPlan, greedyPlan, type Plan, plan, type PlacementInput } from '@ebb/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  anyInput,
  gib,
  input,
  machine,
  nvidia,
  pod,
  pods,
  pool,
} from '../../core/src/nodes/placement/placement.fixture.ts';
import { highsSolver } from './highsSolver.ts';
import { openPlanner, workUnitsOf } from './planner.ts';
import { simplexSolver } from './simplexSolver.ts';

const highs = await highsSolver();

/** Pods left out, by priority, the highest first. */
function leftOut({ pods: asked }: PlacementInput, { unplaceable }: Plan): number[] {
  const priorities = [...new Set(asked.map(({ priority }) => priority))].sort((a, b) => b - a);
  const out = new Set(unplaceable.flatMap((one) => one.pods));
  return priorities.map((priority) => asked.filter((one) => one.priority === priority && out.has(one.id)).length);
}

it.each([
  [highs, 40],
  [simplexSolver(), 20],
])(
  'with a solver any plan can be carried out, has a true bound and is no worse than the greedy one (%#)',
  (solver, numRuns) => {
    fc.assert(
      fc.property(anyInput, fc.nat(), (some, seed) => {
        const made = plan(some, { solver, seed, workUnits: 400 });
        const greedy = greedyPlan(some);
        expect(checkPlan(some, made)).toEqual([]);
        const [ours, theirs] = [leftOut(some, made), leftOut(some, greedy)];
        const first = ours.findIndex((count, i) => count !== theirs[i]);
        if (first < 0) {
          expect(made.costPerHourMicro).toBeLessThanOrEqual(greedy.costPerHourMicro);
          // Both place as many of each priority, but perhaps others: where all are placed, one bound holds for both.
          if (made.unplaceable.length === 0) expect(made.lowerBoundMicro).toBeLessThanOrEqual(greedy.costPerHourMicro);
        } else expect(ours[first] ?? 0).toBeLessThan(theirs[first] ?? 0);
      }),
      { numRuns },
    );
  },
);

/** Cheapest way to pack a few pods, by trying every partition: pods that share a node, each on its cheapest kind. */
function cheapest({ pods: asked, pools }: PlacementInput): number {
  const kinds = pools.flatMap(({ offerings }) => offerings.map(({ offering }) => offering));
  const costs = (group: typeof asked) => {
    const cpu = group.reduce((sum, { cpuMilli }) => sum + cpuMilli, 0);
    const memory = group.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    const gpus = group.reduce((sum, { gpu }) => sum + (gpu?.kind === 'whole' ? gpu.count : 0), 0);
    const fits = kinds.filter(
      ({ instanceType: type }) => type.cpuMilli >= cpu && type.memoryBytes >= memory && (type.gpu?.count ?? 0) >= gpus,
    );
    return Math.min(...fits.map(({ pricePerHourMicro }) => pricePerHourMicro));
  };
  let least = Number.POSITIVE_INFINITY;
  const walk = (index: number, groups: (typeof asked)[number][][]) => {
    const one = asked[index];
    if (one === undefined) {
      least = Math.min(
        least,
        groups.reduce((sum, group) => sum + costs(group), 0),
      );
      return;
    }
    for (const group of groups) {
      group.push(one);
      walk(index + 1, groups);
      group.pop();
    }
    walk(index + 1, [...groups, [one]]);
  };
  walk(0, []);
  return least;
}

const anySmall = fc
  .record({
    sizes: fc.array(
      fc.record({
        cpu: fc.constantFrom(900, 1500, 2100, 3000),
        gib: fc.integer({ min: 1, max: 9 }),
        gpus: fc.constantFrom(0, 0, 1),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    prices: fc.tuple(
      fc.integer({ min: 5, max: 12 }),
      fc.integer({ min: 14, max: 30 }),
      fc.integer({ min: 40, max: 90 }),
    ),
  })
  .map(({ sizes, prices: [small, large, gpu] }) =>
    input({
      pods: sizes.map(({ cpu, gib: memory, gpus }, i) =>
        pod(`p${i}`, {
          cpuMilli: cpu,
          memoryBytes: memory * gib,
          gpu: gpus > 0 ? { kind: 'whole', count: gpus, vendor: null, minMemoryBytes: 0 } : null,
        }),
      ),
      pools: [
        pool('p', [
          { type: machine('small', 3, 9), price: small / 10 },
          { type: machine('large', 8, 24), price: large / 10 },
          { type: machine('gpu', 8, 32, nvidia('L4', 2, 24)), price: gpu / 10 },
        ]),
      ],
    }),
  );

it('the bound is never above the cheapest plan there is, and the plan is near it', () => {
  let excess = 0;
  let runs = 0;
  fc.assert(
    fc.property(anySmall, (some) => {
      const best = cheapest(some);
      const made = plan(some, { solver: highs, seed: 1, workUnits: 1000 });
      expect(checkPlan(some, made)).toEqual([]);
      expect(made.lowerBoundMicro).toBeLessThanOrEqual(best);
      expect(made.costPerHourMicro).toBeGreaterThanOrEqual(best);
      excess += made.costPerHourMicro / best - 1;
      runs++;
    }),
    { numRuns: 25 },
  );
  expect(excess / runs).toBeLessThan(0.01);
});

it('plans in a thread, one after the other, and says what went wrong', async () => {
  const planner = openPlanner();
  try {
    const some = input({ pods: pods(30, 'w'), pools: [pool('p', [{ type: machine('m', 4, 16), price: 0.2 }])] });
    const request = { input: some, seed: 1, workUnits: workUnitsOf(40), solver: 'highs' as const };
    const broken = { ...request, input: { ...some, pods: [null] } } as unknown as typeof request;
    const [made, failure, again] = await Promise.allSettled([
      planner.plan(request),
      planner.plan(broken),
      planner.plan(request),
    ]);
    expect(made).toEqual(again);
    expect(made).toMatchObject({ status: 'fulfilled', value: { costPerHourMicro: 1_600_000, solver: 'highs' } });
    expect(failure.status).toBe('rejected');
  } finally {
    await planner.close();
  }
  await expect(planner.plan({ input: input({}), seed: 1, workUnits: 1, solver: 'none' })).rejects.toThrow('closed');
});
