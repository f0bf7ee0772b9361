import { expect, it } from 'vitest';
import { nextPhase, type ReplicaInput } from './replicaSet.ts';

const walk = (...inputs: ReplicaInput[]) => inputs.reduce(nextPhase, 'pending' as ReturnType<typeof nextPhase>);

it('goes through a whole life', () => {
  expect(walk('accepted', 'starting', 'ready')).toBe('ready');
  expect(walk('ready', 'drain')).toBe('draining');
  expect(walk('ready', 'drain', 'take-back')).toBe('ready');
  expect(walk('ready', 'drain', 'stop', 'stopping', 'gone')).toBe('gone');
  expect(walk('starting', 'backoff', 'starting', 'ready')).toBe('ready');
});

it('does not turn back on late or repeated messages', () => {
  expect(walk('ready', 'drain', 'ready', 'unready', 'ready')).toBe('draining');
  expect(walk('ready', 'stop', 'ready', 'take-back', 'backoff')).toBe('stopping');
  expect(walk('failed', 'ready', 'starting', 'gone', 'stop')).toBe('failed');
  expect(walk('gone', 'ready', 'accepted', 'drain')).toBe('gone');
  expect(walk('starting', 'accepted', 'take-back')).toBe('starting');
});

it('takes a replica out of service when its probe says no, and back when it says yes', () => {
  expect(walk('ready', 'unready')).toBe('starting');
  expect(walk('ready', 'unready', 'ready')).toBe('ready');
});
