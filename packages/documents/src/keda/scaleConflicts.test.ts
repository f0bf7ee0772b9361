import { expect, it } from 'vitest';
import { checkBatch } from '../parse/checkBatch.ts';
import { parseDocuments } from '../parse/parseDocuments.ts';

const object = (name: string, target: string, more = '') => `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: ${name} }
spec:
  scaleTargetRef: { name: ${target} }
  triggers: [{ type: cron, metadata: {} }]
${more}---
`;
const hpa = (name: string, target: string, annotations = '{}') => `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: ${name}, annotations: ${annotations} }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: ${target} }
  maxReplicas: 3
---
`;
function conflicts(...texts: string[]): string[] {
  const { documents, problems } = parseDocuments(texts.join(''), { file: 'k.yaml' });
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return checkBatch(documents).map(({ code, line, message }) => `${line} ${code}: ${message}`);
}

it('is content with a target for each', () => {
  expect(conflicts(object('a', 'one'), object('b', 'two'), hpa('h', 'three'))).toEqual([]);
});

it('tells two ScaledObjects of one target, at the second', () => {
  expect(conflicts(object('a', 'one'), object('b', 'one'))).toEqual([
    '12 scale-conflict: "one" is scaled by the ScaledObject "a" already; the other one is at k.yaml:3:19',
  ]);
});

it('tells two ScaledObjects with one name of the HPA', () => {
  const named = '  advanced: { horizontalPodAutoscalerConfig: { name: shared } }\n';
  expect(conflicts(object('a', 'one', named), object('b', 'two', named))).toEqual([
    expect.stringMatching(/^15 scale-conflict: the HPA name "shared" is that of the ScaledObject "a" already/),
  ]);
});

it("tells an HPA beside a ScaledObject, unless it is KEDA's own or says that it may be", () => {
  expect(conflicts(object('a', 'one'), hpa('h', 'one'))).toEqual([
    expect.stringMatching(/"one" is scaled by the ScaledObject "a" and by this HorizontalPodAutoscaler/),
  ]);
  expect(conflicts(object('a', 'one'), hpa('keda-hpa-a', 'one'))).toEqual([]);
  expect(conflicts(object('a', 'one'), hpa('h', 'one', '{ validations.keda.sh/hpa-ownership: "false" }'))).toEqual([]);
});
