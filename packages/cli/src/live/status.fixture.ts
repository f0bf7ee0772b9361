import type { ColdStart, ReplicaStatus, SystemStatus, WorkloadStatus } from '@ebb/documents';

/** Statuses for the tests of what is drawn; `atMs` is the moment they are drawn at. */
export const atMs = 1_760_000_000_000;

export const coldStart: ColdStart = {
  arrivalToAskUs: 420,
  askToSpawnUs: 3_100,
  spawnToListenUs: 210_000,
  listenToReadyUs: 402_000,
  readyToRouteUs: 310,
};

export function replicaStatus(changes: Partial<ReplicaStatus> = {}): ReplicaStatus {
  return {
    id: 'upscaler-x7k2p',
    class: 'default',
    revision: '4f1d',
    node: 'local',
    phase: 'ready',
    createdAt: atMs - 12_000,
    readyAt: atMs - 11_300,
    inFlight: 1,
    pid: 4711,
    port: 41_234,
    restarts: 0,
    message: '',
    coldStart,
    ...changes,
  };
}

export function workloadStatus(changes: Partial<WorkloadStatus> = {}): WorkloadStatus {
  const replicas = { wanted: 3, starting: 1, ready: 2, draining: 0, failed: 0 };
  return {
    cluster: 'local',
    namespace: 'default',
    name: 'upscaler',
    generation: 1,
    observedGeneration: 1,
    replicas,
    classes: { default: replicas },
    inFlight: 2,
    held: 5,
    oldestHeldMs: 1_240,
    requests: { total: 55, succeeded: 48, failed: 0, refused: 0, cancelled: 0, held: 6 },
    minReplicas: 0,
    maxReplicas: 4,
    decision: {
      sequence: 31,
      at: atMs - 2_000,
      replicas: 3,
      classes: { default: 3 },
      summary: '7 requests in flight and held over 6 s, at 2 a replica and 90 % of it planned for, ask for 3 replicas.',
      reasons: [],
    },
    revisitAt: atMs + 500,
    coldStarts: { count: 3, last: coldStart },
    cost: {
      currency: 'USD',
      ratePerHourMicro: 120_000,
      soFarMicro: '412',
      replicaSeconds: 37,
      alwaysOnMicro: '2400',
      alwaysOnReplicaSeconds: 216,
      assumption: 'assumes $0.04 an hour for each replica, as the document says',
    },
    replicaList: [replicaStatus()],
    conditions: [],
    url: 'http://127.0.0.1:8080/upscale',
    scaledBy: null,
    ...changes,
  };
}

export function idleStatus(name: string): WorkloadStatus {
  const none = { wanted: 0, starting: 0, ready: 0, draining: 0, failed: 0 };
  return workloadStatus({
    name,
    replicas: none,
    classes: { default: none },
    inFlight: 0,
    held: 0,
    oldestHeldMs: null,
    requests: { total: 0, succeeded: 0, failed: 0, refused: 0, cancelled: 0, held: 0 },
    decision: null,
    coldStarts: { count: 0, last: null },
    replicaList: [],
    cost: {
      currency: 'USD',
      ratePerHourMicro: 0,
      soFarMicro: '0',
      replicaSeconds: 0,
      alwaysOnMicro: '0',
      alwaysOnReplicaSeconds: 0,
      assumption: '',
    },
    url: `http://127.0.0.1:8080/${name}`,
    scaledBy: null,
  });
}

export function systemStatus(workloads: WorkloadStatus[]): SystemStatus {
  return {
    version: '0.1.0',
    at: atMs,
    startedAt: atMs - 72_000,
    gateway: { connected: true, url: 'http://127.0.0.1:8080', pid: 101 },
    agent: { connected: true, pid: 102 },
    workloads,
    dataDirectory: '/data/.ebb',
  };
}
