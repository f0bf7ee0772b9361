import type { Json } from '../types.ts';
import type { DemandSegment } from './demand.ts';
import { shortened } from './storedJson.ts';

/** Mean, peak and least of the demand over a look-back, in at most sixty-four buckets. */
export interface DemandHistory {
  bucketMs: number;
  /**
   * Five numbers a bucket, oldest first: index, value × ms, covered ms, peak, least; index = floor(time / bucketMs).
   * One flat list, because every decision reads and writes it.
   */
  buckets: number[];
}

const width = 5;
const valueAt = 1;
const coveredAt = 2;
const peakAt = 3;
const leastAt = 4;
const mostBuckets = 64;
const wishedBuckets = 60;

export function emptyHistory(lengthMs: number): DemandHistory {
  return { bucketMs: Math.max(1000, Math.ceil(lengthMs / wishedBuckets / 1000) * 1000), buckets: [] };
}

/** Adds a segment that begins where the one before ended or later. */
export function addSegment(history: DemandHistory, segment: DemandSegment): void {
  const { bucketMs, buckets } = history;
  const { atMs, value } = segment;
  const peak = shortened(segment.peak);
  const least = shortened(value);
  let startMs = Math.max(segment.fromMs, atMs - mostBuckets * bucketMs);
  while (startMs < atMs) {
    const index = Math.floor(startMs / bucketMs);
    const endMs = Math.min(atMs, (index + 1) * bucketMs);
    const coveredMs = endMs - startMs;
    const last = buckets.length - width;
    if (last >= 0 && buckets[last] === index) {
      buckets[last + valueAt] = shortened((buckets[last + valueAt] ?? 0) + value * coveredMs);
      buckets[last + coveredAt] = (buckets[last + coveredAt] ?? 0) + coveredMs;
      buckets[last + peakAt] = Math.max(buckets[last + peakAt] ?? 0, peak);
      buckets[last + leastAt] = Math.min(buckets[last + leastAt] ?? least, least);
    } else {
      buckets.push(index, shortened(value * coveredMs), coveredMs, peak, least);
    }
    startMs = endMs;
  }
  if (buckets.length > mostBuckets * width) buckets.splice(0, buckets.length - mostBuckets * width);
}

/** Mean over what was measured in the last `lengthMs`; null when nothing was. */
export function meanOver(history: DemandHistory, nowMs: number, lengthMs: number): number | null {
  let valueMs = 0;
  let coveredMs = 0;
  const { buckets } = history;
  for (let i = firstRecent(history, nowMs, lengthMs); i < buckets.length; i += width) {
    valueMs += buckets[i + valueAt] ?? 0;
    coveredMs += buckets[i + coveredAt] ?? 0;
  }
  return coveredMs === 0 ? null : valueMs / coveredMs;
}

/** Mean over the whole of `lengthMs`, where time without a measurement counts as zero; null when nothing was measured. */
export function dilutedMeanOver(history: DemandHistory, nowMs: number, lengthMs: number): number | null {
  const { buckets } = history;
  const first = firstRecent(history, nowMs, lengthMs);
  if (first >= buckets.length) return null;
  let valueMs = 0;
  for (let i = first; i < buckets.length; i += width) valueMs += buckets[i + valueAt] ?? 0;
  return valueMs / lengthMs;
}

/** Largest value in the last `lengthMs`; null when nothing was measured. */
export function peakOver(history: DemandHistory, nowMs: number, lengthMs: number): number | null {
  const { buckets } = history;
  let peak: number | null = null;
  for (let i = firstRecent(history, nowMs, lengthMs); i < buckets.length; i += width) {
    peak = Math.max(peak ?? 0, buckets[i + peakAt] ?? 0);
  }
  return peak;
}

/** Smallest mean of a segment in the last `lengthMs`; null when nothing was measured. */
export function leastOver(history: DemandHistory, nowMs: number, lengthMs: number): number | null {
  const { buckets } = history;
  let least: number | null = null;
  for (let i = firstRecent(history, nowMs, lengthMs); i < buckets.length; i += width) {
    const value = buckets[i + leastAt] ?? 0;
    least = least === null ? value : Math.min(least, value);
  }
  return least;
}

/** Whether time alone can still change an answer of this history. */
export function isMoving(history: DemandHistory, nowMs: number, lengthMs: number): boolean {
  return (peakOver(history, nowMs, lengthMs) ?? 0) > 0;
}

/** Where the look-back begins: the bucket that is being filled, or has just been, and as many before as it holds. */
function firstRecent({ bucketMs, buckets }: DemandHistory, nowMs: number, lengthMs: number): number {
  const first = Math.floor((nowMs - 1) / bucketMs) - Math.max(1, Math.ceil(lengthMs / bucketMs)) + 1;
  let i = 0;
  while (i < buckets.length && (buckets[i] ?? first) < first) i += width;
  return i;
}

export function historyToJson(history: DemandHistory): Json {
  return { bucketMs: history.bucketMs, buckets: history.buckets.slice() };
}

/** The stored history, or an empty one when it is of another look-back. */
export function historyFromJson(json: { [key: string]: Json }, lengthMs: number): DemandHistory {
  const history = emptyHistory(lengthMs);
  const { bucketMs, buckets } = json;
  if (bucketMs === history.bucketMs && isWhole(buckets)) history.buckets = buckets.slice();
  return history;
}

function isWhole(json: Json | undefined): json is number[] {
  if (!Array.isArray(json) || json.length % width !== 0) return false;
  for (const value of json) if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  return true;
}
