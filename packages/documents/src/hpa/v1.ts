import { z } from 'zod';
import { rule } from '../fields/rule.ts';
import type { OlderVersion } from '../kind.ts';
import { kubernetesDocument } from '../kubernetes/document.ts';
import { int32Field } from '../kubernetes/names.ts';
import { objectReferenceSchema } from '../kubernetes/targetRef.ts';

/** Annotations that a cluster puts the rest of a newer object into when it is asked for in this version. */
const carriers = ['autoscaling.alpha.kubernetes.io/metrics', 'autoscaling.alpha.kubernetes.io/behavior'];

const v1Schema = kubernetesDocument(
  'autoscaling/v1',
  'HorizontalPodAutoscaler',
  z.strictObject({
    scaleTargetRef: objectReferenceSchema(),
    minReplicas: int32Field(0).optional(),
    maxReplicas: int32Field(1),
    targetCPUUtilizationPercentage: int32Field(1).optional(),
  }),
).check(
  rule(['metadata.annotations'], ({ metadata }, report) => {
    for (const name of carriers) {
      if (!Object.hasOwn(metadata.annotations, name)) continue;
      const message = `the annotation "${name}" holds what autoscaling/v1 has no fields for; export the object with \`kubectl get hpa.v2.autoscaling\``;
      report(['metadata', 'annotations', name], message, { code: 'unsupported-version' });
    }
  }),
);

/** autoscaling/v1, which knows CPU only. */
export const hpaV1: OlderVersion = {
  schema: v1Schema,
  message: 'autoscaling/v1 is read as autoscaling/v2: targetCPUUtilizationPercentage becomes a metric',
  convert: (written) => {
    const { apiVersion: _version, spec, ...rest } = written;
    return { apiVersion: 'autoscaling/v2', ...rest, spec: convertSpec(spec) };
  },
};

function convertSpec(spec: unknown): unknown {
  if (typeof spec !== 'object' || spec === null || !('targetCPUUtilizationPercentage' in spec)) return spec;
  const { targetCPUUtilizationPercentage: averageUtilization, ...rest } = spec;
  const target = { type: 'Utilization', averageUtilization };
  return { ...rest, metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }] };
}
