import { keda } from './keda.ts';
import { minimumOf, PolicyNameError, type RehearsalPolicy } from './policy.ts';

/** A HorizontalPodAutoscaler on the queue: KEDA without its way to zero. */
export const hpa: RehearsalPolicy = {
  name: 'hpa',
  summary: 'a HorizontalPodAutoscaler on the queue, min 1; a number: target in per cent of the slots',
  example: 'hpa:70',
  documents: (base, parameters, settings) => {
    const minimums = parameters.map(minimumOf).filter((min) => min !== null);
    if (minimums.includes(0)) throw new PolicyNameError('policy hpa: it cannot go to zero; the least is min1');
    return keda.documents(base, minimums.length > 0 ? parameters : ['min1', ...parameters], settings);
  },
};
