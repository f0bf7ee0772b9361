import { describe, expect, it } from 'vitest';
import { Draws } from '../kernel/draws.ts';
import { poisson } from '../generators/poisson.ts';
import { run, tokenModel, traceOf } from '../run/simulate.fixture.ts';
import { drawUs } from './distribution.ts';
import { Stretches } from './stretches.ts';

const steady = poisson({ seed: 11, spanSeconds: 4 * 3600, ratePerSecond: 0.2, tokens: { median: 1000, sigma: 0.5 } });

describe('faults of the world', () => {
  it('crashes about as often as it says, and each crash is replaced by a cold start', async () => {
    const model = tokenModel(8, { crashEveryHours: 0.1 });
    const result = await run(steady, model, 'always-on:2', { startReplicas: 2 });
    // 8 replica hours: 80 crashes, give or take four standard deviations.
    expect(result.coldStarts).toBeGreaterThan(44);
    expect(result.coldStarts).toBeLessThan(116);
    expect(result.replicaSeconds / (2 * 14_400)).toBeCloseTo(1, 1);
    // A client without a second try loses what a crash broke.
    expect(result.served).toBeLessThan(result.requests);
    const patient = await run(steady, tokenModel(8, { crashEveryHours: 0.1, retries: 5 }), 'always-on:2', {
      startReplicas: 2,
    });
    expect(patient.served).toBe(patient.requests);
  });

  it('fails starts: they are tried again until one succeeds', async () => {
    // While nothing can be started the engine has requests refused, so a stream of them has to outlast the failures.
    const rows = Array.from({ length: 120 }, (_, index) => ({ atUs: index * 5_000_000, tokens: 100 }));
    const model = tokenModel(1, { failedStartShare: 0.6 });
    const starts: number[] = [];
    for (let seed = 1; seed <= 12; seed++) {
      const result = await run(traceOf(rows), model, 'always-on:1', { seed });
      expect(result.served).toBeGreaterThan(0);
      expect(result.curves.ready.at(-1)).toBe(1);
      starts.push(result.coldStarts);
    }
    // Two and a half starts on average.
    const mean = starts.reduce((sum, count) => sum + count, 0) / starts.length;
    expect(mean).toBeGreaterThan(1.5);
    expect(mean).toBeLessThan(4.5);
  });

  it('serves slowly on slow replicas', async () => {
    const rows = Array.from({ length: 50 }, (_, index) => ({ atUs: index * 1_000_000, tokens: 1000 }));
    const slow = await run(traceOf(rows), tokenModel(8, { slowShare: 1, slowFactor: 3 }), 'always-on:1', {
      startReplicas: 1,
    });
    const usual = await run(traceOf(rows), tokenModel(8), 'always-on:1', { startReplicas: 1 });
    expect(usual.servedSlotSeconds).toBe(50);
    expect(slow.servedSlotSeconds).toBe(150);
  });

  it('takes a replica away after its notice, which is enough to replace it', async () => {
    const rows = Array.from({ length: 600 }, (_, index) => ({ atUs: index * 1_000_000, tokens: 1000 }));
    const faults = { preemptionsMs: [200_000, 400_000], noticeMs: 30_000 };
    const warned = await run(traceOf(rows), tokenModel(8, faults), 'always-on:2', { startReplicas: 2 });
    expect(warned.coldStarts).toBe(2);
    expect(warned.served).toBe(600);
    expect(warned.waitMs.max).toBe(0);
    // Both run together for the 20 s from the end of the cold start to the end of the notice.
    expect(warned.mostReplicas).toBe(3);
    const unwarned = await run(traceOf(rows), tokenModel(8, { ...faults, noticeMs: 0 }), 'always-on:1', {
      startReplicas: 1,
    });
    expect(unwarned.waitMs.max).toBeGreaterThan(8000);
  });

  it('never lets silence look like no demand', async () => {
    // Half a minute of silence each five minutes: a keep-alive of ten seconds would end what is busy.
    const trace = poisson({ seed: 8, spanSeconds: 7200, ratePerSecond: 6, tokens: { median: 1500, sigma: 0.5 } });
    const faults = { silentEveryHours: 1 / 12, silentMs: 30_000 };
    const silent = await run(trace, tokenModel(4, faults), 'keepalive:10s', { startReplicas: 'first-minute-mean' });
    const usual = await run(trace, tokenModel(4), 'keepalive:10s', { startReplicas: 'first-minute-mean' });
    expect(silent.digest).not.toBe(usual.digest);
    expect(silent.served).toBe(silent.requests);
    expect(silent.onTime / silent.requests).toBeGreaterThan(usual.onTime / usual.requests - 0.1);
    const times = new Stretches(faults.silentEveryHours, faults.silentMs, new Draws(1));
    let silentSeconds = 0;
    for (let second = 0; second < 360_000; second++) {
      if (times.sinceUs(second * 1_000_000) !== null) silentSeconds++;
    }
    // 30 of 330 seconds.
    expect(silentSeconds / 360_000).toBeCloseTo(30 / 330, 2);
  });
});

describe('drawUs', () => {
  it('has the mean and median of each distribution', () => {
    const draws = new Draws(3);
    const many = (ms: Parameters<typeof drawUs>[0]) =>
      Array.from({ length: 20_000 }, () => drawUs(ms, draws) / 1000).sort((a, b) => a - b);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(new Set(many({ type: 'fixed', ms: 3 }))).toEqual(new Set([3]));
    expect(mean(many({ type: 'uniform', fromMs: 10, toMs: 30 })) / 20).toBeCloseTo(1, 1);
    const lognormal = many({ type: 'lognormal', medianMs: 100, sigma: 0.5 });
    expect((lognormal[10_000] as number) / 100).toBeCloseTo(1, 1);
    expect(mean(lognormal) / (100 * Math.exp(0.125))).toBeCloseTo(1, 1);
    expect(mean(many({ type: 'empirical', ms: [1, 2, 6] })) / 3).toBeCloseTo(1, 1);
  });
});
