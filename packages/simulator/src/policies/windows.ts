import type { RehearsalPolicy } from './policy.ts';
import { refuse } from './policy.ts';

/** The Workload as it was written. */
export const windows: RehearsalPolicy = {
  name: 'windows',
  summary: 'the documents as they are',
  example: 'windows',
  documents: (base, [parameter]) => (parameter === undefined ? [base] : refuse('windows', parameter, 'none')),
};
