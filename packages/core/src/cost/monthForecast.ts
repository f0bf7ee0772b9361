import type { CostForecast } from '@ebb/documents';
import { monthOf } from './month.ts';

export const dayMs = 86_400_000;
/** Days back that a forecast looks at: whole weeks, so that every weekday counts the same. */
export const forecastDays = 28;
const fewestForWeekdays = 14;
const fewestForRange = 3;

/** Quantiles of Student's t at 90 %, by degrees of freedom from 1: between minus and plus this are four of five. */
const tQuantiles = [3.078, 1.886, 1.638, 1.533, 1.476, 1.44, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.35, 1.345];
const tForMany = 1.31;

/**
 * How the month ends if its remaining days are like the last whole ones: the mean of the same weekdays with two weeks and
 * more, else the mean of all. The range is the prediction interval of the sum of independent days with the spread seen
 * (Student's t); a trend, or days that hang together, make it too narrow.
 *
 * `days` are the costs of the 24-hour spans before `nowMs`, newest first, in micro-units; `spentMicro` is the month's cost
 * until now.
 */
export function forecastMonth(
  currency: string,
  nowMs: number,
  spentMicro: bigint,
  days: readonly number[],
): CostForecast {
  const { startMs, endMs } = monthOf(nowMs);
  const base = { currency, monthStart: startMs, monthEnd: endMs, spentMicro: String(spentMicro), days: days.length };
  const remainingDays = (endMs - nowMs) / dayMs;
  const mean = days.reduce((sum, cost) => sum + cost, 0) / days.length;
  if (days.length === 0 || !Number.isFinite(mean)) {
    return { ...base, expectedMicro: null, lowMicro: null, highMicro: null, basis: 'none' };
  }
  const byWeekday = days.length >= fewestForWeekdays;
  const expectedOf = byWeekday ? weekdayMeans(days) : () => mean;
  const whole = Math.floor(remainingDays);
  let rest = 0;
  for (let ahead = 0; ahead < whole; ahead += 1) rest += expectedOf(ahead);
  rest += expectedOf(whole) * (remainingDays - whole);
  const at = (amount: number) => String(spentMicro + BigInt(Math.max(0, Math.round(amount))));
  const expectedMicro = at(rest);
  const basis = byWeekday ? 'weekday' : 'mean';
  if (days.length < fewestForRange) return { ...base, expectedMicro, lowMicro: null, highMicro: null, basis };
  const freedom = days.length - (byWeekday ? 7 : 1);
  const squares = days.reduce((sum, cost, index) => sum + (cost - expectedOf(-1 - index)) ** 2, 0);
  // n days spread with √n, and their mean is itself known only from so many days.
  const spread = Math.sqrt((squares / freedom) * (remainingDays + remainingDays ** 2 / days.length));
  const reach = (tQuantiles[freedom - 1] ?? tForMany) * spread;
  return { ...base, expectedMicro, lowMicro: at(rest - reach), highMicro: at(rest + reach), basis };
}

/** The mean of the days that are whole weeks apart from one; 0 is the 24 hours from now, -1 those before. */
function weekdayMeans(days: readonly number[]): (ahead: number) => number {
  const sums = Array.from({ length: 7 }, () => ({ sum: 0, count: 0 }));
  for (const [index, cost] of days.entries()) {
    const slot = sums[index % 7];
    if (slot) {
      slot.sum += cost;
      slot.count += 1;
    }
  }
  // Day -1 is index 0, so day `ahead` is like index 6 - ahead, weeks aside.
  return (ahead) => {
    const { sum, count } = sums[(((-1 - ahead) % 7) + 7) % 7] ?? { sum: 0, count: 1 };
    return sum / count;
  };
}
