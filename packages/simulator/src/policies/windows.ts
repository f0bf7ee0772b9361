import { type RehearsalPolicy, refuse, withScaling } from './policy.ts';

/** Windows and panic, after Knative's, with their defaults. */
export const windows: RehearsalPolicy = {
  name: 'windows',
  summary: 'the policy windows with its defaults: stable and panic windows of concurrency, 60 s of keep-alive',
  example: 'windows',
  documents: (base, [parameter], settings) => {
    if (parameter !== undefined) refuse('windows', parameter, 'none');
    return [withScaling(base, settings, { policy: { type: 'windows' } })];
  },
};
