import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WorkloadInput } from '@ebb/documents';
import { comparableModel } from '../contract/model.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { policyDocuments } from '../policies/registry.ts';
import { haltonPoint } from './halton.ts';
import { isBeaten, isBetter, type Objective, paretoFront, type Rival } from './objective.ts';
import { search } from './search.ts';
import { documentsAt, editsOf, parameter, type Point, presentPoint, type TuningSpace, valuesAt } from './space.ts';
import { tuningSpace } from './spaces.ts';
import { Draws } from '../kernel/draws.ts';
import type { TuningRun } from './tuning.ts';

const model = comparableModel(60_000);

function run(amount: number, late: number, requests = 1000): TuningRun {
  const waitMs = { p50: 0, p95: 0, p99: 0, max: 0, mean: 0 };
  const share = 1 - late / requests;
  const more = { qualifies: share >= 0.99, costMicro: null, currency: null, coldStarts: 0, waitMs, digest: '' };
  return { values: {}, requests, late, onTimeShare: share, replicaSeconds: amount, amount, ...more };
}

function bowl(sizes: number[]): TuningSpace {
  const about = { kind: 'Workload' as const, write: (size: number) => size };
  return {
    policy: 'windows',
    parameters: ['a', 'b', 'c'].map((name) => parameter({ ...about, name, path: ['spec', name] }, 0, sizes)),
    fixed: [],
    documents: [],
    repair: (point) => point,
  };
}

test("Halton's points fill the cube, and the seed moves them", () => {
  const points = Array.from({ length: 64 }, (_, number) => haltonPoint(number, 3, 7));
  for (let dimension = 0; dimension < 3; dimension++) {
    const eighths = new Set(points.map((point) => Math.floor((point[dimension] ?? 0) * 8)));
    expect(eighths.size).toBe(8);
  }
  expect(haltonPoint(3, 2, 7)).toEqual(points[3]?.slice(0, 2));
  expect(haltonPoint(3, 2, 8)).not.toEqual(haltonPoint(3, 2, 7));
});

test('finds the bottom of a bowl of 4,913 points with 60 runs, whatever the seed, and asks for no point twice', async () => {
  const space = bowl(Array.from({ length: 17 }, (_, index) => index));
  for (const seed of [1, 2, 3, 4, 5]) {
    const asked: string[] = [];
    const evaluate = (point: Point) => {
      asked.push(point.join());
      const [a = 0, b = 0, c = 0] = point;
      return Promise.resolve(run(10 + (a - 11) ** 2 + (b - 3) ** 2 + 2 * (c - 8) ** 2, 0));
    };
    const found = await search({
      space,
      objective: { lateness: null, onTimeShare: 0.99 },
      seed,
      runs: 60,
      evaluate,
      isOver: () => false,
    });
    expect(found.best.run.amount).toBeLessThanOrEqual(12);
    expect(asked.length).toBeLessThanOrEqual(60);
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked[0]).toBe('0,0,0');
  }
});

test('changes that gain nothing are taken back', async () => {
  const space = bowl([0, 1, 2, 3, 4]);
  const evaluate = ([a = 0]: Point) => Promise.resolve(run(10 + (a - 3) ** 2, 0));
  const options = { space, objective: { lateness: null, onTimeShare: 0.99 }, seed: 3, runs: 40, isOver: () => false };
  expect((await search({ ...options, evaluate })).best.point).toEqual([3, 0, 0]);
});

/** How a made-up setting comes to its end: requests that are late and time that is paid, at each of twenty moments. */
function course(seed: number, point: Point): { late: number; paid: number }[] {
  const draws = new Draws(seed, point.join());
  const [spread, dear] = [draws.next() ** 4, 0.2 + draws.next()];
  let [late, paid] = [0, 0];
  return Array.from({ length: 20 }, () => {
    if (draws.next() < spread) late += Math.floor(draws.next() * 6);
    // Small whole numbers: many settings cost the same.
    paid += Math.round(dear * draws.next() * 3);
    return { late, paid };
  });
}

const objectives: Objective[] = [
  { lateness: null, onTimeShare: 0.99 },
  { lateness: null, onTimeShare: 1 },
  { lateness: null, onTimeShare: 0.5 },
  { lateness: { replicaSeconds: 0.7 }, onTimeShare: 0.99 },
];

