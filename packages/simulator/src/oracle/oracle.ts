import type { OracleResult } from '../contract/result.ts';
import { lowerBound, pricedBoundUs } from './lowerBound.ts';
import type { OracleModel, OracleRequests, Terms } from './model.ts';
import { bestPlan } from './plan.ts';
import { pricedWorkBoundUs, workBoundUs } from './workBound.ts';

/** A lateness is worth two cold starts in the priced score. */
const priceInColdStarts = 2;

/**
 * The clairvoyant optimum of a trace, between a bound that no schedule goes below and the cost of a plan that was run. Several
 * workloads have replicas of their own and are summed; the on-time share is that of all their requests.
 *
 * A replica is billed from ask to stop and usable a cold start after the ask, which may lie before time 0. Services are not
 * interrupted. For the bound a late request may be left out; the plan serves it.
 *
 * @throws RangeError for requests out of order or a model out of its range.
 */
export function oracle(
  trace: string,
  requests: OracleRequests | readonly OracleRequests[],
  model: OracleModel,
): OracleResult {
  const workloads = 'atUs' in requests ? [requests] : requests;
  check(workloads, model);
  const count = workloads.reduce((sum, { atUs }) => sum + atUs.length, 0);
  const terms: Terms = {
    slots: model.concurrency,
    coldStartUs: model.coldStartMs * 1000,
    onTimeUs: model.onTimeMs * 1000,
    // A share such as 0.99 of 1,000 is not to be missed by a rounding error.
    mostLate: Math.floor(count * (1 - model.onTimeShare) + 1e-9),
    ready: workloads.map(() => model.readyReplicas ?? 0),
  };
  if (count === 0) {
    return { trace, lowerBoundSeconds: 0, planSeconds: 0, planOnTimeShare: 1, pricedBoundSeconds: 0 };
  }
  const bound = lowerBound(workloads, terms);
  const latePriceUs = priceInColdStarts * terms.coldStartUs;
  const plan = bestPlan(workloads, terms, bound.latePriceUs);
  return {
    trace,
    lowerBoundSeconds: Math.max(bound.costUs, workBoundUs(workloads, terms)) / 1e6,
    planSeconds: plan ? plan.costUs / 1e6 : null,
    planOnTimeShare: plan ? (count - plan.late) / count : null,
    pricedBoundSeconds:
      Math.max(pricedBoundUs(workloads, terms, latePriceUs), pricedWorkBoundUs(workloads, terms, latePriceUs)) / 1e6,
  };
}

function check(workloads: readonly OracleRequests[], model: OracleModel): void {
  const { concurrency, coldStartMs, onTimeMs, onTimeShare, readyReplicas = 0 } = model;
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new RangeError(`concurrency is ${concurrency}: must be a whole number from 1 on`);
  if (!(coldStartMs > 0)) throw new RangeError(`coldStartMs is ${coldStartMs}: must be more than 0`);
  if (!(onTimeMs >= 0)) throw new RangeError(`onTimeMs is ${onTimeMs}: must be 0 or more`);
  if (!(onTimeShare >= 0 && onTimeShare <= 1))
    throw new RangeError(`onTimeShare is ${onTimeShare}: must be from 0 to 1`);
  if (!Number.isInteger(readyReplicas) || readyReplicas < 0)
    throw new RangeError(`readyReplicas is ${readyReplicas}: must be a whole number from 0 on`);
  for (const { atUs, serviceUs } of workloads) {
    if (atUs.length !== serviceUs.length)
      throw new RangeError(`${atUs.length} arrivals and ${serviceUs.length} services: must be as many`);
    for (let index = 0; index < atUs.length; index++) {
      const at = atUs[index] ?? 0;
      if (!(at >= (index === 0 ? 0 : (atUs[index - 1] ?? 0))))
        throw new RangeError(`request ${index} arrives before the one above, or before 0`);
      if (!((serviceUs[index] ?? 0) > 0))
        throw new RangeError(`request ${index} has a service of ${serviceUs[index]}: must be more than 0`);
    }
  }
}
