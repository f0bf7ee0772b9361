import type { Slots } from './slots.ts';

/**
 * Least cost of a segment where a late request costs `latePriceUs` (Infinity: none may be late), µs of replicas, over all courses of
 * the number of usable replicas that do in each slot what must be done in it.
 *
 * The state is the number h of levels that are on and have been so since they were last used. Slot k is used up to level m at
 * one instant. Level 1 … r stay on from its begin until that instant, others up to m are started anew (a cold start each, and
 * since each was seen off in between, no two of these are the same start); 1 … p stay on from then to the end. With least
 * cost either p = m, or r = min(h, m). Levels that stay on throughout, and the work, are both at most what the slot costs.
 */
export function leastCost(slots: Slots, coldStartUs: number, latePriceUs: number, ready: number): number {
  const { count, begins, late } = slots;
  let top = ready;
  for (let slot = 0; slot < count; slot++) top = Math.max(top, (begins[slot + 1] ?? 0) - (begins[slot] ?? 0) - 1);
  let cost = new Float64Array(top + 1).fill(Number.POSITIVE_INFINITY);
  let next = new Float64Array(top + 1);
  const least = new Float64Array(top + 1);
  for (let h = 0; h <= ready; h++) cost[h] = 0;
  for (let slot = 0; slot < count; slot++) {
    next.fill(Number.POSITIVE_INFINITY);
    let smallest = Number.POSITIVE_INFINITY;
    for (let h = top; h >= 0; h--) {
      smallest = Math.min(smallest, cost[h] ?? 0);
      least[h] = smallest;
    }
    const first = begins[slot] ?? 0;
    for (let m = (begins[slot + 1] ?? 0) - first - 1; m >= 0; m--) {
      const lateUs = priceOf(late[first + m] ?? 0, latePriceUs);
      if (lateUs === Number.POSITIVE_INFINITY) break;
      for (let r = 0; r <= m; r++) {
        const value = (least[r] ?? 0) + coldStartUs * (m - r) + slotCost(slots, slot, m, r, lateUs, latePriceUs);
        if (value < (next[m] ?? 0)) next[m] = value;
      }
      let running = Number.POSITIVE_INFINITY;
      for (let h = top; h >= 0; h--) {
        const started = (cost[h] ?? 0) + (h < m ? coldStartUs * (m - h) : 0);
        if (started < running) running = started;
        const before = h > m ? (least[h] ?? 0) : running;
        const value = before + slotCost(slots, slot, m, h, lateUs, latePriceUs);
        if (value < (next[h] ?? 0)) next[h] = value;
      }
    }
    [cost, next] = [next, cost];
  }
  return cost.reduce((smallest, one) => Math.min(smallest, one), Number.POSITIVE_INFINITY);
}

const negligible = 1e-9;

/**
 * Of a slot with m levels used and `staying` on throughout. Replicas are on at least as long as the longest request is in
 * service, or it is late as well.
 */
function slotCost(
  { lengthUs, begins, workUs, longestUs, longestPart }: Slots,
  slot: number,
  m: number,
  staying: number,
  lateUs: number,
  latePriceUs: number,
): number {
  const onUs = staying * (lengthUs[slot] ?? 0);
  const plainUs = lateUs + Math.max(workUs[(begins[slot] ?? 0) + m] ?? 0, onUs);
  const withUs = lateUs + Math.max(longestUs[slot] ?? 0, onUs);
  if (withUs <= plainUs) return plainUs;
  return Math.min(withUs, Math.max(plainUs, priceOf(longestPart[slot] ?? 0, latePriceUs) + onUs));
}

function priceOf(requests: number, latePriceUs: number): number {
  // What is left of a sum of parts by rounding is no part of a request; counting less only lowers the bound.
  return requests < negligible ? 0 : requests * latePriceUs;
}
