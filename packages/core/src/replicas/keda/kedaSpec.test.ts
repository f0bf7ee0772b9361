import { parseDocuments, resolveScaledJob, resolveScaledObject } from '@ebb/documents';
import { expect, test } from 'vitest';
import { decide } from '../decide.ts';
import {
  defaultKedaImprovements,
  kedaDecisionSpec,
  kedaFormulaProblems,
  scaledJobRules,
  scaledJobTargets,
} from './kedaSpec.ts';
import { jobsToCreate } from './scaledJob.ts';
import { TriggerTargetError } from './triggerTargets.ts';

const first = (text: string) => parseDocuments(text, { file: 'k.yaml' }).documents[0]?.document;
const object = (triggers: string, annotations = '{}') =>
  resolveScaledObject(
    first(`apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: mailer, annotations: ${annotations} }
spec:
  scaleTargetRef: { name: mailer }
  minReplicaCount: 1
  triggers: ${triggers}
`),
  );
const triggersOf = (triggers: string) => kedaDecisionSpec(object(triggers)).triggers;

test.each([
  ['{ type: rabbitmq, metadata: {} }', 20, 0],
  ['{ type: rabbitmq, metadata: { mode: MessageRate, value: "2.5", activationValue: "7" } }', 2.5, 7],
  ['{ type: rabbitmq, metadata: { queueLength: "15", activationValue: "1" } }', 15, 1],
  ['{ type: kafka, metadata: { topic: t } }', 10, 0],
  ['{ type: apache-kafka, metadata: { lagThreshold: "40", activationLagThreshold: "3" } }', 40, 3],
  ['{ type: redis, metadata: { listLength: "8", activationListLength: "2" } }', 8, 2],
  ['{ type: redis-streams, metadata: { lagCount: "9", activationLagCount: "4" } }', 9, 4],
  ['{ type: redis-streams, metadata: { streamLength: "6", activationLagCount: "4" } }', 6, 4],
  ['{ type: nats-jetstream, metadata: {} }', 10, 0],
  ['{ type: prometheus, metadata: { threshold: "0.25", activationThreshold: "0.1" } }', 0.25, 0.1],
  ['{ type: postgresql, metadata: { targetQueryValue: "12", activationTargetQueryValue: "5" } }', 12, 5],
  ['{ type: mysql, metadata: { queryValue: "4.4", activationQueryValue: "1" } }', 4.4, 1],
  ['{ type: cron, metadata: { desiredReplicas: "6" } }', 1, 0],
  ['{ type: metrics-api, metadata: { targetValue: "3", activationTargetValue: "1" } }', 3, 1],
  ['{ type: aws-sqs-queue, metadata: { activationQueueLength: "9" } }', 5, 9],
  ['{ type: gcp-pubsub, metadata: {} }', 10, 0],
  ['{ type: azure-servicebus, metadata: { messageCount: "50", activationMessageCount: "2" } }', 50, 2],
  ['{ type: azure-queue, metadata: {} }', 5, 0],
  ['{ type: kubernetes-workload, metadata: { value: "0.5", activationValue: "1" } }', 0.5, 1],
  ['{ type: something-new, metadata: { threshold: "7", activationThreshold: "2" } }', 7, 2],
])('%s: target %d, activation %d', (trigger, target, activationTarget) => {
  expect(triggersOf(`[${trigger}]`)).toMatchObject([{ target, activationTarget, resource: null }]);
});

