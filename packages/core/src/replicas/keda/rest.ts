import type { Reason } from '../../explain/reasons.ts';
import { defaultHpaController } from '../hpa/types.ts';
import type { Memory } from '../types.ts';
import type { OperatorStep } from './operatorStep.ts';
import type { KedaDecisionSpec } from './types.ts';

/**
 * What repeats from one sync to the next while nothing is read anew: what the metrics propose, and whether a trigger is
 * active. Null: time alone may change something.
 */
export type Rest = { proposal: number; active: boolean } | null;

/** Looked at this often at rest, as Kubernetes does, and not at each sync of Ebb's own rules. */
export const restLookMs = defaultHpaController.syncPeriodMs;

/** Limits that time alone does not move, as it does a rate's: that is another one later. */
const steadyLimits = ['DesiredWithinRange', 'TooFewReplicas', 'TooManyReplicas'];
const steadySteps = ['keda-active', 'keda-inactive'];

export interface SyncedStep {
  /** Count before and after it. */
  readonly before: number;
  readonly after: number;
  readonly step: OperatorStep;
  readonly reasons: readonly Reason[];
}

/**
 * Whether a sync says the same for as long as its readings stay the same: the count is what the metrics propose within its
 * bounds, so that recommendations that grow old take nothing away, and no source fails.
 */
export function restOf(spec: KedaDecisionSpec, { before, after, step, reasons }: SyncedStep): Rest {
  if (before !== after || !steadySteps.includes(step.code) || spec.triggers.some(({ resource }) => resource))
    return null;
  const codes = reasons.map(({ code }) => code);
  if (['keda-last-value', 'keda-fallback', 'hpa-metric-failed'].some((code) => codes.includes(code))) return null;
  const proposal = reasons.find(({ code }) => code === 'hpa-largest')?.data.replicas;
  if (typeof proposal !== 'number') return null;
  const said = (type: string) =>
    reasons.find(({ code, data }) => code === 'hpa-condition' && data.type === type)?.data.reason;
  if (!steadyLimits.includes(String(said('ScalingLimited')))) return null;
  // At the minimum, older recommendations hold nothing up that would go down without them.
  const isLowest = after === Math.max(1, spec.minReplicas) && proposal <= after;
  if (said('AbleToScale') !== 'ReadyForNewScale' && !isLowest) return null;
  return { proposal, active: step.code === 'keda-active' };
}

/** The last sync of the grid that was left out before now, ms; null: none was. */
export function lastMissedMs(hpa: Memory, periodMs: number, nowMs: number): number | null {
  const { nextSyncMs } = hpa;
  if (typeof nextSyncMs !== 'number' || nowMs <= nextSyncMs) return null;
  return nextSyncMs + Math.floor((nowMs - 1 - nextSyncMs) / periodMs) * periodMs;
}

/** The HPA's memory as it would be after the syncs that were left out: of equal recommendations the last one counts. */
export function withMissedSyncs(hpa: Memory, proposal: number, missedMs: number, periodMs: number): Memory {
  const known = Array.isArray(hpa.recommendations) ? hpa.recommendations : [];
  // Older ones that say the same are of no account beside it.
  const others = known.filter((one) => !(Array.isArray(one) && one[0] === proposal));
  return {
    ...hpa,
    nextSyncMs: missedMs + periodMs,
    recommendations: [...others, [proposal, missedMs]],
  };
}
