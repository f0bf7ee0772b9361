import type { Reason } from '../../explain/reasons.ts';

/** Bounds of the algorithms that have a minimum and a maximum; null: no maximum. */
export interface ReplicaLimits {
  minReplicas: number;
  maxReplicas: number | null;
}

/** The count within the limits; a maximum below the minimum wins. */
export function limited(limits: ReplicaLimits, wanted: number, reasons: Reason[]): number {
  const { minReplicas, maxReplicas } = limits;
  let replicas = wanted;
  if (replicas < minReplicas) {
    reasons.push({ code: 'raised-to-min', stage: 'bounds', data: { wanted, minReplicas } });
    replicas = minReplicas;
  }
  if (maxReplicas !== null && replicas > maxReplicas) {
    reasons.push({ code: 'capped-at-max', stage: 'bounds', data: { wanted, maxReplicas } });
    replicas = maxReplicas;
  }
  return replicas;
}

/** A lost source is not zero demand: the algorithm keeps what it has. */
export function heldWithoutDemand(limits: ReplicaLimits, replicas: number, reasons: Reason[]): number {
  reasons.push({ code: 'demand-unknown', stage: 'combine', data: { replicas } });
  return limited(limits, replicas, reasons);
}
