import type { WorkloadSpec } from '@ebb/documents';

/** What the hint is computed from, beside what was learned. */
export interface ClassHintSpec {
  /** Cheapest first. */
  classes: ClassHintClass[];
  minReplicas: number;
  maxReplicas: number;
  /** A request is on time when its service begins within this. */
  onTimeMs: number;
  /** Share that is to be on time; null: lateness has a price only. */
  onTimeShare: number | null;
  /** Of a late request; null: the document does not say. */
  costOfLatenessMicro: number | null;
}

export interface ClassHintClass {
  name: string;
  /** Requests that one replica works on at once. */
  slots: number;
  pricePerHourMicro: number;
  /** False where its `accepts` may turn requests away. */
  acceptsAll: boolean;
}

/** More classes than these are not compared: the memory has a bound. */
export const mostClasses = 8;
/** As the policy `priced` takes a class without a limit. */
const slotsWithoutLimit = 10;

/**
 * What the hint for a workload is computed from; null where there is nothing to compare: a single class, or a policy
 * for which the flow of requests is not measured.
 */
export function classHintSpecOf({ classes, scaling }: Pick<WorkloadSpec, 'classes' | 'scaling'>): ClassHintSpec | null {
  const { policy, minReplicas, maxReplicas } = scaling;
  if (classes.length < 2 || policy?.type !== 'priced') return null;
  return {
    classes: classes
      .map(({ name, concurrency, pricePerHourMicro, accepts }) => ({
        name,
        slots: concurrency === 0 ? slotsWithoutLimit : concurrency,
        pricePerHourMicro,
        acceptsAll: accepts === null,
      }))
      .sort((a, b) => a.pricePerHourMicro - b.pricePerHourMicro)
      .slice(0, mostClasses),
    minReplicas,
    maxReplicas,
    onTimeMs: policy.onTimeMs,
    onTimeShare: policy.onTimeShare,
    costOfLatenessMicro: policy.costOfLatenessMicro,
  };
}
