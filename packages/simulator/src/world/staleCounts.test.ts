import { expect, it } from 'vitest';
import { poisson } from '../generators/poisson.ts';
import { Draws } from '../kernel/draws.ts';
import { run, tokenModel, traceOf } from '../run/simulate.fixture.ts';
import { Stretches } from './stretches.ts';

const trace = poisson({ seed: 8, spanSeconds: 3600, ratePerSecond: 6, tokens: { median: 1500, sigma: 0.5 } });
const start = { startReplicas: 'first-minute-mean' as const, journal: true };

it('counts that come late are believed, as silence is not', async () => {
  const everyHours = 1 / 12;
  const worlds = {
    usual: {},
    stale: { staleEveryHours: everyHours, staleMs: 30_000 },
    silent: { silentEveryHours: everyHours, silentMs: 30_000 },
  };
  const silences: Record<string, number> = {};
  const digests = new Set<string>();
  for (const [name, faults] of Object.entries(worlds)) {
    const result = await run(trace, tokenModel(4, faults), 'keepalive:10s', start);
    silences[name] = (result.journal ?? []).filter(({ body }) =>
      JSON.stringify(body).includes('gateway-silent'),
    ).length;
    digests.add(result.digest);
    if (name !== 'stale') expect(result.served).toBe(result.requests);
  }
  expect(digests.size).toBe(3);
  expect(silences).toMatchObject({ usual: 0, stale: 0 });
  expect(silences['silent']).toBeGreaterThan(5);
});

it('a replica is asked for as much later as the link is behind when a request meets none', async () => {
  const faults = { staleEveryHours: 0.01, staleMs: 40_000 };
  const stretches = new Stretches(0.01, 80_000, new Draws(1).fork('gateway').fork('stale'));
  let most = 0;
  for (let second = 20; second < 400; second += 19) {
    const sinceUs = stretches.sinceUs(second * 1e6);
    const lateUs = sinceUs === null ? 0 : Math.min(sinceUs, 80_000_000 - sinceUs);
    const one = traceOf([{ atUs: second * 1e6, tokens: 100 }]);
    const { waitMs } = await run(one, tokenModel(4, faults), 'keepalive:10s');
    expect(waitMs.max).toBeGreaterThanOrEqual(Math.floor(10_000 + lateUs / 1000));
    expect(waitMs.max).toBeLessThan(10_000 + lateUs / 1000 + 2);
    most = Math.max(most, lateUs);
  }
  expect(most).toBeGreaterThan(30_000_000);
});
