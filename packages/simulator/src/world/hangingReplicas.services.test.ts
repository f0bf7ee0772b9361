import type { JournalRecord } from '@ebb/core';
import { resolveWorkload, type WorkloadInput } from '@ebb/documents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorldModel } from '../contract/model.ts';
import { poisson } from '../generators/poisson.ts';
import { Draws } from '../kernel/draws.ts';
import { rehearsalEpochMs } from '../kernel/simulatedClock.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { run, tokenModel, traceOf } from '../run/simulate.fixture.ts';
import { noticedAtUs } from './hanging.ts';

const http = { http: { path: '/healthz' } };
const steady = poisson({ seed: 11, spanSeconds: 4 * 3600, ratePerSecond: 0.2, tokens: { median: 1000, sigma: 0.5 } });
const hangs = { hangEveryHours: 0.1 };

/** The workload of comparisons with these probes and timeouts. */
function workload(
  model: WorldModel,
  probes: NonNullable<WorkloadInput['spec']['probes']>,
  timeouts: Record<string, string> = {},
  terminationGrace = '3s',
): WorkloadInput {
  const base = comparableWorkload('model', model);
  const { serving } = base.spec;
  return {
    ...base,
    spec: {
      ...base.spec,
      classes: base.spec.classes.map((one) => ({ ...one, terminationGrace })),
      probes,
      serving: { ...serving, timeouts: { ...serving?.timeouts, ...timeouts } },
    },
  };
}

function told(journal: readonly JournalRecord[] | null, text: string): JournalRecord[] {
  return (journal ?? []).filter(({ kind, body }) => kind === 'outcome' && JSON.stringify(body).includes(text));
}

/** The first hang of the replica that is there from the beginning, with seed 1. */
function firstHangUs(everyHours: number): number {
  return Math.ceil(
    new Draws(1)
      .fork('fleet')
      .fork('hang', 0)
      .exponential(everyHours * 3_600_000_000),
  );
}

describe('replicas that hang', () => {
  it('are found by a liveness probe when the live agent finds them, replaced at once, and paid for until they are killed', async () => {
    const model = tokenModel(4, hangs);
    const document = workload(model, { liveness: { ...http, period: '7s', timeout: '2s', failureThreshold: 4 } });
    const hangUs = firstHangUs(0.1);
    const { liveness } = resolveWorkload(document, { baseDirectory: '/' }).probes;
    const foundUs = liveness && noticedAtUs(liveness, 0, hangUs);
    if (foundUs === null) throw new Error('a liveness probe over HTTP finds it');
    // Ends just after the first replacement.
    const rows = Array.from({ length: Math.ceil(foundUs / 1e6) + 20 }, (_, second) => ({
      atUs: second * 1e6,
      tokens: 500,
    }));
    const result = await run(traceOf(rows), model, 'always-on:1', { startReplicas: 1, journal: true }, document);
    const [failed] = told(result.journal, '"failed"');
    expect(JSON.stringify(failed)).toContain('GET /healthz: no answer within 2000 ms');
    expect((failed?.atMs ?? 0) - rehearsalEpochMs).toBe(Math.floor(foundUs / 1000));
    const [gone] = told(result.journal, '"gone"');
    expect((gone?.atMs ?? 0) - (failed?.atMs ?? 0)).toBe(3000);
    expect(foundUs - hangUs).toBeGreaterThan(29_000_000);
    expect(foundUs - hangUs).toBeLessThanOrEqual(36_000_000);
    // Two at once while the one is killed and the other starts.
    expect(result.mostReplicas).toBe(2);
    expect(result.waitMs.max).toBeGreaterThan(10_000);
  });

  it('break what they serve, which patient clients ask for again, and happen about as often as the model says', async () => {
    const model = tokenModel(8, { ...hangs, retries: 5 });
    const document = workload(model, { liveness: { ...http, period: '2s', timeout: '1s' } });
    const result = await run(steady, model, 'always-on:2', { startReplicas: 2, journal: true }, document);
    expect(result.served).toBe(result.requests);
    // 8 replica hours: 80, give or take four standard deviations.
    const found = new Set(
      told(result.journal, '"failed"').map(({ body }) => JSON.stringify(body).match(/"replica":"[^"]+/)?.[0]),
    ).size;
    expect(found).toBeGreaterThan(44);
    expect(found).toBeLessThan(116);
    expect(result.coldStarts).toBe(found);
    const impatient = { ...model, faults: { ...model.faults, retries: 0 } };
    const broken = await run(steady, impatient, 'always-on:2', { startReplicas: 2 }, document);
    expect(broken.served).toBeLessThan(result.served);
  });

  it('are never found by connections, and take a share of the requests until nothing is served any more', async () => {
    const model = tokenModel(8, hangs);
    for (const probes of [{}, { liveness: { tcp: {} } }]) {
      const document = workload(model, probes, { response: '20s' });
      const result = await run(steady, model, 'always-on:2', { startReplicas: 2, journal: true }, document);
      expect(result.coldStarts).toBe(0);
      expect(told(result.journal, '"failed"')).toEqual([]);
      expect(result.served).toBeLessThan(0.5 * result.requests);
      expect(result.served).toBeGreaterThan(0);
      // The last timeout is over soon after the last request; nothing is left waiting.
      expect(result.spanMs).toBeLessThan(4 * 3600_000 + 60_000);
    }
  });

  it('are given no more requests once a readiness probe over HTTP says no', async () => {
    const model = tokenModel(8, { hangEveryHours: 1, retries: 3 });
    const start = { startReplicas: 4, journal: true };
    const timeouts = { response: '20s' };
    const unnoticed = await run(steady, model, 'always-on:4', start, workload(model, {}, timeouts));
    const noticed = await run(steady, model, 'always-on:4', start, workload(model, { readiness: http }, timeouts));
    expect(told(unnoticed.journal, '"starting"')).toEqual([]);
    expect(told(noticed.journal, '"starting"').length).toBeGreaterThan(0);
    expect(noticed.onTime).toBeGreaterThan(unnoticed.onTime);
  });

  it.each([
    ['response', { response: '12s' }, { clientTimeoutMs: 0 }],
    ['request', { request: '12s' }, { clientTimeoutMs: 0 }],
    ['client', {}, { clientTimeoutMs: 12_000 }],
  ])('let a request go at the %s timeout, and not before', async (whose, timeouts, faults) => {
    const model = tokenModel(1, { ...hangs, ...faults, retries: 1000 });
    const hangUs = firstHangUs(0.1);
    const liveness = { ...http, period: '60s', timeout: '30s', failureThreshold: 1 };
    const document = workload(model, { liveness }, timeouts);
    const foundUs = 60_000_000 * Math.ceil(hangUs / 60_000_000) + 30_000_000;
    // One request a second before it hangs, one a second after: neither is served before the replica is another one.
    for (const [atUs, heldUs] of [
      [Math.ceil(hangUs) - 1_000_000, whose === 'client' ? 13_000_000 : 12_000_000],
      [Math.ceil(hangUs) + 1_000_000, 12_000_000],
    ] as const) {
      const trace = traceOf([{ atUs, tokens: 5000 }]);
      const { journal, waitMs, served, curves } = await run(
        trace,
        model,
        'always-on:1',
        { startReplicas: 1, journal: true, spanMs: foundUs / 1000 + 60_000 },
        document,
      );
      expect(served).toBe(1);
      const [failed] = told(journal, '"failed"');
      expect((failed?.atMs ?? 0) - rehearsalEpochMs).toBe(Math.floor(foundUs / 1000));
      // The replacement is there ten seconds after, and the request is held by the one that hangs for whole tries.
      const replacedUs = foundUs + 10_000_000;
      const waitUs = waitMs.max * 1000;
      expect(waitUs).toBeGreaterThanOrEqual(replacedUs - atUs);
      expect(waitUs).toBeLessThan(replacedUs - atUs + heldUs + 1_000_000);
      expect(curves.demand.some((mean) => mean > 0)).toBe(true);
    }
  });
});

