import { describe, expect, it } from 'vitest';
import { poisson } from '../generators/poisson.ts';
import { run, tokenModel } from '../run/simulate.fixture.ts';
import { simulatedServiceUs } from './serviceTime.ts';

describe('service times', () => {
  it('come from the tokens, or from what is assumed without them', () => {
    const service = simulatedServiceUs(
      { service: { type: 'tokens', baseMs: 200, perTokenMs: 20, withoutTokensMs: 2200 } },
      1,
    );
    expect(service(100, 0)).toBe(2_200_000);
    expect(service(0, 1)).toBe(200_000);
    expect(service(null, 2)).toBe(2_200_000);
  });

  it('are those of the run with the same seed, each length as likely as the other', async () => {
    const lengths = [100, 300, 1700];
    const model = { ...tokenModel(8), service: { type: 'empirical', ms: lengths } as const };
    const trace = poisson({ seed: 2, spanSeconds: 3000, ratePerSecond: 2 });
    const shares: number[] = [];
    const result = await run(trace, model, 'always-on:3', {
      seed: 5,
      startReplicas: 3,
      onProgress: (share) => shares.push(share),
    });
    const service = simulatedServiceUs(model, 5);
    let sumUs = 0;
    const seen = new Map<number, number>();
    for (let request = 0; request < result.requests; request++) {
      const us = service(null, request);
      sumUs += us;
      seen.set(us, (seen.get(us) ?? 0) + 1);
    }
    expect(result.servedSlotSeconds).toBeCloseTo(sumUs / 1e6, 6);
    for (const ms of lengths) expect((3 * (seen.get(ms * 1000) ?? 0)) / result.requests).toBeCloseTo(1, 1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.length).toBeGreaterThan(50);
    expect(shares.at(-1)).toBe(1);
  });

  it('need at least one length', () => {
    expect(() => simulatedServiceUs({ service: { type: 'empirical', ms: [] } }, 1)).toThrow('at least one length');
  });
});
