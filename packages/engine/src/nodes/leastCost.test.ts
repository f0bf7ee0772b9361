import { expect, test } from 'vitest';
import { LeastCost } from './leastCost.ts';

const hour = 3_600_000;
const begin = 1000 * hour;

test('what is paid and the least are counted by the hour, over restarts too', () => {
  const meter = new LeastCost();
  meter.note(begin, 100, null);
  meter.note(begin + hour / 2, 300, 120);
  meter.note(begin + 2 * hour, 0, 0);
  const whole = meter.between(begin, begin + 3 * hour, begin + 3 * hour);
  expect(whole).toEqual({ paidPriceMs: BigInt(hour * 500), leastPriceMs: BigInt(hour * 230) });
  expect(meter.between(begin + hour, begin + 1.5 * hour, begin + 3 * hour)).toEqual({
    paidPriceMs: BigInt(hour * 150),
    leastPriceMs: BigInt(hour * 60),
  });
  const next = new LeastCost();
  next.load(JSON.parse(JSON.stringify(meter.toSaved())));
  next.note(begin + 5 * hour, 10, 50);
  next.note(begin + 6 * hour, 0, 0);
  // A bound is never above what is paid.
  const { paidPriceMs, leastPriceMs } = next.between(0, begin + 9 * hour, begin + 9 * hour);
  expect(paidPriceMs - whole.paidPriceMs).toBe(BigInt(hour * 10));
  expect(leastPriceMs - whole.leastPriceMs).toBe(BigInt(hour * 10));
});

test('the present hour counts as far as it has passed', () => {
  const meter = new LeastCost();
  meter.note(begin + 10 * 60_000, 60, 60);
  const { paidPriceMs } = meter.between(0, begin + 15 * 60_000, begin + 15 * 60_000);
  expect(paidPriceMs).toBe(BigInt(5 * 60_000 * 60));
});

test('it forgets what no report asks for', () => {
  const meter = new LeastCost();
  meter.note(begin, 1, 1);
  expect(meter.between(0, begin + 2000 * hour, begin + 2000 * hour).paidPriceMs).toBe(BigInt(35 * 24 * hour));
});
