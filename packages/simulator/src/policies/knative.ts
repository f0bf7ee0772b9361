import { minimumOf, type RehearsalPolicy, refuse, withScaling } from './policy.ts';

/** Knative's Pod Autoscaler with its defaults, the slots as containerConcurrency. */
export const knative: RehearsalPolicy = {
  name: 'knative',
  summary: 'Knative’s Pod Autoscaler with its defaults; minN: minimum',
  example: 'knative:min1',
  documents: (base, parameters, settings) => {
    let minReplicas = 0;
    for (const parameter of parameters) {
      const min = minimumOf(parameter);
      if (min === null) refuse('knative', parameter, 'minN');
      else minReplicas = min;
    }
    return [withScaling(base, settings, { minReplicas, policy: { type: 'knative' } })];
  },
};
