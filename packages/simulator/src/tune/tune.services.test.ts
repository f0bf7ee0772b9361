import { describe, expect, test } from 'vitest';
import { comparableModel } from '../contract/model.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { policyDocuments } from '../policies/registry.ts';
import { traceOf } from '../run/simulate.fixture.ts';
import { renderTuning } from './page.ts';
import { tuningSentences } from './sentences.ts';
import { tuningSpace } from './spaces.ts';
import { tune } from './tune.ts';
import type { TuneOptions } from './tuning.ts';

const model = { ...comparableModel(20_000), onTimeShare: 0.9 };
const base = comparableWorkload('model', model);

/** A burst of requests, one a second, every so many seconds. */
function bursts(fromSeconds: number, toSeconds: number, everySeconds: number, length: number) {
  const rows: { atUs: number; tokens: number }[] = [];
  for (let at = fromSeconds; at + length <= toSeconds; at += everySeconds) {
    for (let second = 0; second < length; second++) rows.push({ atUs: (at + second) * 1e6, tokens: 40 });
  }
  return rows;
}

const hour = 3600;
const steady = traceOf([...bursts(10, 2 * hour, 300, 100), { atUs: 2 * hour * 1e6, tokens: 1 }]);

/** How long a replica is kept after it was last needed, and how many are never stopped; or one of the two. */
function keepAlive(length: string, only?: string) {
  const space = tuningSpace(policyDocuments(`keepalive:${length}`, base, { model, maxReplicas: 4 }), 'keepalive');
  return { ...space, parameters: space.parameters.filter(({ name }) => only === undefined || name.endsWith(only)) };
}

function options(more: Partial<TuneOptions> = {}): TuneOptions {
  return {
    trace: { trace: steady },
    space: keepAlive('1m'),
    model,
    seed: 1,
    split: 0.5,
    runs: 8,
    threads: 2,
    startReplicas: 0,
    ...more,
  };
}