describe('a world with every fault', () => {
  it('is the same again to the last bit, loses no request, and pays for all that ran', async () => {
    const trace = poisson({ seed: 5, spanSeconds: 600, ratePerSecond: 3, tokens: { median: 1500, sigma: 1 } });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          hangEveryHours: fc.constantFrom(0, 0.2, 1),
          crashEveryHours: fc.constantFrom(0, 0.5),
          silentEveryHours: fc.constantFrom(0, 0.1),
          silentMs: fc.constant(20_000),
          staleEveryHours: fc.constantFrom(0, 0.1),
          staleMs: fc.integer({ min: 1, max: 60_000 }),
          slowShare: fc.constantFrom(0, 0.3),
          slowFactor: fc.constant(1.7),
          clientTimeoutMs: fc.constantFrom(0, 15_000),
          retries: fc.nat({ max: 3 }),
        }),
        fc.option(fc.double({ min: 1, max: 3, noNaN: true }), { nil: null }),
        fc.constantFrom('windows', 'keda', 'knative', 'keepalive:1m', 'always-on:3'),
        fc.boolean(),
        fc.nat({ max: 100 }),
        async (faults, times, policy, isProbed, seed) => {
          const plain = tokenModel(4, faults);
          const model = times === null ? plain : { ...plain, batching: { slowdown: [[4, times] as const] } };
          const probes = isProbed ? { readiness: http, liveness: http } : {};
          const document = workload(model, probes, { response: '10s', hold: '5m' });
          const options = { seed, price: 3_600_000 };
          const result = await run(trace, model, policy, options, document);
          expect(await run(trace, model, policy, options, document)).toEqual(result);
          const { bucketMs, billed, ready, demand } = result.curves;
          const over = (curve: Float64Array) =>
            curve.reduce(
              (sum, mean, index) => sum + (mean * Math.min(bucketMs, result.spanMs - index * bucketMs)) / 1000,
              0,
            );
          expect(result.served).toBeLessThanOrEqual(result.requests);
          expect(over(billed) / result.replicaSeconds).toBeCloseTo(1, 4);
          expect(over(ready)).toBeLessThanOrEqual(over(billed) + 1e-6);
          expect(over(demand)).toBeGreaterThanOrEqual(result.servedSlotSeconds - 1);
          expect(result.servedSlotSeconds).toBeLessThanOrEqual(over(ready) * model.concurrency + 1);
          expect(Math.abs(Number(result.costMicro) - 1000 * result.replicaSeconds)).toBeLessThanOrEqual(1);
          // Every request has come to an end, well or not, long before the run would be given up.
          expect(result.spanMs).toBeLessThan(600_000 + 3_600_000);
          const isQuiet = Math.max(faults.hangEveryHours, faults.crashEveryHours) === 0 && faults.clientTimeoutMs === 0;
          if (isQuiet && policy === 'always-on:3') expect(result.served).toBe(result.requests);
        },
      ),
      { numRuns: 15 },
    );
  });
});
