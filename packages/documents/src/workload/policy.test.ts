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
const policyOf = (scaling: string) =>
  resolveWorkload(read(scaling).documents[0]?.document, { baseDirectory: '/' }).scaling.policy;

test('left out: windows', () => {
  expect(policyOf('{}')).toEqual({ type: 'windows' });
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

test.each([
  [
    '{ policy: { type: knativ } }',
    'w.yaml:6:30: error: spec.scaling.policy.type has the unknown value "knativ"\n  allowed: windows, knative, ray, skyserve, kubeai, aibrix, clarifai, slo\n  did you mean "knative"?',
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
