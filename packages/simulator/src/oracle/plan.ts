import { assign, type LatePrices, onIntervals } from './assignment.ts';
import { execute } from './execute.ts';
import type { OracleRequests, Terms } from './model.ts';

export interface Plan {
  costUs: number;
  late: number;
  replicas: number;
}

/** Prices of a late request that are tried for each way to assign, and shares of the requests that have the lower one. */
const triedPrices = 14;
const triedShares = 8;
/** The price is looked for within this factor, as an exponent of e, of the dual's. */
const reach = 6;

/**
 * A plan that keeps the on-time share, found with hindsight and then run. Requests are given to levels, each level is on where
 * that is worth it at a price of lateness that is the same for all, and the price is lowered as far as the share allows. Where
 * many requests cost exactly the same, a single price is right for none or all: the first of them get a lower one.
 */
export function bestPlan(workloads: readonly OracleRequests[], terms: Terms, latePriceUs: number): Plan | null {
  let best: Plan | null = null;
  const count = workloads.reduce((sum, { atUs }) => sum + atUs.length, 0);
  for (const choice of ['lowest', 'nearest'] as const) {
    const assigned = workloads.map((requests) => assign(requests, terms, choice));
    const run = (prices: LatePrices): boolean => {
      const sum: Plan = { costUs: 0, late: 0, replicas: 0 };
      let { first } = prices;
      for (const [index, requests] of workloads.entries()) {
        const assignment = assigned[index];
        if (!assignment || requests.atUs.length === 0) continue;
        const intervals = onIntervals(requests, assignment, {
          coldStartUs: terms.coldStartUs,
          prices: { ...prices, first },
        });
        first -= requests.atUs.length;
        const { costUs, late, replicas } = execute(requests, intervals, { ...terms, ready: terms.ready[index] ?? 0 });
        sum.costUs += costUs;
        sum.late += late;
        sum.replicas += replicas;
      }
      if (sum.late > terms.mostLate) return false;
      if (!best || sum.costUs < best.costUs) best = sum;
      return true;
    };
    run({ first: 0, firstUs: Number.MAX_SAFE_INTEGER, thenUs: Number.MAX_SAFE_INTEGER });
    if (terms.mostLate === 0) continue;
    const middle = Math.log(Math.max(1, Number.isFinite(latePriceUs) ? latePriceUs : terms.coldStartUs));
    const thenUs = bisect(middle - reach, middle + reach, triedPrices, (price) =>
      run({ first: 0, firstUs: 0, thenUs: Math.exp(price) }),
    );
    const prices = { firstUs: Math.exp(thenUs.bad), thenUs: Math.exp(thenUs.good) };
    bisect(count, 0, triedShares, (first) => run({ first: Math.round(first), ...prices }));
  }
  return best;
}

/** Nears the border between `bad` and `good` by halves. */
function bisect(
  bad: number,
  good: number,
  steps: number,
  isGood: (value: number) => boolean,
): { bad: number; good: number } {
  let border = { bad, good };
  for (let step = 0; step < steps; step++) {
    const middle = (border.bad + border.good) / 2;
    border = isGood(middle) ? { ...border, good: middle } : { ...border, bad: middle };
  }
  return border;
}
