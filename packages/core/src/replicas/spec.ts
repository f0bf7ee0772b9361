import { keyText, type WorkloadSpec } from '@ebb/documents';
import type { WorkloadDecisionSpec } from './types.ts';

/** The part of a workload that a decision is made from, classes cheapest first. */
export function decisionSpecOf(workload: WorkloadSpec): WorkloadDecisionSpec {
  return {
    policy: 'windows',
    workload: keyText(workload.key),
    classes: workload.classes
      .map(({ name, concurrency, pricePerHourMicro }) => ({ name, concurrency, pricePerHourMicro }))
      .sort((a, b) => a.pricePerHourMicro - b.pricePerHourMicro),
    scaling: workload.scaling,
  };
}
