// Seeded workloads of the `decide` bench: specs of each family, and demand that rises, falls and bursts.
import { defaultHpaController, defaultKpaSettings } from '../packages/core/dist/index.js';

const behavior = {
  scaleUp: {
    stabilizationMs: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodMs: 15_000 },
      { type: 'Percent', value: 100, periodMs: 15_000 },
    ],
    tolerance: null,
  },
  scaleDown: {
    stabilizationMs: 300_000,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 50, periodMs: 60_000 }],
    tolerance: null,
  },
};

/** Mulberry32: the same seed, the same workloads. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Windows decide from readings, prices from the flow; both have demand of the same kind. */
const scaling = {
  minReplicas: 0,
  maxReplicas: 20,
  initialReplicas: 0,
  windows: {
    stableMs: 60_000,
    panicMs: 6000,
    panicThreshold: 2,
    maxScaleUpRate: 1000,
    maxScaleDownRate: 2,
    targetUtilization: 0.7,
  },
  triggers: [
    { name: 'concurrency', type: 'concurrency', target: 4 },
    { name: 'requestRate', type: 'requestRate', target: 20 },
  ],
  keepAliveMs: 300_000,
  behavior: {
    scaleUp: { stabilizationMs: 0, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 10, periodMs: 10_000 }] },
    scaleDown: {
      stabilizationMs: 60_000,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 50, periodMs: 60_000 }],
    },
  },
  schedules: [{ name: 'office', timezone: 'UTC', start: '0 8 * * 1-5', end: '0 18 * * 1-5', minReplicas: 2 }],
  events: [],
  paused: null,
};

/** By tenths: 4 HPA and KEDA, 3 KPA, 3 windows. */
const mix = ['hpa', 'keda', 'hpa', 'keda', 'kpa', 'kpa', 'kpa', 'windows', 'windows', 'windows'];

export function makeWorkloads(count, seed, families = mix) {
  const random = randomOf(seed);
  return Array.from({ length: count }, (_, index) => {
    const name = `local/default/w${index}`;
    return {
      name,
      spec: specs[families[index % families.length]](name),
      memory: null,
      replicas: 1 + Math.floor(random() * 5),
      /** Mean demand, how far it swings, over how long, and where in its swing it is. */
      level: 2 + random() * 30,
      swing: random(),
      periodMs: 60_000 + random() * 3_600_000,
      phase: random(),
      idleShare: random() < 0.2 ? 0.7 : 0,
      random,
    };
  });
}

