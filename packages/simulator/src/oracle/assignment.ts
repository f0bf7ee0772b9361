import type { OracleRequests } from './model.ts';

/** Time in which a replica is usable. */
export interface OnInterval {
  fromUs: number;
  toUs: number;
}

/** Which level serves a request, and from when on. */
export interface Assignment {
  level: Uint32Array;
  beginUs: Float64Array;
  levels: number;
}

/**
 * Gives each request to a level (one replica after another with the same number) that can begin it on time. `lowest`: the lowest
 * one, which leaves the least to the upper ones. `nearest`: the one whose replica needs to be on for the least time more.
 */
export function assign(
  { atUs, serviceUs }: OracleRequests,
  { slots, onTimeUs, coldStartUs }: { slots: number; onTimeUs: number; coldStartUs: number },
  choice: 'lowest' | 'nearest',
): Assignment {
  const level = new Uint32Array(atUs.length);
  const beginUs = new Float64Array(atUs.length);
  const free: Float64Array[] = [];
  const lastEndUs: number[] = [];
  for (let index = 0; index < atUs.length; index++) {
    const at = atUs[index] ?? 0;
    const service = serviceUs[index] ?? 0;
    let best = { level: -1, slot: 0, beginUs: 0, moreUs: Number.POSITIVE_INFINITY };
    for (let one = 0; one < free.length; one++) {
      const slot = earliest(free[one] ?? noSlots);
      const begin = Math.max(at, free[one]?.[slot] ?? 0);
      if (begin > at + onTimeUs) continue;
      const last = lastEndUs[one] ?? 0;
      const moreUs =
        Math.max(0, begin + service - Math.max(last, begin)) + Math.min(coldStartUs, Math.max(0, begin - last));
      if (moreUs < best.moreUs) best = { level: one, slot, beginUs: begin, moreUs };
      if (choice === 'lowest' || moreUs === 0) break;
    }
    if (best.level < 0 || (choice === 'nearest' && best.moreUs > coldStartUs + service)) {
      best = { level: free.length, slot: 0, beginUs: at, moreUs: 0 };
      free.push(new Float64Array(slots).fill(Number.NEGATIVE_INFINITY));
      lastEndUs.push(Number.NEGATIVE_INFINITY);
    }
    const end = best.beginUs + service;
    const ends = free[best.level];
    if (ends) ends[best.slot] = end;
    lastEndUs[best.level] = Math.max(lastEndUs[best.level] ?? 0, end);
    level[index] = best.level;
    beginUs[index] = best.beginUs;
  }
  return { level, beginUs, levels: free.length };
}

/** Prices of late requests: of the first so many, and of the others. */
export interface LatePrices {
  first: number;
  firstUs: number;
  thenUs: number;
}

const noSlots = new Float64Array(1);

export function earliest(freeUs: Float64Array): number {
  let best = 0;
  for (let slot = 1; slot < freeUs.length; slot++) if ((freeUs[slot] ?? 0) < (freeUs[best] ?? 0)) best = slot;
  return best;
}

/**
 * For each level the intervals in which to be on, where late requests cost their price: exact for a level by itself. A gap
 * costs the lesser of its length and a cold start.
 */
export function onIntervals(
  { atUs, serviceUs }: OracleRequests,
  { level, beginUs, levels }: Assignment,
  { coldStartUs, prices }: { coldStartUs: number; prices: LatePrices },
): OnInterval[][] {
  const count = atUs.length;
  /** Cost up to and with a request that is served, or late; and whether the one before it in its level was served. */
  const served = new Float64Array(levels);
  const late = new Float64Array(levels);
  const lastEndUs = new Float64Array(levels).fill(Number.NEGATIVE_INFINITY);
  const afterServed = new Uint8Array(count);
  const afterLate = new Uint8Array(count);
  served.fill(Number.POSITIVE_INFINITY);
  for (let index = 0; index < count; index++) {
    const one = level[index] ?? 0;
    const begin = beginUs[index] ?? 0;
    const end = begin + (serviceUs[index] ?? 0);
    const last = lastEndUs[one] ?? 0;
    const stay =
      (served[one] ?? 0) + Math.min(coldStartUs, Math.max(0, begin - last)) + Math.max(0, end - Math.max(last, begin));
    const start = (late[one] ?? 0) + coldStartUs + end - begin;
    const given = late[one] ?? 0;
    const before = served[one] ?? 0;
    afterServed[index] = stay <= start ? 1 : 0;
    afterLate[index] = before < given ? 1 : 0;
    served[one] = Math.min(stay, start);
    late[one] = Math.min(before, given) + (index < prices.first ? prices.firstUs : prices.thenUs);
    lastEndUs[one] = Math.max(last, end);
  }
  const intervals: OnInterval[][] = Array.from({ length: levels }, () => []);
  const isServed = Uint8Array.from(served, (cost, one) => (cost <= (late[one] ?? 0) ? 1 : 0));
  for (let index = count - 1; index >= 0; index--) {
    const one = level[index] ?? 0;
    if (isServed[one] === 0) {
      isServed[one] = afterLate[index] ?? 0;
      continue;
    }
    isServed[one] = afterServed[index] ?? 0;
    const fromUs = beginUs[index] ?? 0;
    const toUs = fromUs + (serviceUs[index] ?? 0);
    const list = intervals[one];
    const next = list?.at(-1);
    // From the last to the first: a request that begins later may end sooner.
    if (next && next.fromUs - toUs <= coldStartUs) {
      next.fromUs = Math.min(next.fromUs, fromUs);
      next.toUs = Math.max(next.toUs, toUs);
    } else list?.push({ fromUs, toUs });
  }
  for (const list of intervals) list.reverse();
  return intervals;
}