describe('tune', { timeout: 120_000 }, () => {
  test('finds what holds on the part that it has not seen, the same with any number of threads', async () => {
    const seen: number[] = [];
    const found = await tune(options({ onProgress: ({ share }) => seen.push(share) }));
    expect(found.verdict).toBe('better');
    // Gaps of 200 s: with one minute each burst begins late, in every twentieth second of a hundred.
    expect(found.present.training.qualifies).toBe(false);
    expect(found.tuned.validation.qualifies).toBe(true);
    expect(found.runs).toBeLessThanOrEqual(8);
    expect(found.edits.length).toBeGreaterThan(0);
    expect(found.parts.training.requests + found.parts.validation.requests).toBe(steadyRequests());
    expect(seen.at(-1)).toBeLessThanOrEqual(1);
    expect(await tune(options({ threads: 1 }))).toEqual(found);
    const other = await tune(options({ seed: 2 }));
    expect(other.tried.map(({ values }) => values)).not.toEqual(found.tried.map(({ values }) => values));
  });

  test('an overfit is told and not proposed: gaps of one minute first, of half an hour then', async () => {
    const later = [...bursts(hour + 10, 2 * hour, 1200, 30), { atUs: 2 * hour * 1e6, tokens: 1 }];
    const trace = { trace: traceOf([...bursts(10, hour, 90, 30), ...later]) };
    const found = await tune(options({ trace, space: keepAlive('30s', 'stabilizationWindow') }));
    expect(found.verdict).toBe('promise-broken');
    expect(found.tuned.training.qualifies).toBe(true);
    expect(found.tuned.validation.qualifies).toBe(false);
    expect(found.edits).toEqual([]);
    expect(found.documents).toBeNull();
    const [verdict, training, validation] = tuningSentences(found);
    expect(verdict).toMatch(/^Overfit: .* misses it on the validation part .* No patch is proposed\.$/);
    expect(training).toContain('Searched on 0 to 1 h,');
    expect(validation).toContain('Judged on 1 h to 2 h,');
    const page = renderTuning(found);
    expect(page).toContain('What the search would have changed');
    expect(page).toContain('<svg');
    expect(page).not.toMatch(/NaN|Infinity|undefined|<script/);
    expect(renderTuning(found)).toBe(page);
  });

  test('a gain that the other part does not give is told and not proposed', async () => {
    // Two requests every 400 s first, which are better let wait; then one every other second.
    const later = Array.from({ length: hour / 2 }, (_, index) => ({ atUs: (hour + 2 * index) * 1e6, tokens: 40 }));
    const trace = { trace: traceOf([...bursts(10, hour, 400, 2), ...later]) };
    const space = keepAlive('10m', 'stabilizationWindow');
    const found = await tune(options({ trace, space, lateness: { replicaSeconds: 1 } }));
    expect(found.gain.training).toBeGreaterThan(0.3);
    expect(found.gain.validation ?? 1).toBeLessThanOrEqual(0);
    expect(found.verdict).toBe('gain-lost');
    expect(tuningSentences(found)[0]).toMatch(/^Overfit: the best setting saves \d+ % on the training part, but /);
  });

  test('where no setting keeps the promise that is said; where nothing is better, too', async () => {
    const hopeless = { ...model, onTimeShare: 1, onTimeMs: 0 };
    const crowd = bursts(10, hour, 600, 50).flatMap((row) =>
      Array.from({ length: 60 }, () => ({ ...row, tokens: 200 })),
    );
    const found = await tune(options({ trace: { trace: traceOf(crowd) }, model: hopeless, runs: 4 }));
    expect(found.verdict).toBe('nothing-keeps-the-promise');
    expect(tuningSentences(found)[0]).toMatch(/^No setting of keepalive that was tried keeps the promise/);
    const second = await tune(options({ space: keepAlive('5m,min1', 'minReplicas') }));
    expect(second.verdict).toBe('present-is-best');
    expect(second.edits).toEqual([]);
  });

  test('with a price of lateness the least sum is sought, and dear lateness buys fewer late requests', async () => {
    const cheap = await tune(options({ lateness: { replicaSeconds: 0.1 } }));
    const dear = await tune(options({ lateness: { replicaSeconds: 1000 } }));
    expect(cheap.tuned.training.replicaSeconds).toBeLessThan(dear.tuned.training.replicaSeconds);
    expect(cheap.tuned.training.late).toBeGreaterThan(dear.tuned.training.late);
  });

  test.each([
    ['the promise', {}],
    ['a price of lateness', { lateness: { replicaSeconds: 100 }, price: 1_200_000 }],
  ] as const)(
    'ending runs that cannot win changes nothing of the outcome: %s',
    async (_, more) => {
      const raced = await tune(options({ runs: 6, ...more }));
      const whole = await tune(options({ runs: 6, ...more, toTheEnd: true }));
      expect(whole.stopped).toEqual([]);
      expect(whole.rehearsedShare).toBe(1);
      expect(raced.stopped.length).toBeGreaterThan(0);
      expect(raced.rehearsedShare).toBeLessThan(1);
      expect(raced.tuned).toEqual(whole.tuned);
      expect(raced.present).toEqual(whole.present);
      expect([raced.verdict, raced.changes, raced.edits, raced.runs]).toEqual([
        whole.verdict,
        whole.changes,
        whole.edits,
        whole.runs,
      ]);
      // What was not ended is the same to the last bit, and what was ended had come to no more than its end.
      for (const run of raced.tried) expect(whole.tried).toContainEqual(run);
      for (const { values, late, replicaSeconds, share } of raced.stopped) {
        const end = whole.tried.find((run) => JSON.stringify(run.values) === JSON.stringify(values));
        expect(late).toBeLessThanOrEqual(end?.late ?? -1);
        expect(replicaSeconds).toBeLessThanOrEqual(end?.replicaSeconds ?? -1);
        expect(share).toBeGreaterThan(0);
      }
    },
    120_000,
  );

  test('refuses what cannot be searched', async () => {
    await expect(tune(options({ split: 1 }))).rejects.toThrow(/split is 1/);
    await expect(tune(options({ runs: 3 }))).rejects.toThrow(/budget is 3 runs/);
    const early = traceOf([...bursts(0, hour, 300, 10), { atUs: hour * 1e6, tokens: 1 }]);
    await expect(tune(options({ trace: { trace: early, spanMs: 10 * hour * 1000 } }))).rejects.toThrow(
      /validation part of the trace has no requests/,
    );
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(tune(options({ signal: aborted }))).rejects.toThrow('enough');
  });
});

function steadyRequests(): number {
  // The last request closes the trace and is in neither part.
  return [...bursts(10, 2 * hour, 300, 100)].length;
}
