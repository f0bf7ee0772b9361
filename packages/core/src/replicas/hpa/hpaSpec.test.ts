import { parseDocuments, resolveHpa } from '@ebb/documents';
import { expect, test } from 'vitest';
import { decide } from '../decide.ts';
import { hpaDecisionSpec } from './hpaSpec.ts';
import { defaultHpaController } from './types.ts';

const specOf = (text: string, controller = defaultHpaController) =>
  hpaDecisionSpec(resolveHpa(parseDocuments(text, { file: 'h.yaml' }).documents[0]?.document), controller);

const checkout = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: checkout }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: checkout }
  minReplicas: 1
  maxReplicas: 30
  metrics:
    - type: External
      external: { metric: { name: orders }, target: { type: AverageValue, averageValue: "2.5" } }
  behavior:
    scaleUp: { policies: [{ type: Pods, value: 3, periodSeconds: 60 }] }
`;

test('a document becomes a spec, with the window of scaling down from the flags of the controller', () => {
  const controller = { ...defaultHpaController, downscaleStabilizationMs: 60_000 };
  expect(specOf(checkout, controller)).toMatchObject({
    policy: 'hpa',
    workload: 'local/default/checkout',
    metrics: [{ type: 'External', name: 'orders', target: { type: 'AverageValue', averageValueMilli: 2500 } }],
    behavior: { scaleUp: { stabilizationMs: 0 }, scaleDown: { stabilizationMs: 60_000 } },
    controller,
  });
});

test('and is decided from: 40 orders at 2.5 each ask for 16, the policy lets 3 more in a minute', () => {
  const { decision } = decide(specOf(checkout), null, {
    nowMs: 1_000_000,
    causes: ['reading'],
    readings: [],
    classes: {},
    lastActiveAtMs: null,
    countsKnown: true,
    hpa: { specReplicas: 2, statusReplicas: 2, pods: [], metrics: [{ valuesMilli: [40_000] }] },
  });
  expect(decision.replicas).toBe(5);
});
