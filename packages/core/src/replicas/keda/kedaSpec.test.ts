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
import { TriggerTargetError } from './triggerTarget.ts';

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
const triggersOf = (triggers: string) => kedaDecisionSpec(object(triggers), { targets: {} }).triggers;
const twenty = { target: 20, activationTarget: 3 };

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

test('the value of a cpu trigger must be one', () => {
  const spec = object('[{ type: cpu, name: c, metricType: Utilization, metadata: { value: "6.5" } }]');
  const message = 'trigger "c" (cpu): metadata.value must be a whole per cent above 0, found "6.5"';
  expect(() => kedaDecisionSpec(spec, { targets: {} })).toThrow(message);
  expect(() => kedaDecisionSpec(spec, { targets: {} })).toThrow(TriggerTargetError);
});

test('every other target is given, or it is not known', () => {
  const spec = object('[{ type: kafka, name: lag, metadata: { lagThreshold: "5" } }]');
  expect(kedaDecisionSpec(spec, { targets: { lag: twenty } }).triggers).toMatchObject([twenty]);
  expect(() => kedaDecisionSpec(spec, { targets: { other: twenty } })).toThrow(
    'trigger "lag" (kafka): what it aims at is not known',
  );
});

test('improvements are off unless the annotation asks for them', () => {
  const trigger = '[{ type: kafka, name: lag, metadata: {} }]';
  const options = { targets: { lag: twenty } };
  expect(kedaDecisionSpec(object(trigger), options).improvements).toBeNull();
  const improved = object(trigger, '{ ebb.dev/improvements: "true" }');
  expect(kedaDecisionSpec(improved, options).improvements).toEqual(defaultKedaImprovements);
});

test('a document is decided from: 95 messages at 20 each ask for 5', () => {
  const mails = object('[{ type: rabbitmq, name: mails, metadata: { queueName: mails } }]');
  const spec = kedaDecisionSpec(mails, { targets: { mails: twenty } });
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
  const [target] = scaledJobTargets(resolved, { pictures: { target: 2, activationTarget: 0 } });
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