test('cpu and memory become resource metrics', () => {
  const triggers = triggersOf(`
    - { type: cpu, metricType: Utilization, metadata: { value: "60" } }
    - { type: memory, metricType: AverageValue, metadata: { value: 1.5Gi, containerName: app } }`);
  expect(triggers.map(({ resource, target }) => ({ resource, target }))).toEqual([
    {
      target: 60,
      resource: { type: 'Resource', name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
    },
    {
      target: 1_610_612_736,
      resource: {
        type: 'ContainerResource',
        name: 'memory',
        container: 'app',
        target: { type: 'AverageValue', averageValueMilli: 1_610_612_736_000 },
      },
    },
  ]);
});

test.each([
  ['{ type: prometheus, name: load, metadata: {} }', 'trigger "load" (prometheus): metadata.threshold is missing'],
  [
    '{ type: kafka, name: lag, metadata: { lagThreshold: many } }',
    'trigger "lag" (kafka): metadata.lagThreshold must be a number, found "many"',
  ],
  [
    '{ type: kafka, name: lag, metadata: { lagThreshold: "0" } }',
    'trigger "lag" (kafka): metadata.lagThreshold must be more than 0, found 0',
  ],
  [
    '{ type: cpu, name: c, metricType: Utilization, metadata: { value: "6.5" } }',
    'trigger "c" (cpu): metadata.value must be a whole per cent above 0, found "6.5"',
  ],
])('%s', (trigger, message) => {
  const spec = object(`[${trigger}, { type: cron, metadata: {} }]`);
  expect(() => kedaDecisionSpec(spec)).toThrow(message);
  expect(() => kedaDecisionSpec(spec)).toThrow(TriggerTargetError);
});

test("an external scaler's target comes from its source", () => {
  const spec = object('[{ type: external, name: ext, metadata: { scalerAddress: "s:9090" } }]');
  const targets = { ext: { target: 4, activationTarget: 1 } };
  expect(kedaDecisionSpec(spec, { targets }).triggers).toMatchObject([{ target: 4, activationTarget: 1 }]);
});

test('improvements are off unless the annotation asks for them', () => {
  const trigger = '[{ type: kafka, metadata: {} }]';
  expect(kedaDecisionSpec(object(trigger)).improvements).toBeNull();
  expect(kedaDecisionSpec(object(trigger, '{ ebb.dev/improvements: "true" }')).improvements).toEqual(
    defaultKedaImprovements,
  );
});

test('a document is decided from: 95 messages at 20 each ask for 5', () => {
  const spec = kedaDecisionSpec(object('[{ type: rabbitmq, name: mails, metadata: { queueName: mails } }]'));
  const { decision } = decide(spec, null, {
    nowMs: 5_000_000,
    causes: ['reading'],
    readings: [],
    classes: {},
    lastActiveAtMs: null,
    countsKnown: true,
    keda: {
      specReplicas: 3,
      statusReplicas: 3,
      readyReplicas: 3,
      createdAtMs: 0,
      readings: { mails: { value: 95, active: true } },
    },
  });
  expect(decision.replicas).toBe(5);
});

const job = (spec: string) =>
  resolveScaledJob(
    first(`apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: { name: thumbnails }
spec:
  jobTargetRef: { template: {} }
  triggers: [{ type: redis, name: pictures, metadata: { listLength: "2" } }]
${spec.replace(/^/gm, '  ')}
`),
  );

test('rules and targets of a ScaledJob, and the Jobs they make', () => {
  const resolved = job('maxReplicaCount: 10\nscalingStrategy: { strategy: accurate, multipleScalersCalculation: sum }');
  expect(scaledJobRules(resolved)).toEqual({
    strategy: 'accurate',
    multipleScalersCalculation: 'sum',
    customQueueLengthDeduction: 0,
    customRunningJobPercentage: null,
    minReplicas: 0,
    maxReplicas: 10,
  });
  const [target] = scaledJobTargets(resolved);
  expect(target).toEqual({ name: 'pictures', type: 'redis', target: 2, activationTarget: 0 });
  const reading = { trigger: 'pictures', queueLength: 9, target: target?.target ?? 0, active: true };
  expect(jobsToCreate(scaledJobRules(resolved), [reading], { running: 3, pending: 1 }).create).toBe(4);
});

test('a maximum that is left out stays left out, because the minimum does not count against it then', () => {
  expect(scaledJobRules(job('minReplicaCount: 4')).maxReplicas).toBeNull();
});

test.each([
  ['letters + parcels', []],
  ['letters > 3 ? letters : parcels', []],
  ['letters + parcel', [{ column: 11, found: 'parcel', suggestion: 'parcels' }]],
  ['letters + load', [{ column: 11, found: 'load' }]],
  ['letters +', [{ column: 10 }]],
])('the formula %s', (formula, problems) => {
  const resolved = resolveScaledObject(
    first(`apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: post }
spec:
  scaleTargetRef: { name: post }
  advanced: { scalingModifiers: { formula: "${formula}", target: "4" } }
  triggers:
    - { type: kafka, name: letters, metadata: {} }
    - { type: redis, name: parcels, metadata: {} }
    - { type: cpu, name: load, metricType: Utilization, metadata: { value: "50" } }
`),
  );
  expect(kedaFormulaProblems(resolved)).toMatchObject(problems);
  expect(kedaFormulaProblems(resolved)).toHaveLength(problems.length);
});
