import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkloadInput } from '@ebb/documents';
import { onOff } from '../generators/onOff.ts';
import { poisson } from '../generators/poisson.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { type NaiveOptions, runNaively } from '../world/naiveSystem.fixture.ts';
import type { RunSoFar } from './books.ts';
import { run, tokenModel, traceOf } from './simulate.fixture.ts';

const rowsArbitrary = fc
  .array(fc.record({ gapUs: fc.integer({ min: 0, max: 900_000 }), tokens: fc.integer({ min: 1, max: 4000 }) }), {
    minLength: 1,
    maxLength: 300,
  })
  .map((gaps) => {
    let atUs = 0;
    return gaps.map(({ gapUs, tokens }) => {
      atUs += gapUs;
      return { atUs, tokens };
    });
  });

describe('simulate', () => {
  it('serves each request when the plainest simulation of the same world does', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsArbitrary,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (rows, replicas, slots) => {
          const options: NaiveOptions = { replicas, slots, holdUs: 86_400_000_000, clientTimeoutUs: 0, retries: 0 };
          const expected = runNaively(
            rows.map(({ atUs, tokens }) => ({ atUs, serviceUs: tokens * 1000 })),
            options,
          );
          const model = tokenModel(slots);
          const result = await run(traceOf(rows, ['model'], 7), model, `always-on:${replicas}`, { startReplicas: 0 });
          const waits = expected.map((outcome, index) => (outcome.beganUs ?? 0) - (rows[index]?.atUs ?? 0));
          expect(result.served).toBe(rows.length);
          expect(result.onTime).toBe(waits.filter((us) => us <= 5_000_000).length);
          expect(result.waitMs.max).toBe(Math.max(...waits) / 1000);
          expect(result.waitMs.mean).toBeCloseTo(waits.reduce((sum, us) => sum + us, 0) / waits.length / 1000, 6);
          expect(result.spanMs).toBe(Math.round(Math.max(...expected.map(({ endUs }) => endUs)) / 1000));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has clients give up, ask again and go, and refuses what was held too long, as the plainest simulation does', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsArbitrary,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 100, max: 3000 }),
        fc.integer({ min: 0, max: 3 }),
        fc.boolean(),
        async (rows, slots, limitMs, retries, byClient) => {
          const clientTimeoutMs = byClient ? limitMs : 0;
          const holdMs = byClient ? 3_600_000 : limitMs;
          const expected = runNaively(
            rows.map(({ atUs, tokens }) => ({ atUs, serviceUs: tokens * 1000 })),
            { replicas: 1, slots, holdUs: holdMs * 1000, clientTimeoutUs: clientTimeoutMs * 1000, retries },
          );
          const model = tokenModel(slots, { clientTimeoutMs, retries });
          const base = comparableWorkload('model', model);
          const held: WorkloadInput = {
            ...base,
            spec: { ...base.spec, serving: { ...base.spec.serving, timeouts: { hold: `${holdMs}ms` } } },
          };
          const result = await run(traceOf(rows), model, 'always-on:1', { startReplicas: 0 }, held);
          const served = expected.flatMap(({ beganUs }, index) =>
            beganUs === null ? [] : [beganUs - (rows[index]?.atUs ?? 0)],
          );
          expect(result.requests).toBe(rows.length);
          expect(result.served).toBe(served.length);
          expect(result.waitMs.max).toBe(served.length === 0 ? 0 : Math.max(...served) / 1000);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('waits as Erlang C says, with one replica of c slots', async () => {
    // Exponential services of 0.2 s: tokens by inversion, so that the trace carries them.
    const slots = 8;
    const meanMs = 200;
    const load = 0.7;
    const ratePerSecond = (load * slots * 1000) / meanMs;
    const source = poisson({ seed: 7, spanSeconds: 4000, ratePerSecond });
    const rows: { atUs: number; tokens: number }[] = [];
    let state = 12_345;
    for await (const block of source.blocks()) {
      for (let row = 0; row < block.count; row++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        const share = (state >>> 8) / 16_777_216;
        rows.push({ atUs: block.atUs[row] as number, tokens: Math.max(1, Math.round(-meanMs * Math.log(1 - share))) });
      }
    }
    const result = await run(traceOf(rows, ['model'], 16_384), tokenModel(slots), 'always-on:1', {
      startReplicas: 1,
    });
    const offered = load * slots;
    let term = 1;
    let sum = 1;
    for (let k = 1; k < slots; k++) {
      term *= offered / k;
      sum += term;
    }
    const last = ((term * offered) / slots) * (1 / (1 - load));
    const waitMs = (last / (sum + last)) * (meanMs / (slots * (1 - load)));
    // Waits are correlated over about a second, and most are 0: the sampling error of their mean is some 5 %.
    expect(result.waitMs.mean / waitMs).toBeGreaterThan(0.85);
    expect(result.waitMs.mean / waitMs).toBeLessThan(1.15);
    expect(result.servedSlotSeconds).toBeCloseTo(rows.reduce((all, { tokens }) => all + tokens, 0) / 1000, 3);
  }, 30_000);

  it('gives the same to the last bit again, and something else with another seed', async () => {
    const trace = poisson({ seed: 3, spanSeconds: 1800, ratePerSecond: 4, tokens: { median: 1500, sigma: 1 } });
    const model = tokenModel(4, { crashEveryHours: 1, failedStartShare: 0.1, slowShare: 0.2, slowFactor: 2 });
    const first = await run(trace, model, 'keepalive:2m');
    const again = await run(trace, model, 'keepalive:2m');
    const other = await run(trace, model, 'keepalive:2m', { seed: 2 });
    expect(again).toEqual(first);
    expect(other.digest).not.toBe(first.digest);
  });

  it.each(['windows', 'keda', 'keda:min1,70', 'hpa', 'knative', 'knative:min1', 'keepalive:1m', 'always-on:3'])(
    'conserves requests, replica time and money under %s, with every fault',
    async (policy) => {
      const trace = poisson({ seed: 5, spanSeconds: 3600, ratePerSecond: 3, tokens: { median: 1500, sigma: 1 } });
      const model = tokenModel(4, {
        crashEveryHours: 0.5,
        failedStartShare: 0.2,
        slowShare: 0.3,
        slowFactor: 3,
        silentEveryHours: 0.3,
        silentMs: 20_000,
        preemptionsMs: [600_000, 1_200_000, 1_800_000],
        noticeMs: 30_000,
        clientTimeoutMs: 60_000,
        retries: 2,
      });
      const result = await run(trace, model, policy, { price: 3_600_000 });
      const { bucketMs, billed, ready, arrivals, demand } = result.curves;
      const over = (curve: Float64Array) =>
        curve.reduce(
          (sum, mean, index) => sum + (mean * Math.min(bucketMs, result.spanMs - index * bucketMs)) / 1000,
          0,
        );
      expect(result.served).toBeGreaterThan(0.9 * result.requests);
      expect(result.served).toBeLessThanOrEqual(result.requests);
      expect(result.onTime).toBeLessThanOrEqual(result.served);
      expect(over(arrivals)).toBeCloseTo(result.requests, 0);
      expect(over(billed) / result.replicaSeconds).toBeCloseTo(1, 4);
      expect(over(ready)).toBeLessThanOrEqual(over(billed));
      expect(over(demand)).toBeGreaterThanOrEqual(result.servedSlotSeconds - 1);
      expect(result.servedSlotSeconds).toBeLessThanOrEqual(over(ready) * model.concurrency + 1);
      // 3.6 currency units an hour are 1000 micro-units a second.
      expect(Math.abs(Number(result.costMicro) - 1000 * result.replicaSeconds)).toBeLessThanOrEqual(1);
    },
  );

  it('gives each workload of a trace replicas of its own', async () => {
    const rows = Array.from({ length: 200 }, (_, index) => ({
      atUs: index * 500_000,
      tokens: 2000,
      workload: index % 5,
    }));
    const names = ['0a', '1b', '2c', '3d', '4e'];
    const result = await run(traceOf(rows, names), tokenModel(8), 'keepalive:1m', { journal: true });
    const started = result.journal?.filter(
      ({ kind, body }) => kind === 'action' && JSON.stringify(body).includes('"start"'),
    );
    expect(new Set(started?.map(({ workload }) => workload)).size).toBe(5);
    expect(result.served).toBe(200);
    expect(result.mostReplicas).toBe(5);
  });

  it('begins with what the first minute needs', async () => {
    const rows = Array.from({ length: 240 }, (_, index) => ({ atUs: index * 250_000, tokens: 4000 }));
    const result = await run(traceOf(rows), tokenModel(4), 'keepalive:5m', { startReplicas: 'first-minute-mean' });
    // 16 slots on average are 4 replicas.
    expect(result.curves.billed[0]).toBeGreaterThanOrEqual(4);
    expect(result.onTime).toBe(240);
  });

  it('says what is missing', async () => {
    const model = tokenModel(4);
    const trace = traceOf([{ atUs: 0, tokens: 1 }]);
    await expect(async () => run(trace, model, 'keeda')).rejects.toThrow('did you mean keda?');
    await expect(async () => run(trace, model, 'keepalive:often')).rejects.toThrow('as in keepalive:10m; found often');
    await expect(run(trace, model, 'keda', { documents: [] })).rejects.toThrow(
      'needs a Workload or a ScaledJob; found no document',
    );
    const unordered = traceOf([
      { atUs: 5, tokens: 1 },
      { atUs: 4, tokens: 1 },
    ]);
    await expect(run(unordered, model, 'windows')).rejects.toThrow('order them by time');
  });
});

it('a run that is asked whether to end, and is not, is the same; what is known on the way only grows', async () => {
  const model = { ...tokenModel(2, { crashEveryHours: 0.3 }), onTimeMs: 2000 };
  const trace = onOff({ seed: 5, spanSeconds: 3600, onSeconds: 60, offSeconds: 200, ratePerSecond: 2 });
  const seen: RunSoFar[] = [];
  const stopWhen = (soFar: RunSoFar) => {
    seen.push(soFar);
    return false;
  };
  const plain = await run(trace, model, 'keepalive:1m', { price: 1_234_567 });
  const asked = await run(trace, model, 'keepalive:1m', { price: 1_234_567, stopWhen });
  expect(asked).toEqual(plain);
  expect(plain.stopped).toBeNull();
  expect(seen.length).toBeGreaterThan(400);
  const figures = ({ late, replicaSeconds, costMicro }: Omit<RunSoFar, 'nowMs'>) => [
    late,
    replicaSeconds,
    Number(costMicro),
  ];
  const end = figures({ ...plain, late: plain.requests - plain.onTime });
  const rows = [...seen.map(figures), end];
  for (const [index, row] of rows.entries()) {
    for (const [column, value] of row.entries()) expect(value).toBeGreaterThanOrEqual(rows[index - 1]?.[column] ?? 0);
  }
  // Not only at the very end.
  expect(seen.at(-2)?.replicaSeconds).toBeGreaterThan(plain.replicaSeconds * 0.9);
  expect(seen.at(-2)?.late).toBeGreaterThan(0);

  const half = await run(trace, model, 'keepalive:1m', { stopWhen: ({ nowMs }) => nowMs >= 1_800_000 });
  expect(half.stopped?.nowMs).toBeGreaterThanOrEqual(1_800_000);
  expect(half.stopped?.nowMs).toBeLessThan(1_810_000);
  expect(half.requests).toBeLessThan(plain.requests * 0.7);
});
