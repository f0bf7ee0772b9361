import { expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveWorkload } from './resolve.ts';

const workload = (scaling: string) => `apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: captions }
spec:
  classes: [{ name: default, command: [serve] }]
  scaling: ${scaling}
`;
const read = (scaling: string) => parseDocuments(workload(scaling), { file: 'w.yaml' });
const scalingOf = (scaling: string) =>
  resolveWorkload(read(scaling).documents[0]?.document, { baseDirectory: '/' }).scaling;
const policyOf = (scaling: string) => scalingOf(scaling).policy;

test('left out: priced, or windows where what only windows reads is written', () => {
  expect(policyOf('{}')).toMatchObject({ type: 'priced', onTimeMs: 5000 });
  expect(policyOf('{ keepAlive: 5m }')).toMatchObject({ type: 'priced' });
  expect(policyOf('{ windows: {} }')).toEqual({ type: 'windows' });
  expect(policyOf('{ triggers: [{ type: concurrency, target: 1 }] }')).toEqual({ type: 'windows' });
});

test('the fields of an origin, durations in milliseconds', () => {
  expect(policyOf('{ policy: { type: ray, downscaleToZeroDelay: 2m, upscaleDelay: 5s } }')).toMatchObject({
    type: 'ray',
    downscaleToZeroDelayMs: 120_000,
    upscaleDelayMs: 5000,
    downscaleDelayMs: 600_000,
  });
  expect(policyOf('{ policy: { type: knative, metric: rps, stableWindow: 30s, target: 50 } }')).toMatchObject({
    type: 'knative',
    metric: 'rps',
    stableWindowMs: 30_000,
    target: 50,
    targetBurstCapacity: 211,
  });
});

test('prices: what is on time, the share that is to be, and what a late request costs', () => {
  expect(policyOf('{ policy: { type: priced } }')).toEqual({
    type: 'priced',
    onTimeMs: 5000,
    onTimeShare: null,
    costOfLatenessMicro: null,
  });
  expect(policyOf('{ policy: { type: priced, onTime: 500ms, share: 0.999, costOfLateness: "0.002" } }')).toEqual({
    type: 'priced',
    onTimeMs: 500,
    onTimeShare: 0.999,
    costOfLatenessMicro: 2000,
  });
  expect(policyOf('{ policy: { type: priced, tuning: { backlog: 0 } } }')).toMatchObject({ tuning: { backlog: 0 } });
});

test('a keep-alive is known to be written only where prices decide', () => {
  expect(scalingOf('{}')).toMatchObject({ keepAliveMs: 60_000 });
  expect(scalingOf('{ windows: {}, keepAlive: 60s }')).not.toHaveProperty('keepAliveGiven');
  expect(scalingOf('{ policy: { type: ray }, keepAlive: 60s }')).not.toHaveProperty('keepAliveGiven');
  expect(scalingOf('{ policy: { type: priced } }')).not.toHaveProperty('keepAliveGiven');
  expect(scalingOf('{ policy: { type: priced }, keepAlive: 60s }')).toMatchObject({
    keepAliveMs: 60_000,
    keepAliveGiven: true,
  });
});

