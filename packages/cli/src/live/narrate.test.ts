import { expect, test } from 'vitest';
import { narrate } from './narrate.ts';
import { coldStart, idleStatus, replicaStatus, workloadStatus } from './status.fixture.ts';

const texts = (...change: Parameters<typeof narrate>) => narrate(...change).map(({ text }) => text);

test('from nothing to one replica: held, wanted with the reason, starting', () => {
  const now = workloadStatus({ held: 1, replicaList: [replicaStatus({ phase: 'starting' })] });
  expect(texts(idleStatus('upscaler'), now)).toEqual([
    '1 request held: no free replica yet',
    expect.stringMatching(/^wants 0 → 3: 7 requests in flight/),
    'replica x7k2p is starting',
  ]);
});

test('a replica that turns ready tells its cold start by stage', () => {
  const before = workloadStatus({ replicaList: [replicaStatus({ phase: 'starting' })] });
  const now = workloadStatus({ replicaList: [replicaStatus({ phase: 'ready', coldStart })] });
  expect(texts(before, now)).toEqual([
    'replica x7k2p is ready: spawn 3.1 ms → load 612 ms → ready 0.31 ms; 616 ms (Ebb 3.8 ms)',
  ]);
});

test('a replica is ready only once the gateway routes to it', () => {
  const loading = replicaStatus({ phase: 'starting', coldStart: { ...coldStart, readyToRouteUs: null } });
  const before = workloadStatus({ replicaList: [loading] });
  const unrouted = workloadStatus({ replicaList: [{ ...loading, phase: 'ready' }] });
  expect(texts(before, unrouted)).toEqual([]);
  expect(texts(unrouted, workloadStatus())).toEqual([expect.stringContaining('is ready: spawn 3.1 ms')]);
});

test('draining, failing and going away', () => {
  const before = workloadStatus();
  const draining = workloadStatus({ replicaList: [replicaStatus({ phase: 'draining', inFlight: 2 })] });
  expect(texts(before, draining)).toEqual(['replica x7k2p finishes 2 requests and goes']);
  const failed = workloadStatus({ replicaList: [replicaStatus({ phase: 'failed', message: 'exit\u001b[2J code 1' })] });
  expect(narrate(before, failed)).toEqual([
    { workload: 'upscaler', text: 'replica x7k2p failed: exit code 1', tone: 'bad' },
  ]);
  const gone = { ...workloadStatus(), replicaList: [] };
  expect(texts(before, gone)).toEqual(['at zero: nothing runs, nothing costs']);
});

test('nothing changed, nothing told', () => {
  expect(narrate(workloadStatus(), workloadStatus())).toEqual([]);
});
