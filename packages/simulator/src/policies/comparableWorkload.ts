import { apiVersion, type WorkloadInput } from '@ebb/documents';
import type { WorldModel } from '../contract/model.ts';

/** Requests are held for as long as it takes, the queue is as long as need be, and a draining replica finishes what it has. */
export const patientServing = {
  timeouts: { hold: '24h' },
  buffer: { maxRequests: 1_000_000 },
  drain: '24h',
} satisfies WorkloadInput['spec']['serving'];

/**
 * The Workload of comparisons: nothing but its policy decides.
 */
export function comparableWorkload(name: string, { concurrency }: WorldModel): WorkloadInput {
  return {
    apiVersion,
    kind: 'Workload',
    metadata: { name },
    spec: {
      classes: [{ command: ['serve'], concurrency }],
      scaling: { maxReplicas: 10_000 },
      serving: patientServing,
    },
  };
}
