import type { ReplicaStart } from '@ebb/core';

/** The workload of the Deployment or StatefulSet `web`. */
export const workload = { cluster: 'local', namespace: 'default', name: 'web' };

/** How the engine asks for a replica of it: the target has its template. */
export const start = (id: string): ReplicaStart => ({
  id,
  workload,
  class: 'default',
  revision: 'target',
  node: 'local',
  command: ['pod'],
  env: {},
  envFromHost: [],
  workingDirectory: '/',
  port: 'auto',
  resources: { requests: { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
  probes: {
    startup: { action: { type: 'tcp' }, timeoutMs: 1, budgetMs: 1 },
    readiness: { action: { type: 'tcp' }, periodMs: 1, timeoutMs: 1, successThreshold: 1, failureThreshold: 1 },
    liveness: null,
  },
  terminationGraceMs: 0,
});
