import type { RunResult } from '../contract/result.ts';
import type { WorldModel } from '../contract/model.ts';
import type { RunSoFar } from '../run/books.ts';
import type { LatenessPrice, TuningRun } from './tuning.ts';

/** Share of the late requests that are allowed which a setting should leave unused on the training part: room for what is new. */
const spareShare = 0.2;

/** What the search is after. Smaller is better: first the class, then the amount. */
export interface Objective {
  lateness: LatenessPrice | null;
  onTimeShare: number;
}

export function tuningRun(
  run: RunResult,
  values: TuningRun['values'],
  { onTimeShare: promised }: Pick<WorldModel, 'onTimeShare'>,
  lateness: LatenessPrice | null,
): TuningRun {
  const { requests, onTime, replicaSeconds, costMicro, currency, coldStarts, waitMs, digest } = run;
  const late = requests - onTime;
  const onTimeShare = requests === 0 ? 1 : onTime / requests;
  const paid = costMicro === null ? replicaSeconds : Number(costMicro);
  const amount = paid + late * priceOfLate(lateness, paid, replicaSeconds);
  const qualifies = late <= requests * (1 - promised) + 1e-9;
  return {
    values,
    requests,
    late,
    onTimeShare,
    qualifies,
    replicaSeconds,
    costMicro,
    currency,
    amount,
    coldStarts,
    waitMs,
    digest,
  };
}

function priceOfLate(lateness: LatenessPrice | null, paid: number, replicaSeconds: number): number {
  if (lateness === null) return 0;
  if ('micro' in lateness) return lateness.micro;
  return lateness.replicaSeconds * (replicaSeconds > 0 ? paid / replicaSeconds : 1);
}

/** What decides between two runs. */
export type Judged = Pick<TuningRun, 'requests' | 'late' | 'amount'>;

/**
 * Whether one run is better than another: where lateness has a price the smaller amount; else one that keeps the promise
 * before one that does not, then the cheaper, or the less late where both miss it. `spare` asks for room below the promise.
 */
export function isBetter(a: Judged, b: Judged, { lateness, onTimeShare }: Objective, spare = true): boolean {
  if (lateness !== null) return a.amount < b.amount;
  const classOf = (run: Judged) => {
    const allowed = run.requests * (1 - onTimeShare);
    if (run.late > allowed + 1e-9) return 2;
    return spare && run.late > allowed * (1 - spareShare) + 1e-9 ? 1 : 0;
  };
  const [classA, classB] = [classOf(a), classOf(b)];
  if (classA !== classB) return classA < classB;
  if (classA === 2 && a.late !== b.late) return a.late < b.late;
  return a.amount < b.amount;
}

/** A change that gains less than this share is taken back: so close to the best a setting may still be preferred. */
const worthShare = 0.002;

/** The run that another one must come close to, as plain data for a thread. */
export interface Rival {
  objective: Objective;
  best: Judged;
  /** Least price of a replica in micro-units for a second; 0: not known. Only what prices lateness in replica life needs it. */
  leastMicroPerSecond: number;
}

/** The best one, put back by what a change must be worth: what it beats is neither better nor as good with fewer changes. */
export function discounted<Run extends Judged>(best: Run): Run {
  return { ...best, amount: best.amount * (1 + worthShare) };
}

/**
 * Whether a run cannot be as good as its rival any more, whatever comes: it would not be if nothing more were late and
 * nothing more were paid. `isBetter` only turns against a run whose late requests or amount rise, so the end cannot say
 * anything else.
 */
export function isBeaten({ late, replicaSeconds, costMicro }: RunSoFar, rival: Rival): boolean {
  const { objective, best, leastMicroPerSecond } = rival;
  const paid = costMicro === null ? replicaSeconds : Number(costMicro);
  const price = leastPriceOfLate(objective.lateness, replicaSeconds, costMicro === null ? null : leastMicroPerSecond);
  const least = { requests: best.requests, late, amount: paid + late * price };
  return isBetter(discounted(best), least, objective);
}

/** What a late request will cost at least at the end, where that hangs on the mean price of a replica. */
function leastPriceOfLate(
  lateness: LatenessPrice | null,
  replicaSeconds: number,
  microPerSecond: number | null,
): number {
  if (lateness === null) return 0;
  if ('micro' in lateness) return lateness.micro;
  if (microPerSecond === null) return lateness.replicaSeconds;
  // Costs are whole micro-units: rounding may take half of one off the mean price, and a division its last digits.
  const least = replicaSeconds > 0 ? microPerSecond - 0.5 / replicaSeconds : 0;
  return lateness.replicaSeconds * Math.max(0, least) * (1 - 1e-12);
}

/** Runs for which no other is at once cheaper and less late, by cost. */
export function paretoFront(runs: readonly TuningRun[]): TuningRun[] {
  const costOf = ({ costMicro, replicaSeconds }: TuningRun) =>
    costMicro === null ? replicaSeconds : Number(costMicro);
  const sorted = [...runs].sort((a, b) => costOf(a) - costOf(b) || a.late - b.late);
  let least = Number.POSITIVE_INFINITY;
  return sorted.filter(({ late }) => {
    if (late >= least) return false;
    least = late;
    return true;
  });
}
