import type { Reason } from '../explain/reasons.ts';
import type { Budget } from './types.ts';

const msPerHour = 3_600_000n;

/**
 * The price per hour, in micro-units, that spends exactly what is left by the end of the window; 0 when the limit is
 * reached. Null: the window is over with money left, so that nothing is bound by it any more.
 */
export function affordableRateMicro(budget: Budget): number | null {
  const leftMicro = micro(budget.limitMicro) - micro(budget.spentMicro);
  if (leftMicro <= 0n) return 0;
  const remainingMs = remainingOf(budget);
  if (remainingMs === 0n) return null;
  return Number((leftMicro * msPerHour) / remainingMs);
}

/** What will have been spent at the end of the window if `ratePerHourMicro` runs until then. */
export function projectedMicro(budget: Budget, ratePerHourMicro: bigint): bigint {
  return micro(budget.spentMicro) + (ratePerHourMicro * remainingOf(budget)) / msPerHour;
}

/** The numbers of a budget for a reason. */
export function budgetNumbers(budget: Budget, ratePerHourMicro: bigint): Reason['data'] {
  return {
    currency: budget.currency,
    spentMicro: budget.spentMicro,
    limitMicro: budget.limitMicro,
    projectedMicro: Number(projectedMicro(budget, ratePerHourMicro)),
    windowEndsAtMs: budget.windowEndsAtMs,
  };
}

/** For workloads that cost something, where the budget only warns; null while it will hold. */
export function budgetWarning(budget: Budget | undefined, ratePerHourMicro: bigint): Reason | null {
  if (budget?.mode !== 'warn') return null;
  const over = micro(budget.spentMicro) >= micro(budget.limitMicro);
  if (!over && projectedMicro(budget, ratePerHourMicro) <= micro(budget.limitMicro)) return null;
  return { code: 'grant-budget-warning', stage: 'grant', data: budgetNumbers(budget, ratePerHourMicro) };
}

function remainingOf(budget: Budget): bigint {
  const remainingMs = micro(budget.windowEndsAtMs) - micro(budget.asOfMs);
  return remainingMs > 0n ? remainingMs : 0n;
}

const micro = (amount: number): bigint => BigInt(Number.isFinite(amount) ? Math.trunc(amount) : 0);
