import { expect, test } from 'vitest';
import { atMs, coldStart, idleStatus, replicaStatus, systemStatus, workloadStatus } from '../live/status.fixture.ts';
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

test('counts from where it began, whatever earlier runs have left', () => {
  const observer = new Observer('upscaler', nobody);
  observer.begin(systemStatus([workloadStatus()]));
  expect(observer.starts).toBe(0);
  expect(observer.firstStart).toBeNull();
  expect(observer.cost).toMatchObject({ soFarMicro: '0', alwaysOnMicro: '0', replicaSeconds: 0 });
  const { cost } = workloadStatus();
  const later = { ...cost, soFarMicro: '500', alwaysOnMicro: '2500', replicaSeconds: 40, alwaysOnReplicaSeconds: 226 };
  const faster = { ...coldStart, spawnToListenUs: 10_000 };
  observer.event(event(workloadStatus({ cost: later, coldStarts: { count: 4, last: faster } })));
  expect(observer.starts).toBe(1);
  expect(observer.firstStart?.totalUs).toBe(415_830);
  const difference = { soFarMicro: '88', alwaysOnMicro: '100', replicaSeconds: 3, alwaysOnReplicaSeconds: 10 };
  expect(observer.cost).toMatchObject(difference);
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
