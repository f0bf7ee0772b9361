import type { ScaledObjectInput } from '@ebb/documents';
import { minimumOf, type RehearsalPolicy, refuse, withScaling } from './policy.ts';

interface KedaParameters {
  min: number;
  /** Target in per cent of a replica's slots. */
  percent: number;
}

/**
 * KEDA with its defaults: polls every 30 s, cool-down 300 s, the HPA between 1 and N with a window of 300 s on the way
 * down. The trigger's value is the queue, requests in service included; its target a replica's slots, or a share of them.
 */
export const keda: RehearsalPolicy = {
  name: 'keda',
  summary: 'a ScaledObject with KEDA’s defaults on the queue; minN: minimum, a number: target in per cent of the slots',
  example: 'keda:min1,70',
  documents: (base, parameters, settings) => {
    const { min, percent } = parametersOf(parameters);
    const { name, namespace } = base.metadata;
    const target = (settings.model.concurrency * percent) / 100;
    const scaledObject: ScaledObjectInput = {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      spec: {
        scaleTargetRef: { name },
        minReplicaCount: min,
        maxReplicaCount: settings.maxReplicas,
        triggers: [
          { type: 'metrics-api', name: 'queue', metadata: { url: 'http://queue', targetValue: String(target) } },
        ],
      },
    };
    return [withScaling(base, settings, {}), scaledObject];
  },
};

function parametersOf(parameters: readonly string[]): KedaParameters {
  const found: KedaParameters = { min: 0, percent: 100 };
  for (const parameter of parameters) {
    const min = minimumOf(parameter);
    if (min !== null) found.min = min;
    else if (/^\d{1,3}$/.test(parameter) && Number(parameter) > 0) found.percent = Number(parameter);
    else refuse('keda', parameter, 'minN and a target in per cent of the slots, as in keda:min1,70');
  }
  return found;
}
