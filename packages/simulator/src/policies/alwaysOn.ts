import { PolicyNameError, type RehearsalPolicy, withScaling } from './policy.ts';

/** The same count all the time. */
export const alwaysOn: RehearsalPolicy = {
  name: 'always-on',
  summary: 'so many replicas all the time',
  example: 'always-on:4',
  documents: (base, [count, ...others], settings) => {
    if (count === undefined || others.length > 0 || !/^\d{1,5}$/.test(count) || Number(count) === 0) {
      throw new PolicyNameError(`policy always-on: needs a count, as in always-on:4; found ${count ?? 'nothing'}`);
    }
    const replicas = Number(count);
    return [withScaling(base, settings, { minReplicas: replicas, maxReplicas: replicas, initialReplicas: replicas })];
  },
};
