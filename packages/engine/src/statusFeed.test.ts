import type { WatchEvent, WorkloadStatus } from '@ebb/documents';
import { VirtualClock } from '@ebb/testing';
import { expect, it } from 'vitest';
import { StatusFeed } from './statusFeed.ts';

function feedOf(clock: VirtualClock): { feed: StatusFeed; events: WatchEvent[] } {
  const events: WatchEvent[] = [];
  let built = 0;
  const feed = new StatusFeed(clock, (name) => ({
    type: 'status',
    status: { name, inFlight: ++built } as WorkloadStatus,
  }));
  feed.watch((event) => events.push(event));
  return { feed, events };
}

it('merges the changes of a turn, and of a tenth of a second', async () => {
  const clock = new VirtualClock();
  const { feed, events } = feedOf(clock);
  for (let change = 0; change < 5; change++) feed.changed('w', false);
  await clock.advance(0);
  expect(events.length).toBe(1);
  for (let change = 0; change < 200; change++) {
    feed.changed('w', false);
    await clock.advance(10);
  }
  await clock.advance(1000);
  expect(events.length).toBeGreaterThanOrEqual(20);
  expect(events.length).toBeLessThanOrEqual(22);
});

it('sends phase changes at once, until they come in masses', async () => {
  const clock = new VirtualClock();
  const { feed, events } = feedOf(clock);
  const at: number[] = [];
  feed.watch((event) => at.push(event.at));
  for (let change = 0; change < 100; change++) {
    feed.changed('w', true);
    await clock.advance(1);
  }
  expect(at.slice(0, 10).map((ms, index) => ms - (at[0] ?? 0) === index)).toEqual(Array(10).fill(true));
  await clock.advance(2000);
  expect(events.length).toBeLessThanOrEqual(13);
});

it('builds nothing when nobody listens, and nothing more once closed', async () => {
  const clock = new VirtualClock();
  const { feed, events } = feedOf(clock);
  const quiet = new StatusFeed(clock, () => {
    throw new Error('built');
  });
  quiet.changed('w', true);
  feed.changed('w', false);
  await clock.advance(1);
  feed.changed('w', false);
  feed.close();
  await clock.advance(1000);
  expect(events.length).toBe(1);
});
