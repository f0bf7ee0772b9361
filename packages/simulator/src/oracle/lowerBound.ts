import { leastCost } from './levels.ts';
import type { OracleRequests, Terms } from './model.ts';
import { type Segment, segmentsOf } from './segments.ts';
import { boundariesOf, type Slots, slotsOf } from './slots.ts';

/**
 * Lengths of a slot, in cold starts; the best is taken for each segment. Short ones are sharp where load is light (up to half a
 * cold start one that is passed over costs its length), long ones where it is heavy.
 */
const slotLengths = [0.1, 0.15, 0.25, 0.33, 0.5, 0.75, 1, 2, 5, 15];
/** Prices that are tried, and how often the best of them is looked for more closely. */
const gridPrices = 14;
const refinements = 12;

/** Ways to cut one segment; each gives a bound for it. */
interface CutSegment {
  cuts: Slots[];
  ready: number;
}

export interface LowerBound {
  /** Microseconds of replicas. */
  costUs: number;
  /** The price of a late request at which it was found; Infinity where none may be late. */
  latePriceUs: number;
}

/**
 * What no schedule with hindsight goes below (weak duality). With a price λ for a late request each segment is alone,
 * and J(λ) − λ·(late requests that are allowed) is a bound for every λ; it is concave in λ, and the best is taken.
 */
export function lowerBound(workloads: readonly OracleRequests[], terms: Terms): LowerBound {
  const cut = cutAll(workloads, terms, Number.POSITIVE_INFINITY);
  const dearest = pricedCost(cut, terms, Number.POSITIVE_INFINITY);
  if (terms.mostLate === 0) return { costUs: dearest, latePriceUs: Number.POSITIVE_INFINITY };
  let longestUs = 0;
  for (const { serviceUs } of workloads) for (const one of serviceUs) if (one > longestUs) longestUs = one;
  // Below this a late request would be cheaper than its own work, which the slots do not allow for.
  const least = Math.max(1, longestUs / terms.slots);
  const most = Math.max(least, dearest / terms.mostLate);
  const boundAt = (price: number) => pricedCost(cut, terms, price) - price * terms.mostLate;
  let best: LowerBound = { costUs: boundAt(least), latePriceUs: least };
  const look = (price: number) => {
    const costUs = boundAt(price);
    if (costUs > best.costUs) best = { costUs, latePriceUs: price };
    return costUs;
  };
  const ratio = (most / least) ** (1 / (gridPrices - 1));
  if (ratio > 1) for (let step = 1; step < gridPrices; step++) look(least * ratio ** step);
  // Concave: the best lies between the neighbours of the best of the grid.
  let [low, high] = [Math.max(least, best.latePriceUs / ratio), Math.min(most, best.latePriceUs * ratio)];
  for (let step = 0; step < refinements && high > low; step++) {
    const [left, right] = [low + (high - low) / 3, high - (high - low) / 3];
    if (look(left) < look(right)) low = left;
    else high = right;
  }
  return { costUs: Math.max(0, best.costUs), latePriceUs: best.latePriceUs };
}

/** J(λ): the least of cost + λ × late requests, or less. */
export function pricedBoundUs(workloads: readonly OracleRequests[], terms: Terms, latePriceUs: number): number {
  return pricedCost(cutAll(workloads, terms, latePriceUs * terms.slots), terms, latePriceUs);
}

function cutAll(workloads: readonly OracleRequests[], terms: Terms, mostUs: number): CutSegment[] {
  return workloads.flatMap((requests, index) =>
    segmentsOf(requests, terms.onTimeUs, terms.coldStartUs, terms.ready[index] ?? 0).map((segment) =>
      cutSegment(requests, segment, terms, mostUs),
    ),
  );
}

function cutSegment(requests: OracleRequests, segment: Segment, terms: Terms, mostUs: number): CutSegment {
  const cuts: Slots[] = [];
  let fewest = Number.POSITIVE_INFINITY;
  for (const length of slotLengths) {
    const boundaries = boundariesOf(segment, Math.max(1, length * terms.coldStartUs));
    // No busy period was cut otherwise than before.
    if (boundaries.length >= fewest) continue;
    fewest = boundaries.length;
    cuts.push(slotsOf(requests, segment, boundaries, { slots: terms.slots, onTimeUs: terms.onTimeUs, mostUs }));
  }
  return { cuts, ready: segment.ready };
}

function pricedCost(segments: readonly CutSegment[], { coldStartUs }: Terms, latePriceUs: number): number {
  let sum = 0;
  for (const { cuts, ready } of segments) {
    let largest = 0;
    for (const slots of cuts) largest = Math.max(largest, leastCost(slots, coldStartUs, latePriceUs, ready));
    sum += largest;
  }
  return sum;
}
