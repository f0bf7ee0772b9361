import type { ScaledObjectInput, WorkloadInput } from '@ebb/documents';
import { resolveScaledObject, resolveWorkload } from '@ebb/documents';
import { expect, it } from 'vitest';
import { simulate } from './simulate.ts';
import { tokenModel, traceOf } from './simulate.fixture.ts';

const startAtMs = 1_780_000_000_123;

const workload: WorkloadInput = {
  apiVersion: 'ebb.dev/v1alpha1',
  kind: 'Workload',
  metadata: { name: 'chat' },
  spec: {
    classes: [{ command: ['serve'], concurrency: 2 }],
    serving: { timeouts: { hold: '1h' }, buffer: { maxRequests: 1000 } },
  },
};

const scaledObject: ScaledObjectInput = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: 'chat', annotations: { 'ebb.dev/improvements': 'true' } },
  spec: {
    scaleTargetRef: { name: 'chat' },
    cooldownPeriod: 10,
    maxReplicaCount: 4,
    triggers: [{ type: 'http', metadata: { targetValue: '2', window: '2' } }],
  },
};

it('an http trigger wakes at once, is read as the mean of its window, and is idle once that is over', async () => {
  const documents = [
    { ...workload, key: resolveWorkload(workload, { baseDirectory: '/' }).key, document: workload, origin: null },
    { ...scaledObject, key: resolveScaledObject(scaledObject).key, document: scaledObject, origin: null },
  ];
  // Six requests of a second each: 12 s after the first one, and 2 s of window and 10 s of cool-down after the last, all is over.
  const trace = traceOf(Array.from({ length: 6 }, () => ({ atUs: 5_000_000, tokens: 1000 })));
  const options = {
    trace,
    documents,
    model: tokenModel(2),
    seed: 1,
    policy: 'http',
    spanMs: 60_000,
    startAtMs,
    journal: true,
  };
  const { journal, mostReplicas, served, waitMs } = await simulate(options);
  const starts = (journal ?? []).filter(
    ({ kind, body }) => kind === 'action' && JSON.stringify(body).includes('"start"'),
  );
  expect(starts[0]?.atMs).toBeLessThanOrEqual(startAtMs + 5_010);
  // The mean of 2 s rises to six: more replicas come one after the other, and never more than six need.
  expect(starts.length).toBe(3);
  expect(new Set(starts.map(({ atMs }) => atMs)).size).toBeGreaterThan(1);
  expect(mostReplicas).toBe(3);
  expect(served).toBe(6);
  expect(waitMs.p50).toBeLessThan(11_100);
  const ends = (journal ?? []).filter(
    ({ kind, body }) => kind === 'outcome' && JSON.stringify(body).includes('"gone"'),
  );
  expect(ends.length).toBe(3);
  const lastMs = Math.max(...ends.map(({ atMs }) => atMs)) - startAtMs;
  expect(lastMs).toBeGreaterThan(26_000);
  expect(lastMs).toBeLessThan(32_000);
});
