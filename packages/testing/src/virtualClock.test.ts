import { expect, it } from 'vitest';
import { VirtualClock, virtualEpochMs } from './virtualClock.ts';

it('runs an event, then all promises that it set off, then the next event', async () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  clock.afterUs(1000, () => {
    order.push('first');
    void Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => order.push('its promise'));
  });
  clock.afterUs(1000, () => order.push('second'));
  await clock.advance(1);
  expect(order).toEqual(['first', 'its promise', 'second']);
});

it('runs what an event sets up for the same span, and stands at its end', async () => {
  const clock = new VirtualClock();
  let ticks = 0;
  const tick = () => {
    ticks++;
    clock.afterUs(100_000, tick);
  };
  tick();
  await clock.advance(1000);
  expect(ticks).toBe(11);
  expect(clock.nowMs()).toBe(virtualEpochMs + 2000);
  expect(clock.pending()).toBe(1);
});

it('stops at the event that makes a condition true, and says what never came', async () => {
  const clock = new VirtualClock();
  let value = 0;
  for (let second = 1; second <= 5; second++) clock.afterUs(second * 1_000_000, () => value++);
  await clock.runUntilTrue(() => value === 2, 10_000);
  expect(clock.nowUs()).toBe(3_000_000);
  await expect(clock.runUntilTrue(() => value === 9, 10_000, 'nine')).rejects.toThrow('nine did not come true');
});

it('passes on what an event throws, and can go on afterwards', async () => {
  const clock = new VirtualClock();
  clock.afterUs(1, () => {
    throw new Error('broken');
  });
  await expect(clock.advance(1)).rejects.toThrow('broken');
  await clock.advance(1);
});

it('keeps promised delays and calls in order of time under any order of registration', async () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  for (const ms of [50, 3, 20, 1, 40, 2, 30]) void clock.delay(ms).then(() => seen.push(ms));
  await clock.advance(100);
  expect(seen).toEqual([1, 2, 3, 20, 30, 40, 50]);
});
