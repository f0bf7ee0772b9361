/** What is known of following one forecaster; costs are decayed replica-seconds of about a day and about a week. */
export interface Evidence {
  isStated: boolean;
  isTrusted: boolean;
  /** Decayed count of buckets in which it asked for more than the reactive part held. */
  raises: number;
  costDay: number;
  costWeek: number;
  reactiveDay: number;
  reactiveWeek: number;
  constantDay: number;
  constantWeek: number;
  /** Square root of the decayed sum of squared hourly savings against each reference. */
  spreadToReactive: number;
  spreadToConstant: number;
  lateShare: number;
}

/** Fewer buckets than this are no evidence; a precise forecast of one rise a day raises two or three buckets a day. */
const leastRaises = 5;
/** Not dearer over the last day to be trusted at all, or by 5 % to stay so; a third of the saving is enough to stay. */
const enter = { saving: 1, day: 1 };
const stay = { saving: 1 / 3, day: 1.05 };
/** One-sided 95 %. */
const leastSigmas = 1.64;
/** What an operator stated is disproved when following it was dearer than this much of not following it. */
const disproved = 1.05;

/**
 * Savings in units of their own spread, the smaller of those against either reference: a sum of hourly savings over
 * the root of the sum of their squares. One lucky hour gives 1, whatever it saved; n like hours give √n.
 */
export function sigmas(evidence: Evidence): number {
  const { costWeek, reactiveWeek, constantWeek, spreadToReactive, spreadToConstant } = evidence;
  const reactive = spreadToReactive > 0 ? (reactiveWeek - costWeek) / spreadToReactive : 0;
  const constant = spreadToConstant > 0 ? (constantWeek - costWeek) / spreadToConstant : 0;
  return Math.min(reactive, constant);
}

/** The probability, for normal savings, that following the forecaster is cheaper (logistic approximation). */
export const confidenceOf = (evidence: Evidence): number => 1 / (1 + Math.exp(-1.702 * sigmas(evidence)));

/**
 * Whether a forecaster is followed: it was cheaper than the reactive part alone and than the best constant count, by a
 * margin, not by luck, and still is. Following it means max(reactive, forecast), so demand never meets fewer replicas
 * than without it: it holds a latency promise at least as well by construction.
 */
export function isTrusted(evidence: Evidence, leastSaving = 0.03): boolean {
  if (evidence.isStated) {
    return evidence.raises < leastRaises || evidence.costWeek <= disproved * evidence.reactiveWeek;
  }
  const bound = evidence.isTrusted ? stay : enter;
  const isCheaper =
    evidence.costWeek <= (1 - bound.saving * leastSaving) * Math.min(evidence.reactiveWeek, evidence.constantWeek) &&
    evidence.costDay <= bound.day * Math.min(evidence.reactiveDay, evidence.constantDay);
  return isCheaper && (evidence.isTrusted || (evidence.raises >= leastRaises && sigmas(evidence) >= leastSigmas));
}
