import { expect, it } from 'vitest';
import { type ActivationState, afterFailure, mayStart } from './activation.ts';

const failure = (startedAtMs: number, readyForMs: number | null = null) => ({
  code: 'crashed',
  message: 'exit code 1',
  replica: 'r',
  startedAtMs,
  readyForMs,
});

it('pauses 1 s, doubling to 60 s', () => {
  let state: ActivationState | null = null;
  let nowMs = 0;
  const pauses: number[] = [];
  for (let round = 0; round < 9; round++) {
    state = afterFailure(state, failure(nowMs + 1), nowMs + 2);
    pauses.push(state.retryAtMs - state.atMs);
    nowMs = state.retryAtMs;
    expect([mayStart(state, nowMs - 1), mayStart(state, nowMs)]).toEqual([false, true]);
  }
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

it('counts replicas that were started together and failed together once', () => {
  const first = afterFailure(null, failure(100), 200);
  const second = afterFailure(first, failure(100), 300);
  expect(second).toMatchObject({ failures: 1, retryAtMs: 1200 });
});

it('replaces at once what had proved itself', () => {
  const state = afterFailure(null, failure(0, 3_600_000), 3_700_000);
  expect(mayStart(state, 3_700_000)).toBe(true);
  const next = afterFailure(state, failure(3_700_001), 3_700_100);
  expect(next.failures).toBe(1);
  expect(mayStart(next, 3_700_100)).toBe(false);
});
