import { SeededRandom, VirtualClock } from '@ebb/testing';
import { expect, it } from 'vitest';
import { Alarms } from './alarms.ts';

it('rings each owner at its last set time, in order, on as few timers as there are moments', async () => {
  const clock = new VirtualClock();
  const rung: [number, number][] = [];
  const alarms = new Alarms<number>(clock, (owner) => rung.push([clock.nowMs(), owner]));
  const random = new SeededRandom(3);
  const expected = new Map<number, number>();
  const beginMs = clock.nowMs();
  for (let round = 0; round < 3000; round++) {
    const owner = random.integer(0, 300);
    const atMs = random.chance(0.2) ? null : beginMs + random.integer(1, 50) * 100;
    alarms.set(owner, atMs);
    if (atMs === null) expected.delete(owner);
    else expected.set(owner, atMs);
  }
  const before = clock.events;
  await clock.advance(10_000);
  expect(rung.length).toBe(expected.size);
  for (const [atMs, owner] of rung) expect(atMs).toBe(expected.get(owner));
  expect(rung.map(([atMs]) => atMs)).toEqual(rung.map(([atMs]) => atMs).sort((left, right) => left - right));
  expect(clock.events - before).toBeLessThanOrEqual(51);
  expect(clock.pending()).toBe(0);
});

it('can be set again while it rings, and rings no more once cleared', async () => {
  const clock = new VirtualClock();
  let rings = 0;
  const alarms: Alarms<string> = new Alarms(clock, (owner) => {
    rings++;
    alarms.set(owner, clock.nowMs() + 10);
  });
  alarms.set('a', clock.nowMs() + 10);
  await clock.advance(100);
  expect(rings).toBe(10);
  alarms.clear();
  await clock.advance(100);
  expect(rings).toBe(10);
});