test.each([
  [
    '{ policy: { type: priced, share: 1 } }',
    'w.yaml:6:45: error: spec.scaling.policy.share must be at most 0.9999, found 1',
  ],
  [
    '{ policy: { type: priced, costOfLateness: "0.0000001" } }',
    'w.yaml:6:54: error: spec.scaling.policy.costOfLateness: "0.0000001" has more than six decimals',
  ],
  [
    '{ policy: { type: knativ } }',
    'w.yaml:6:30: error: spec.scaling.policy.type has the unknown value "knativ"\n  allowed: windows, knative, ray, skyserve, kubeai, aibrix, clarifai, slo, priced\n  did you mean "knative"?',
  ],
  [
    '{ policy: { type: kubeai, targetRequest: 5 } }',
    'w.yaml:6:38: error: unknown field "targetRequest" in spec.scaling.policy\n  allowed: type, targetRequests, scaleDownDelay, interval, timeWindow\n  did you mean "targetRequests"?',
  ],
  [
    '{ policy: { type: clarifai, scaleDownDelay: 10m, scaleToZeroDelay: 5m } }',
    'w.yaml:6:79: error: scaleToZeroDelay must be at least scaleDownDelay; scaleDownDelay is at w.yaml:6:56',
  ],
  [
    '{ policy: { type: slo, triggers: [{ type: queueWait, above: 1s, below: 2s }] } }',
    'w.yaml:6:83: error: below must be less than above; above is at w.yaml:6:72',
  ],
  [
    '{ policy: { type: slo, metrics: { server: llamacpp }, triggers: [{ type: timeToFirstToken, above: 1s }] } }',
    'w.yaml:6:85: error: llamacpp publishes no timeToFirstToken; server is at w.yaml:6:54\n  allowed: interTokenLatency, tokensPerSecond, kvCacheUse, waitingRequests, runningRequests',
  ],
  [
    '{ policy: { type: slo, metrics: { server: tgi }, triggers: [{ type: timeToFirstToken, quantile: 0.9, above: 1s }] } }',
    'w.yaml:6:80: error: tgi publishes only the mean of timeToFirstToken, not 0.9: write quantile: mean; server is at w.yaml:6:54',
  ],
  [
    '{ policy: { type: slo, metrics: { server: vlm }, triggers: [{ type: kvCacheUse, above: 0.9 }] } }',
    'w.yaml:6:54: error: spec.scaling.policy.metrics.server has the unknown value "vlm"\n  allowed: auto, vllm, tgi, triton, llamacpp, sglang\n  did you mean "vllm"?',
  ],
  [
    '{ policy: { type: slo, triggers: [{ type: kvCacheUse, above: 90 }] } }',
    'w.yaml:6:73: error: spec.scaling.policy.triggers[0].above must be at most 1, found 90',
  ],
  [
    '{ policy: { type: slo, objective: { share: 0.99 }, triggers: [{ type: throughput, above: 5 }] } }',
    'w.yaml:6:46: error: an objective needs a trigger on a time (timeToFirstToken, interTokenLatency, responseTime, queueWait); there is none',
  ],
  ['{ policy: { type: slo, triggers: [] } }', 'w.yaml:6:45: error: spec.scaling.policy.triggers must not be empty'],
  [
    '{ policy: { type: knative, stableWindow: 5s } }',
    'w.yaml:6:53: error: spec.scaling.policy.stableWindow: "5s" is too short; the shortest is 6s',
  ],
])('%s', (scaling, expected) => {
  expect(read(scaling).problems.map(problemText)).toEqual([expected]);
});

test('what only the own policy reads is told', () => {
  const { documents, problems } = read(
    '{ policy: { type: ray }, triggers: [{ type: concurrency, target: 1 }], behavior: { scaleDown: { selectPolicy: Min } } }',
  );
  expect(problems.map(({ severity, code, path }) => [severity, code, path])).toEqual([
    ['warning', 'no-effect', 'spec.scaling.triggers'],
    ['warning', 'no-effect', 'spec.scaling.behavior'],
  ]);
  expect(documents).toHaveLength(1);
});

test('prices read neither windows nor triggers, and everything else', () => {
  const hints = (scaling: string) => read(scaling).problems.map(({ code, path }) => [code, path]);
  const rest = 'keepAlive: 1m, behavior: { scaleDown: { selectPolicy: Min } }, minReplicas: 1';
  expect(hints(`{ policy: { type: priced }, ${rest} }`)).toEqual([]);
  expect(
    hints('{ policy: { type: priced }, windows: { stable: 30s }, triggers: [{ type: concurrency, target: 1 }] }'),
  ).toEqual([
    ['no-effect', 'spec.scaling.windows'],
    ['no-effect', 'spec.scaling.triggers'],
  ]);
  expect(hints('{ windows: { stable: 30s }, triggers: [{ type: concurrency, target: 1 }] }')).toEqual([]);
});

test('metrics of LLM servers: what is left out, and what is said', () => {
  expect(policyOf('{ policy: { type: slo, triggers: [{ type: queueWait, above: 1s }] } }')).not.toHaveProperty(
    'metrics',
  );
  const policy = policyOf(
    `{ policy: { type: slo, objective: { share: 0.99 }, triggers: [
       { type: timeToFirstToken, above: 1s }, { type: interTokenLatency, quantile: mean, above: 40ms },
       { type: kvCacheUse, above: 0.9 }, { type: tokensPerSecond, above: 100, below: 20 } ] } }`,
  );
  expect(policy).toMatchObject({
    metrics: { server: 'auto', path: '/metrics', port: null, intervalMs: 1000 },
    objective: { share: 0.99, windowMs: 3_600_000 },
    triggers: [
      { type: 'timeToFirstToken', name: 'timeToFirstToken', quantile: 0.95, aboveMs: 1000, belowMs: 500 },
      { type: 'interTokenLatency', quantile: null, aboveMs: 40, belowMs: null },
      { type: 'kvCacheUse', above: 0.9, below: 0.45 },
      { type: 'tokensPerSecond', abovePerReplica: 100, belowPerReplica: 20 },
    ],
  });
});