const specs = {
  hpa: (workload) => ({
    policy: 'hpa',
    workload,
    minReplicas: 1,
    maxReplicas: 20,
    metrics: [
      { type: 'Resource', name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
      { type: 'Pods', name: 'requests', target: { type: 'AverageValue', averageValueMilli: 4000 } },
    ],
    behavior,
    controller: defaultHpaController,
  }),
  keda: (workload) => ({
    policy: 'keda',
    workload,
    minReplicas: 0,
    maxReplicas: 20,
    idleReplicas: null,
    cooldownMs: 300_000,
    initialCooldownMs: 0,
    pollingIntervalMs: 30_000,
    triggers: ['queue', 'lag'].map((name) => ({
      name,
      type: 'external',
      metricType: 'AverageValue',
      target: 4,
      activationTarget: 0,
      resource: null,
    })),
    fallback: { failureThreshold: 3, replicas: 2, behavior: 'static' },
    modifiers: null,
    pause: { paused: false, replicas: null, scaleIn: false, scaleOut: false },
    forceActivation: false,
    behavior,
    controller: defaultHpaController,
    improvements: null,
  }),
  kpa: (workload) => ({
    ...defaultKpaSettings,
    policy: 'kpa',
    workload,
    classes: ['default'],
    containerConcurrency: 4,
    maxScale: 20,
  }),
  windows: (workload) => ({
    policy: 'windows',
    workload,
    classes: [{ name: 'default', concurrency: 4, pricePerHourMicro: 70_000 }],
    scaling,
  }),
  priced: (workload) => ({
    policy: 'priced',
    workload,
    classes: [{ name: 'default', concurrency: 4, pricePerHourMicro: 70_000 }],
    scaling,
    onTimeMs: 5000,
    onTimeShare: null,
    costOfLatenessMicro: null,
  }),
};

function demandAt(workload, atMs) {
  const turn = (atMs / workload.periodMs + workload.phase) % 1;
  if (turn < workload.idleShare) return 0;
  const wave = 1 + workload.swing * Math.sin(turn * 2 * Math.PI);
  return Math.max(0, workload.level * wave * (0.8 + 0.4 * workload.random()));
}

/** What is seen of a workload now: two new readings, and as many replicas ready as were decided. */
export function observe(workload, nowMs) {
  const demand = demandAt(workload, nowMs);
  const { policy } = workload.spec;
  const ready = workload.replicas;
  const observation = {
    nowMs,
    causes: ['reading'],
    readings: [],
    classes: { default: { ready, starting: 0, draining: 0, failed: 0, inFlight: Math.round(demand), held: 0 } },
    lastActiveAtMs: demand > 0 ? nowMs : null,
    countsKnown: true,
  };
  if (policy === 'hpa') observation.hpa = podsOf(ready, demand, nowMs);
  else if (policy === 'keda') {
    observation.keda = {
      specReplicas: ready,
      statusReplicas: ready,
      readyReplicas: ready,
      createdAtMs: 1_600_000_000_000,
      readings: { queue: { value: demand }, lag: { value: demand / 2 } },
    };
  } else observation.readings = readingsOf(policy, demand, nowMs);
  if (policy === 'priced') observation.flow = { default: flowOf(workload, demand) };
  return observation;
}

/** What the gateways count in a second of such demand, with a service of a fifth of a second. */
function flowOf({ random }, demand) {
  const about = (mean) => Math.round(mean * (0.7 + 0.6 * random()));
  const arrivals = about(demand * 5);
  const answered = about(demand * 5);
  const isLate = random() < 0.1;
  return {
    spanMs: 1000 + Math.floor(random() * 60),
    arrivals,
    answered,
    serviceMs: about(answered * 200),
    waitMs: random() < 0.5 ? about(answered * 20) : 0,
    late: isLate ? about(arrivals / 10) : 0,
    peak: Math.ceil(demand * 1.5),
    inFlightWaitMs: random() < 0.5 ? about(demand * 20) : 0,
    oldestHeldMs: isLate ? about(700) : 0,
    coldStartMs: 8123,
  };
}

function podsOf(count, demand, nowMs) {
  const names = Array.from({ length: count }, (_, index) => `pod-${index}`);
  const each = demand / Math.max(1, count);
  const startTimeMs = nowMs - 3_600_000;
  return {
    specReplicas: count,
    statusReplicas: count,
    pods: names.map((name) => ({
      name,
      phase: 'Running',
      startTimeMs,
      ready: { status: 'True', lastTransitionMs: startTimeMs },
      containers: [{ name: 'main', requests: { cpu: 1000 } }],
    })),
    metrics: [
      { pods: names.map((name) => ({ name, valueMilli: Math.round(each * 150) })) },
      { pods: names.map((name) => ({ name, valueMilli: Math.round(each * 1000) })) },
    ],
  };
}

function readingsOf(policy, demand, nowMs) {
  const reading = { class: 'default', peak: null, spanMs: 1000, atMs: nowMs, state: 'ok' };
  const readings = [
    { ...reading, trigger: 'concurrency', value: demand },
    { ...reading, trigger: 'requestRate', value: demand * 5 },
  ];
  if (policy === 'windows' || policy === 'priced') {
    const on = Math.floor(nowMs / 36_000_000) % 2 === 1;
    readings.push({
      ...reading,
      trigger: 'schedule:office',
      class: null,
      spanMs: 0,
      value: on ? 2 : 0,
      nextChangeMs: (Math.floor(nowMs / 36_000_000) + 1) * 36_000_000,
    });
  }
  return readings;
}
