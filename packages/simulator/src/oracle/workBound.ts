import type { OracleRequests, Terms } from './model.ts';

/**
 * What the work alone costs, µs of replicas: all requests but those that may be left out, the longest ones, on replicas whose
 * slots are never empty, and one cold start where no replica is there. It says little where the promise is tight, and the
 * most where requests may wait longer than a slot of the other bound: work can then be moved out of any slot, but not away.
 */
export function workBoundUs(
  workloads: readonly OracleRequests[],
  { slots, coldStartUs, mostLate, ready }: Terms,
): number {
  const services = new Float64Array(workloads.reduce((sum, { serviceUs }) => sum + serviceUs.length, 0));
  let at = 0;
  for (const { serviceUs } of workloads) {
    services.set(serviceUs, at);
    at += serviceUs.length;
  }
  const kept = services.sort().subarray(0, Math.max(0, services.length - mostLate));
  if (kept.length === 0) return 0;
  const startUs = ready.every((count) => count === 0) ? coldStartUs : 0;
  return startUs + kept.reduce((sum, one) => sum + one, 0) / slots;
}

/** The same of the priced problem: each request costs its work or is late, whichever is less. */
export function pricedWorkBoundUs(workloads: readonly OracleRequests[], { slots }: Terms, latePriceUs: number): number {
  let sum = 0;
  for (const { serviceUs } of workloads) for (const one of serviceUs) sum += Math.min(one / slots, latePriceUs);
  return sum;
}
