import { MemoryStore, VirtualClock } from '@ebb/testing';
import { expect, it } from 'vitest';
import { PodBindings } from './bindings.ts';

it('saves again what the store did not take, and is not late for a newer leader', async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  const epoch = await store.takeEpoch();
  const said: string[] = [];
  const bindings = new PodBindings(clock, store.state, epoch, (message) => said.push(message));
  store.faults.fail = () => new Error('away');
  let replica = 'a';
  bindings.changed('w', () => ({ pod: replica }));
  await clock.advance(20_000);
  expect(said.length).toBeGreaterThan(1);
  store.faults = {};
  replica = 'b';
  await clock.advance(6000);
  expect(await store.state.load('kubernetes/pods/w')).toEqual({ pod: 'b' });
  expect(clock.pending()).toBe(0);

  await store.takeEpoch();
  bindings.changed('w', () => ({ pod: 'c' }));
  await clock.advance(1000);
  expect(clock.pending()).toBe(0);
  expect(await store.state.load('kubernetes/pods/w')).toEqual({ pod: 'b' });
});
