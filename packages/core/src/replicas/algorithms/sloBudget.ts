import type { SloObjectiveSpec } from '@ebb/documents';
import { sanitizeReading } from '../sanitizeReading.ts';
import type { Json, Reading } from '../types.ts';
import { type JsonObject, numberOr, numbersOf, shortened } from './storedJson.ts';

/**
 * The error budget of one trigger: of everything that was timed in the objective's window, the share that may take longer
 * than the mark. Counted in buckets, so that what is over falls out of the window bit by bit.
 */
export interface SloBudget {
  bucketMs: number;
  /** Three numbers a bucket, oldest first: index, timed, late; index = floor(time / bucketMs). */
  buckets: number[];
  /** End of the last reading that was taken, by class: one that comes twice counts once. */
  takenMs: Record<string, number>;
}

export interface BudgetState {
  /** Times of the window, and those of them that were late. */
  timed: number;
  late: number;
  /** Share of the budget that is left, 0 to 1. */
  left: number;
  /** How many times as fast as allowed it is being spent, over the long and the short look-back. */
  burnLong: number;
  burnShort: number;
  longMs: number;
  verdict: 'spent' | 'burning' | 'steady' | 'plenty';
}

const width = 3;
const bucketCount = 48;
/** The long look-back is a twelfth of the window: at the limit it takes half of the budget. */
const longBuckets = 4;
const fastBurn = 6;
const plentyLeft = 0.5;

export function emptyBudget({ windowMs }: SloObjectiveSpec): SloBudget {
  return { bucketMs: Math.max(1000, Math.ceil(windowMs / bucketCount)), buckets: [], takenMs: {} };
}

/** Readings of one trigger under these names are counts: how many were timed since the last one, and how many of them late. */
export const timedName = (trigger: string): string => `${trigger}:timed`;
export const lateName = (trigger: string): string => `${trigger}:late`;

/** Takes the counts that an observation has for a trigger; those that come twice, or late, count once. */
export function takeBudgetReadings(
  budget: SloBudget,
  trigger: string,
  readings: readonly Reading[],
  nowMs: number,
): void {
  const timed = readings.filter((reading) => reading.trigger === timedName(trigger));
  for (const reading of timed) {
    const usable = usableOf(reading, nowMs);
    if (usable === null) continue;
    const late = readings.find((one) => one.trigger === lateName(trigger) && isSame(one, reading));
    const lateCount = late ? usableOf(late, nowMs) : null;
    addToBudget(budget, reading.class ?? '', usable.atMs, usable.value, lateCount?.value ?? 0);
  }
}

/** Adds what was timed up to a moment. */
export function addToBudget(budget: SloBudget, className: string, atMs: number, timed: number, late: number): void {
  if (atMs <= (budget.takenMs[className] ?? Number.NEGATIVE_INFINITY)) return;
  budget.takenMs[className] = atMs;
  if (!(timed > 0)) return;
  const { buckets, bucketMs } = budget;
  const index = Math.floor(atMs / bucketMs);
  const last = buckets.length - width;
  if (last >= 0 && (buckets[last] ?? 0) >= index) {
    buckets[last + 1] = shortened((buckets[last + 1] ?? 0) + timed);
    buckets[last + 2] = shortened((buckets[last + 2] ?? 0) + Math.min(timed, late));
  } else {
    buckets.push(index, shortened(timed), shortened(Math.min(timed, late)));
  }
  if (buckets.length > (bucketCount + 1) * width) buckets.splice(0, width);
}

/** How the budget stands: by burn rates over two look-backs, so that neither a blip nor what is long over decides. */
export function budgetState(budget: SloBudget, { share }: SloObjectiveSpec, nowMs: number): BudgetState {
  const allowed = 1 - share;
  const over = (count: number) => {
    const first = Math.floor((nowMs - 1) / budget.bucketMs) - count + 1;
    let timed = 0;
    let late = 0;
    for (let i = 0; i < budget.buckets.length; i += width) {
      if ((budget.buckets[i] ?? 0) < first) continue;
      timed += budget.buckets[i + 1] ?? 0;
      late += budget.buckets[i + 2] ?? 0;
    }
    return { timed, late, burn: timed > 0 ? late / timed / allowed : 0 };
  };
  const { timed, late, burn } = over(bucketCount);
  const burnLong = over(longBuckets).burn;
  const burnShort = over(1).burn;
  const left = Math.max(0, 1 - burn);
  // With fewer than these, one that is late may be all of the budget: that says nothing yet.
  const isKnown = timed >= 1 / allowed;
  const verdict = verdictOf({ isKnown, left, burnLong, burnShort });
  return { timed, late, left, burnLong, burnShort, longMs: longBuckets * budget.bucketMs, verdict };
}

function verdictOf(seen: {
  isKnown: boolean;
  left: number;
  burnLong: number;
  burnShort: number;
}): BudgetState['verdict'] {
  const { isKnown, left, burnLong, burnShort } = seen;
  if (!isKnown) return 'steady';
  if (burnLong >= fastBurn && burnShort >= fastBurn) return 'burning';
  if (left < 1e-6) return 'spent';
  return left >= plentyLeft && burnLong < 1 ? 'plenty' : 'steady';
}

function usableOf(reading: Reading, nowMs: number): { value: number; atMs: number } | null {
  const sanitized = sanitizeReading(reading, nowMs);
  return 'usable' in sanitized ? sanitized.usable : null;
}

const isSame = (left: Reading, right: Reading): boolean => left.class === right.class && left.atMs === right.atMs;

export function budgetToJson({ bucketMs, buckets, takenMs }: SloBudget): Json {
  return { bucketMs, buckets: buckets.slice(), takenMs: { ...takenMs } };
}

/** The stored budget, or an empty one when it is of another window. */
export function budgetFromJson(json: JsonObject, objective: SloObjectiveSpec, classes: readonly string[]): SloBudget {
  const budget = emptyBudget(objective);
  const buckets = numbersOf(json.buckets);
  if (numberOr(json.bucketMs, 0) !== budget.bucketMs || buckets.length % width !== 0) return budget;
  budget.buckets = buckets;
  const takenMs = json.takenMs;
  if (takenMs !== null && typeof takenMs === 'object' && !Array.isArray(takenMs)) {
    for (const name of ['', ...classes]) {
      const atMs = numberOr(takenMs[name], null);
      if (atMs !== null) budget.takenMs[name] = atMs;
    }
  }
  return budget;
}