test('with runs that are ended once they are beaten the search goes the same way to the same point', async () => {
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.constantFrom(...objectives),
      fc.integer({ min: 4, max: 60 }),
      fc.integer({ min: 2, max: 6 }),
      async (seed, objective, runs, sizes) => {
        const space = bowl(Array.from({ length: sizes }, (_, index) => index));
        const found = await Promise.all(
          [true, false].map(async (isRace) => {
            const asked: string[] = [];
            const evaluate = (point: Point, _: number, best: TuningRun | null) => {
              asked.push(point.join());
              const steps = course(seed, point);
              const rival: Rival | null = best && isRace ? { objective, best, leastMicroPerSecond: 0 } : null;
              for (const [step, { late, paid }] of steps.entries()) {
                const soFar = { nowMs: step, late, replicaSeconds: paid, costMicro: null };
                if (!rival || !isBeaten(soFar, rival)) continue;
                ended++;
                return Promise.resolve({ values: {}, share: step / 20, late, replicaSeconds: paid, costMicro: null });
              }
              const { late = 0, paid = 0 } = steps.at(-1) ?? {};
              const price = objective.lateness && 'replicaSeconds' in objective.lateness ? 0.7 : 0;
              return Promise.resolve({ ...run(paid + late * price, late), replicaSeconds: paid });
            };
            const { best } = await search({ space, objective, seed, runs, evaluate, isOver: () => false });
            return { best, asked };
          }),
        );
        expect(found[0]).toEqual(found[1]);
      },
    ),
    { numRuns: 300 },
  );
  expect(ended).toBeGreaterThan(1000);
});

test('what money will cost at least: a late request in replica life is priced by the cheapest class', () => {
  const objective: Objective = { lateness: { replicaSeconds: 10 }, onTimeShare: 0.99 };
  const soFar = { nowMs: 1, late: 3, replicaSeconds: 100, costMicro: '1000' };
  const rival = (amount: number): Rival => ({ objective, best: run(amount, 0), leastMicroPerSecond: 4 });
  // 1000 and three times ten seconds at 4 less half a micro-unit over 100 s.
  const least = 1000 + 30 * (4 - 0.005);
  expect(isBeaten(soFar, rival((least - 0.1) / 1.002))).toBe(true);
  expect(isBeaten(soFar, rival((least + 0.1) / 1.002))).toBe(false);
});

test('ends when time is over, with the best so far', async () => {
  let asked = 0;
  const evaluate = () => Promise.resolve(run(10 - ++asked, 0));
  const space = bowl([0, 1, 2, 3, 4]);
  const options = { space, objective: { lateness: null, onTimeShare: 0.99 }, seed: 1, runs: 60 };
  const found = await search({ ...options, evaluate, isOver: () => asked >= 1 });
  expect(found.tried).toHaveLength(1);
});

test('better is: keeps the promise, then cheaper; with a price of lateness only the sum counts', () => {
  const objective = { lateness: null, onTimeShare: 0.99 };
  expect(isBetter(run(200, 5), run(100, 50), objective)).toBe(true);
  expect(isBetter(run(100, 5), run(200, 0), objective)).toBe(true);
  // 9 of 10 allowed ones leave no room for what is new.
  expect(isBetter(run(100, 9), run(110, 5), objective)).toBe(false);
  expect(isBetter(run(100, 9), run(110, 5), objective, false)).toBe(true);
  expect(isBetter(run(300, 20), run(100, 50), objective)).toBe(true);
  expect(isBetter(run(100, 500), run(101, 0), { lateness: { micro: 0 }, onTimeShare: 0.99 })).toBe(true);
});

test('on the front nothing is at once cheaper and less late', () => {
  const front = paretoFront([run(5, 9), run(1, 30), run(6, 9), run(2, 30), run(9, 0), run(10, 1)]);
  expect(front.map(({ amount, late }) => [amount, late])).toEqual([
    [1, 30],
    [5, 9],
    [9, 0],
  ]);
});

const base = comparableWorkload('model', model);
const made = (policy: string, workload: WorkloadInput = base) =>
  policyDocuments(policy, workload, { model, maxReplicas: 50 });

test.each([
  ['windows', made('windows'), undefined],
  ['priced', made('priced'), undefined],
  ['priced', made('knative'), 'priced'],
  ['knative', made('knative'), undefined],
  ['knative', made('windows'), 'knative'],
  ['windows', made('knative'), 'windows'],
  ['keepalive', made('windows'), 'keepalive'],
  ['keda', made('keda'), undefined],
])(
  '%s: every corner of its space is a valid document, and the present point changes nothing',
  (name, documents, policy) => {
    const space = tuningSpace(documents, policy);
    expect(space.policy).toBe(name);
    expect(editsOf(space, presentPoint(space))).toEqual(space.fixed);
    for (const number of [0, 99]) {
      const point = space.repair(space.parameters.map(({ sizes }) => Math.min(number, sizes.length - 1)));
      const all = documentsAt(space, point);
      // Reads the documents again and throws where one is not valid.
      const again = tuningSpace(all, policy);
      expect(valuesAt(again, presentPoint(again))).toEqual(valuesAt(space, point));
    }
  },
);

test('what cannot be tuned is refused with what can', () => {
  expect(() => tuningSpace(made('windows'), 'knativ')).toThrow(
    /"knativ" cannot be tuned; there are .*windows, keda.*did you mean knative/,
  );
  expect(() => tuningSpace(made('windows'), 'keda')).toThrow(/just one ScaledObject.*there are 0/);
  expect(() => tuningSpace(made('keda'), 'windows')).toThrow(/ScaledObject scales the Workload/);
  expect(() => tuningSpace([])).toThrow(/one Workload.*there are 0/);
});
