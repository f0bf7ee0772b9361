import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forecastMonth } from './monthForecast.ts';

const halfMonthMs = Date.UTC(2026, 10, 16);

it('says nothing from less than a day, and no range from less than three', () => {
  expect(forecastMonth('USD', halfMonthMs, 5n, [])).toMatchObject({ expectedMicro: null, basis: 'none', days: 0 });
  expect(forecastMonth('USD', halfMonthMs, 5n, [10, 30])).toMatchObject({ expectedMicro: '305', lowMicro: null });
  expect(forecastMonth('USD', halfMonthMs, 0n, [10, 20, 30])).toMatchObject({ expectedMicro: '300', basis: 'mean' });
});

it('knows weekdays from two weeks on', () => {
  // Newest first; the 24 hours from now are like index 6: every seventh day costs 700.
  const days = Array.from({ length: 14 }, (_, index) => (index % 7 === 6 ? 700 : 0));
  const forecast = forecastMonth('USD', halfMonthMs, 0n, days);
  // 15 days remain: days 0, 7 and 14 ahead are dear.
  expect(forecast).toMatchObject({ expectedMicro: '2100', lowMicro: '2100', highMicro: '2100', basis: 'weekday' });
});

it('counts the rest of today in part', () => {
  const forecast = forecastMonth('USD', Date.UTC(2026, 10, 30, 18), 1000n, [400, 400, 400]);
  expect(forecast.expectedMicro).toBe('1100');
  expect([forecast.monthStart, forecast.monthEnd]).toEqual([Date.UTC(2026, 10, 1), Date.UTC(2026, 11, 1)]);
});

it('has four of five months in its range, when days are independent', () => {
  let seed = 20_261_123;
  const next = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const day = () => 1000 + 100 * normal();
  let within = 0;
  const runs = 2000;
  for (let run = 0; run < runs; run += 1) {
    const days = Array.from({ length: run % 2 === 0 ? 7 : 21 }, day);
    const rest = Array.from({ length: 15 }, day).reduce((sum, one) => sum + one, 0);
    const { lowMicro, highMicro } = forecastMonth('USD', halfMonthMs, 0n, days);
    if (rest >= Number(lowMicro) && rest <= Number(highMicro)) within += 1;
  }
  expect(within / runs).toBeGreaterThan(0.77);
  expect(within / runs).toBeLessThan(0.83);
});

it('never expects less than what is spent', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1e9), { maxLength: 28 }), fc.bigInt({ min: 0n, max: 10n ** 15n }), (days, spent) => {
      const { expectedMicro, lowMicro, highMicro } = forecastMonth('USD', halfMonthMs, spent, days);
      if (expectedMicro === null) return;
      expect(BigInt(expectedMicro) >= spent).toBe(true);
      if (lowMicro === null || highMicro === null) return;
      expect(BigInt(lowMicro) >= spent && BigInt(lowMicro) <= BigInt(expectedMicro)).toBe(true);
      expect(BigInt(highMicro) >= BigInt(expectedMicro)).toBe(true);
    }),
  );
});
