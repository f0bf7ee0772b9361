import { describe, expect, it } from 'vitest';
import { poisson } from '../generators/poisson.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { run, tokenModel, traceOf } from '../run/simulate.fixture.ts';
import { deferrals } from './deferrals.ts';

const seconds = (at: number) => at * 1_000_000;

describe('which requests may wait', () => {
  it('is drawn by their numbers', () => {
    const draw = deferrals({ deferrable: { share: 0.3, maxDelayMs: 60_000 } }, 5);
    const again = deferrals({ deferrable: { share: 0.3, maxDelayMs: 60_000 } }, 5);
    const drawn = Array.from({ length: 10_000 }, (_, number) => draw(number));
    expect(drawn.filter((longestUs) => longestUs !== null).length / 10_000).toBeCloseTo(0.3, 1);
    expect(new Set(drawn)).toEqual(new Set([null, seconds(60)]));
    expect([17, 3, 9_999].map(again)).toEqual([17, 3, 9_999].map((number) => drawn[number]));
    expect(deferrals({}, 5)(0)).toBeNull();
  });
});

describe('a rehearsal with deferrable requests', () => {
  const model = { ...tokenModel(4), deferrable: { share: 1, maxDelayMs: 600_000 } };
  const base = comparableWorkload('model', model);
  const taking = { ...base, spec: { ...base.spec, serving: { ...base.spec.serving, deferrable: { reserve: 0 } } } };

  it('starts nothing for them until their deadline is near, and they begin in time', async () => {
    const trace = traceOf([{ atUs: 0, tokens: 500 }]);
    const result = await run(trace, model, 'windows', {}, taking);
    expect(result).toMatchObject({ requests: 1, served: 1, onTime: 1, coldStarts: 1 });
    expect(result.deferrable).toMatchObject({ requests: 1, served: 1, onTime: 1 });
    // No start was seen before: one may take all of its budget, and half as much is the margin.
    expect(result.deferrable?.waitMs.max).toBeCloseTo(600_000 - 180_000 + 10_000, -3);
    expect(result.waitMs.max).toBe(0);
    // Where the Workload takes none they are served as any other, and are on time all the same.
    const ordinary = await run(trace, model, 'windows', {}, base);
    expect(ordinary.deferrable?.waitMs.max).toBeCloseTo(10_000, -3);
    expect(ordinary.onTime).toBe(1);
  });

  it('costs less than the same load without, loses nothing, and is the same again', async () => {
    const trace = poisson({ seed: 3, spanSeconds: 4 * 3600, ratePerSecond: 0.3, tokens: { median: 3000, sigma: 1 } });
    const half = { ...model, deferrable: { share: 0.5, maxDelayMs: 600_000 } };
    const result = await run(trace, half, 'windows', { startReplicas: 1 }, taking);
    const { deferrable: _, ...none } = half;
    const without = await run(trace, none, 'windows', { startReplicas: 1 }, taking);
    expect(result.served).toBe(result.requests);
    expect(result.requests).toBe(without.requests);
    expect(result.deferrable?.onTime).toBe(result.deferrable?.requests);
    expect(result.replicaSeconds).toBeLessThan(without.replicaSeconds);
    expect(without).not.toHaveProperty('deferrable');
    expect(await run(trace, half, 'windows', { startReplicas: 1 }, taking)).toEqual(result);
  });

  it('leaves a run without them as it is, also where the Workload takes them', async () => {
    const trace = poisson({ seed: 4, spanSeconds: 3600, ratePerSecond: 1, tokens: { median: 3000, sigma: 1 } });
    const plain = await run(trace, tokenModel(4), 'windows');
    const able = await run(trace, tokenModel(4), 'windows', {}, taking);
    expect(able.digest).toBe(plain.digest);
  });
});
