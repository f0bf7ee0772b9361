import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { staticPeak } from '../compare/staticPeak.ts';
import { poisson } from '../generators/poisson.ts';
import { run, tokenModel, traceOf } from '../run/simulate.fixture.ts';
import { serviceRates } from './batching.ts';
import { runNaively } from './naiveSystem.fixture.ts';

const full = (times: number) => ({ slowdown: [[1, times]] }) as const;

describe('batching in a replica', () => {
  it('has each request begin and end when the plainest simulation of the same world has it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ gapUs: fc.nat({ max: 700_000 }), tokens: fc.integer({ min: 1, max: 3000 }) }), {
          minLength: 1,
          maxLength: 150,
        }),
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: 1.01, max: 5, noNaN: true }),
        fc.constantFrom(0, 700, 2500),
        async (gaps, slots, times, clientTimeoutMs) => {
          let atUs = 0;
          const rows = gaps.map(({ gapUs, tokens }) => ({ atUs: (atUs += gapUs), tokens }));
          const batching = {
            slowdown: [
              [2, 1],
              [5, times],
            ],
          } as const;
          const rates = serviceRates(batching, slots);
          const expected = runNaively(
            rows.map(({ atUs: at, tokens }) => ({ atUs: at, serviceUs: tokens * 1000 })),
            {
              replicas: 1,
              slots,
              holdUs: 86_400_000_000,
              clientTimeoutUs: clientTimeoutMs * 1000,
              retries: 1,
              rate: (requests) => rates?.[requests] ?? 0,
            },
          );
          const model = { ...tokenModel(slots, { clientTimeoutMs, retries: 1 }), batching };
          const result = await run(traceOf(rows, ['model'], 7), model, 'always-on:1', { startReplicas: 0 });
          const served = expected.flatMap(({ beganUs, endUs }, index) =>
            beganUs === null ? [] : [{ waitUs: beganUs - (rows[index]?.atUs ?? 0), slotUs: endUs - beganUs }],
          );
          expect(result.served).toBe(served.length);
          expect(result.waitMs.max).toBe(Math.max(0, ...served.map(({ waitUs }) => waitUs)) / 1000);
          expect(result.waitMs.mean * Math.max(1, served.length)).toBeCloseTo(
            served.reduce((sum, { waitUs }) => sum + waitUs, 0) / 1000,
            3,
          );
          expect(result.servedSlotSeconds).toBeCloseTo(served.reduce((sum, { slotUs }) => sum + slotUs, 0) / 1e6, 6);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is the same run to the last bit where nothing slows, and that of longer services where all is as slow', async () => {
    const rows: { atUs: number; tokens: number }[] = [];
    const load = poisson({ seed: 3, spanSeconds: 900, ratePerSecond: 4, tokens: { median: 1500, sigma: 1 } });
    for await (const block of load.blocks()) {
      for (let row = 0; row < block.count; row++) {
        rows.push({ atUs: block.atUs[row] as number, tokens: (block.outputTokens?.[row] as number) + 1 });
      }
    }
    const trace = traceOf(rows);
    const doubled = traceOf(rows.map(({ atUs, tokens }) => ({ atUs, tokens: 2 * tokens })));
    const model = tokenModel(4);
    for (const policy of ['keda', 'keepalive:1m']) {
      const plain = await run(trace, model, policy);
      expect(await run(trace, { ...model, batching: full(1) }, policy)).toEqual(plain);
      const slow = await run(trace, { ...model, batching: full(2) }, policy);
      expect(slow.digest).toBe((await run(doubled, model, policy)).digest);
      expect(slow.digest).not.toBe(plain.digest);
    }
  });

  it('needs a constant count of replicas as if every service were as slow as on a full one', () => {
    const atUs = Float64Array.from({ length: 500 }, (_, index) => index * 40_000);
    const requests = (us: number) => [{ atUs, serviceUs: new Float64Array(500).fill(us) }];
    const terms = { concurrency: 2, onTimeMs: 500, onTimeShare: 0.99 };
    const slow = staticPeak(requests(200_000), { ...terms, slowdown: 3 });
    expect(slow).toBe(staticPeak(requests(600_000), { ...terms, slowdown: 1 }));
    expect(slow).toBeGreaterThan(staticPeak(requests(200_000), { ...terms, slowdown: 1 }) ?? 0);
  });

  it('begins with the replicas that slow services need', async () => {
    const rows = Array.from({ length: 240 }, (_, index) => ({ atUs: index * 250_000, tokens: 2000 }));
    const model = tokenModel(4);
    const start = { startReplicas: 'first-minute-mean' as const };
    const plain = await run(traceOf(rows), model, 'keepalive:5m', start);
    const slow = await run(traceOf(rows), { ...model, batching: { slowdown: [[4, 2]] } }, 'keepalive:5m', start);
    // 8 requests at once on average, and twice as many slots where each is half as fast.
    expect(plain.curves.billed[0]).toBeGreaterThanOrEqual(2);
    expect(slow.curves.billed[0]).toBeGreaterThanOrEqual(4);
    expect(slow.served).toBe(240);
  });
});
