import { TriggerTargetError } from '@ebb/core';
import { parseDocuments, resolveScaledObject } from '@ebb/documents';
import { expect, test } from 'vitest';
import { triggerTargetOf, triggerTargetsOf } from './triggerTarget.ts';

function triggersOf(triggers: string) {
  const text = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: mailer }
spec:
  scaleTargetRef: { name: mailer }
  minReplicaCount: 1
  triggers: ${triggers}
`;
  return resolveScaledObject(parseDocuments(text, { file: 'k.yaml' }).documents[0]?.document).triggers;
}

// KEDA's own rules: of Redis streams the group decides what the target is.
test.each([
  ['{ type: rabbitmq, metadata: {} }', 20, 0],
  ['{ type: rabbitmq, metadata: { mode: MessageRate, value: "2.5", activationValue: "7" } }', 2.5, 7],
  ['{ type: rabbitmq, metadata: { queueLength: "15", activationValue: "1" } }', 15, 1],
  ['{ type: kafka, metadata: { topic: t } }', 10, 0],
  ['{ type: apache-kafka, metadata: { lagThreshold: "40", activationLagThreshold: "3" } }', 40, 3],
  ['{ type: redis, metadata: { listLength: "8", activationListLength: "2" } }', 8, 2],
  ['{ type: redis-streams, metadata: { consumerGroup: g, lagCount: "9", activationLagCount: "4" } }', 9, 4],
  ['{ type: redis-streams, metadata: { consumerGroup: g, pendingEntriesCount: "7" } }', 7, 0],
  ['{ type: redis-streams, metadata: { streamLength: "6", activationLagCount: "4" } }', 6, 4],
  ['{ type: redis-cluster-streams, metadata: {} }', 5, 0],
  ['{ type: redis-sentinel, metadata: {} }', 5, 0],
  ['{ type: nats-jetstream, metadata: {} }', 10, 0],
  ['{ type: prometheus, metadata: { threshold: "0.25", activationThreshold: "0.1" } }', 0.25, 0.1],
  ['{ type: postgresql, metadata: { targetQueryValue: "12", activationTargetQueryValue: "5" } }', 12, 5],
  ['{ type: mysql, metadata: { queryValue: "4.4", activationQueryValue: "1" } }', 4.4, 1],
  ['{ type: cron, metadata: { desiredReplicas: "6" } }', 1, 0],
  ['{ type: metrics-api, metadata: { targetValue: "3", activationTargetValue: "1" } }', 3, 1],
  ['{ type: kubernetes-workload, metadata: { value: "0.5", activationValue: "1" } }', 0.5, 1],
  ['{ type: http, metadata: { targetValue: "6" } }', 6, 0],
  ['{ type: gpu, metadata: { value: "70" } }', 70, 0],
  // Not available here, and yet decided for.
  ['{ type: aws-sqs-queue, metadata: { activationQueueLength: "9" } }', 5, 9],
  ['{ type: gcp-pubsub, metadata: {} }', 10, 0],
  ['{ type: azure-servicebus, metadata: { messageCount: "50", activationMessageCount: "2" } }', 50, 2],
  ['{ type: azure-queue, metadata: {} }', 5, 0],
  ['{ type: something-new, metadata: { threshold: "7", activationThreshold: "2" } }', 7, 2],
])('%s: target %d, activation %d', (trigger, target, activationTarget) => {
  expect(triggersOf(`[${trigger}]`).map(triggerTargetOf)).toEqual([{ target, activationTarget }]);
});

test.each([
  [
    '{ type: prometheus, name: load, metadata: {} }',
    'threshold',
    'trigger "load" (prometheus): threshold is missing: give a number, more than 0 as metadata.threshold',
  ],
  [
    '{ type: kafka, name: lag, metadata: { lagThreshold: many } }',
    'lagThreshold',
    'trigger "lag" (kafka): lagThreshold must be a whole number, more than 0, found "many"',
  ],
  [
    '{ type: rabbitmq, name: q, metadata: { mode: MesageRate, value: "3" } }',
    'mode',
    'trigger "q" (rabbitmq): mode must be one of QueueLength, ',
  ],
  [
    '{ type: azure-queue, name: q, metadata: { queueLength: "0" } }',
    'queueLength',
    'trigger "q" (azure-queue): metadata.queueLength must be more than 0, found 0',
  ],
  [
    '{ type: mongodb, name: q, metadata: { queryValue: none } }',
    'queryValue',
    'trigger "q" (mongodb): metadata.queryValue must be a number, found "none"',
  ],
])('%s', (trigger, key, message) => {
  let thrown: unknown;
  try {
    triggersOf(`[${trigger}]`).map(triggerTargetOf);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(TriggerTargetError);
  expect(thrown).toMatchObject({ key, message: expect.stringContaining(message) });
});

test('only the source of an external scaler knows, and what its metadata say is the next best', () => {
  const triggers = triggersOf(
    '[{ type: external, name: ext, metadata: { scalerAddress: "s:9090", targetValue: "4" } }]',
  );
  expect(triggers.map(triggerTargetOf)).toEqual([null]);
  expect(triggerTargetsOf(triggers)).toEqual({ ext: { target: 4, activationTarget: 0 } });
});

test('of all triggers by name, cpu and memory left out', () => {
  const triggers = triggersOf(`
    - { type: cpu, metricType: Utilization, metadata: { value: "60" } }
    - { type: kafka, name: lag, metadata: { lagThreshold: "5" } }
    - { type: cron, metadata: {} }`);
  expect(triggerTargetsOf(triggers)).toEqual({
    lag: { target: 5, activationTarget: 0 },
    's2-cron': { target: 1, activationTarget: 0 },
  });
});
