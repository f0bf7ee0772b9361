import { LatePrices, type Overlap } from './latePrices.ts';
import type { OracleRequests } from './model.ts';
import type { Segment } from './segments.ts';

/**
 * Slots of time. What is needed in slot k for each highest level m that is used in it, from 0 to the one at which none is late, is
 * at `begins[k] + m`: `late` is the least number of (parts of) requests that must be late so that m levels are enough, `workUs`
 * the replica time that the others take.
 */
export interface Slots {
  count: number;
  lengthUs: Float64Array;
  begins: Uint32Array;
  late: Float64Array;
  workUs: Float64Array;
  /** Least overlap of the request that has the largest, and the part of that request that it is. */
  longestUs: Float64Array;
  longestPart: Float64Array;
}

/** Where slots begin, and the end of the last one. Gaps between busy periods are slots of their own. */
export function boundariesOf({ periods, ready }: Segment, lengthUs: number): Float64Array {
  const boundaries: number[] = [];
  const first = periods[0]?.fromUs ?? 0;
  if (ready > 0 && first > 0) boundaries.push(0);
  for (const { fromUs, toUs } of periods) {
    const parts = Math.max(1, Math.ceil((toUs - fromUs) / lengthUs));
    for (let part = 0; part < parts; part++) boundaries.push(fromUs + ((toUs - fromUs) * part) / parts);
    boundaries.push(toUs);
  }
  return Float64Array.from(boundaries);
}

/**
 * Overlaps e of each request with each slot: the least over all on-time starts lies at the first or at the last one, because the
 * overlap rises and then falls with the start.
 *
 * `mostUs` caps the sum of a request's overlaps (less than it takes is still a bound): λ·c of the lateness price λ, so that
 * being late is never cheaper than the work itself.
 */
export function slotsOf(
  { atUs, serviceUs }: OracleRequests,
  segment: Segment,
  boundaries: Float64Array,
  { slots, onTimeUs, mostUs }: { slots: number; onTimeUs: number; mostUs: number },
): Slots {
  const { first, end } = segment;
  const count = boundaries.length - 1;
  const sizes = new Uint32Array(count + 1);
  const sums = new Float64Array(end - first);
  const visit = (take: (slot: number, index: number, overlapUs: number) => void) => {
    let low = 0;
    for (let index = first; index < end; index++) {
      const at = atUs[index] ?? 0;
      const service = serviceUs[index] ?? 0;
      const late = at + onTimeUs;
      while (low < count - 1 && (boundaries[low + 1] ?? 0) <= late) low++;
      for (let slot = low; slot < count && (boundaries[slot] ?? 0) < at + service; slot++) {
        const from = boundaries[slot] ?? 0;
        const to = boundaries[slot + 1] ?? 0;
        const early = Math.min(at + service, to) - Math.max(at, from);
        const overlap = Math.min(early, Math.min(late + service, to) - Math.max(late, from));
        if (overlap > 0) take(slot, index, overlap);
      }
    }
  };
  visit((slot, index, overlapUs) => {
    sizes[slot] = (sizes[slot] ?? 0) + 1;
    sums[index - first] = (sums[index - first] ?? 0) + overlapUs;
  });
  const begins = new Uint32Array(count + 1);
  for (let slot = 0; slot < count; slot++) begins[slot + 1] = (begins[slot] ?? 0) + (sizes[slot] ?? 0);
  const fill = begins.slice();
  const overlaps = new Float64Array(begins[count] ?? 0);
  const owners = new Uint32Array(begins[count] ?? 0);
  visit((slot, index, overlapUs) => {
    const place = fill[slot] ?? 0;
    fill[slot] = place + 1;
    const sum = sums[index - first] ?? 0;
    overlaps[place] = overlapUs * Math.min(1, mostUs / sum);
    owners[place] = index;
  });
  const crowds = largestCrowds(atUs, serviceUs, segment, boundaries, onTimeUs);
  const prices = new LatePrices(slots);
  const result: Omit<Slots, 'late' | 'workUs'> = {
    count,
    lengthUs: new Float64Array(count),
    begins: new Uint32Array(count + 1),
    longestUs: new Float64Array(count),
    longestPart: new Float64Array(count),
  };
  const entries: Overlap[] = [];
  for (let slot = 0; slot < count; slot++) {
    const lengthUs = (boundaries[slot + 1] ?? 0) - (boundaries[slot] ?? 0);
    const at = crowds.atUs[slot] ?? 0;
    const crowd = crowds.count[slot] ?? 0;
    entries.length = 0;
    for (let place = begins[slot] ?? 0; place < (begins[slot + 1] ?? 0); place++) {
      const index = owners[place] ?? 0;
      const arrival = atUs[index] ?? 0;
      const isCertain = crowd > slots && arrival + onTimeUs <= at && at < arrival + (serviceUs[index] ?? 0);
      entries.push({ overlapUs: overlaps[place] ?? 0, sumUs: Math.min(mostUs, sums[index - first] ?? 0), isCertain });
    }
    const longest = prices.add(entries, lengthUs);
    result.lengthUs[slot] = lengthUs;
    result.longestUs[slot] = longest.overlapUs;
    result.longestPart[slot] = longest.overlapUs / longest.sumUs;
    result.begins[slot + 1] = prices.late.length;
  }
  return { ...result, late: prices.late.values(), workUs: prices.workUs.values() };
}

/** For each slot an instant at which most requests are in service whenever they began, and their number. */
function largestCrowds(
  atUs: Float64Array,
  serviceUs: Float64Array,
  { first, end }: Segment,
  boundaries: Float64Array,
  onTimeUs: number,
): { atUs: Float64Array; count: Uint32Array } {
  const slotCount = boundaries.length - 1;
  const crowds = { atUs: new Float64Array(slotCount), count: new Uint32Array(slotCount) };
  const begins: number[] = [];
  const ends: number[] = [];
  for (let index = first; index < end; index++) {
    if ((serviceUs[index] ?? 0) <= onTimeUs) continue;
    begins.push((atUs[index] ?? 0) + onTimeUs);
    ends.push((atUs[index] ?? 0) + (serviceUs[index] ?? 0));
  }
  if (begins.length === 0) return crowds;
  const sortedEnds = Float64Array.from(ends).sort();
  let [begun, ended, slot] = [0, 0, 0];
  const look = (at: number, crowd: number) => {
    if (crowd <= (crowds.count[slot] ?? 0)) return;
    crowds.count[slot] = crowd;
    crowds.atUs[slot] = at;
  };
  for (; slot < slotCount; slot++) {
    const from = boundaries[slot] ?? 0;
    const to = boundaries[slot + 1] ?? 0;
    // At the begin of the slot, then at each moment within it at which one is certain to be in service.
    for (let at = from; at < to; at = begins[begun] ?? Number.POSITIVE_INFINITY) {
      while (begun < begins.length && (begins[begun] ?? 0) <= at) begun++;
      while (ended < sortedEnds.length && (sortedEnds[ended] ?? 0) <= at) ended++;
      look(at, begun - ended);
    }
  }
  return crowds;
}
