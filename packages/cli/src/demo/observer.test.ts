import { expect, test } from 'vitest';
import { atMs, idleStatus, replicaStatus, systemStatus, workloadStatus } from '../live/status.fixture.ts';
import { isAtZero, Observer } from './observer.ts';

const nobody = { begin: () => {}, event: () => {} };
const never = new AbortController().signal;
const event = (status: ReturnType<typeof workloadStatus>) => ({
  sequence: 1,
  type: 'status' as const,
  at: atMs,
  status,
});

test('waits for a moment of its own workload only', async () => {
  const observer = new Observer('upscaler', nobody);
  observer.begin(systemStatus([idleStatus('upscaler'), workloadStatus({ name: 'hello' })]));
  const ready = observer.until((status) => status.replicas.ready > 0, 10_000, never);
  observer.event(event(workloadStatus({ name: 'hello' })));
  expect(observer.latest?.replicas.ready).toBe(0);
  observer.event(event(workloadStatus()));
  expect(await ready).toBe(true);
  expect(observer.replicaPeak).toBe(2);
  expect(observer.pids).toEqual([4711]);
  expect(observer.firstStart?.totalUs).toBe(615_830);
});

test('gives up at the end of the time and on a signal', async () => {
  const observer = new Observer('upscaler', nobody);
  expect(await observer.until(() => true, 1, never)).toBe(false);
  const stop = new AbortController();
  const waiting = observer.until(() => true, 10_000, stop.signal);
  stop.abort();
  expect(await waiting).toBe(false);
});

test('zero means that not even an ending replica is left', () => {
  expect(isAtZero(idleStatus('a'))).toBe(true);
  expect(isAtZero({ ...idleStatus('a'), replicaList: [replicaStatus({ phase: 'stopping' })] })).toBe(false);
  expect(isAtZero(workloadStatus())).toBe(false);
});
