import type { RunResult } from '../contract/result.ts';
import type { WorldModel } from '../contract/model.ts';
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

/**
 * Whether one run is better than another: where lateness has a price the smaller amount; else one that keeps the promise
 * before one that does not, then the cheaper, or the less late where both miss it. `spare` asks for room below the promise.
 */
export function isBetter(a: TuningRun, b: TuningRun, { lateness, onTimeShare }: Objective, spare = true): boolean {
  if (lateness !== null) return a.amount < b.amount;
  const classOf = (run: TuningRun) => {
    const allowed = run.requests * (1 - onTimeShare);
    if (run.late > allowed + 1e-9) return 2;
    return spare && run.late > allowed * (1 - spareShare) + 1e-9 ? 1 : 0;
  };
  const [classA, classB] = [classOf(a), classOf(b)];
  if (classA !== classB) return classA < classB;
  if (classA === 2 && a.late !== b.late) return a.late < b.late;
  return a.amount < b.amount;
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
