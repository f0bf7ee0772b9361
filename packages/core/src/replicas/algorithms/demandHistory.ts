import type { Json } from '../types.ts';
import type { DemandSegment } from './demand.ts';
import { rowsOf, shortened } from './storedJson.ts';

/** Mean, peak and least of the demand over a look-back, in at most sixty-four buckets. */
export interface DemandHistory {
  bucketMs: number;
  /** `[index, value × ms, covered ms, peak, least]`, oldest first; index = floor(time / bucketMs). */
  buckets: Bucket[];
}

type Bucket = [index: number, valueMs: number, coveredMs: number, peak: number, least: number];

const mostBuckets = 64;
const wishedBuckets = 60;

export function emptyHistory(lengthMs: number): DemandHistory {
  return { bucketMs: Math.max(1000, Math.ceil(lengthMs / wishedBuckets / 1000) * 1000), buckets: [] };
}

/** Adds a segment that begins where the one before ended or later. */
export function addSegment(history: DemandHistory, segment: DemandSegment): void {
  const { bucketMs, buckets } = history;
  const { atMs, value, peak } = segment;
  let startMs = Math.max(segment.fromMs, atMs - mostBuckets * bucketMs);
  while (startMs < atMs) {
    const index = Math.floor(startMs / bucketMs);
    const endMs = Math.min(atMs, (index + 1) * bucketMs);
    const coveredMs = endMs - startMs;
    const last = buckets.at(-1);
    if (last && last[0] === index) {
      last[1] = shortened(last[1] + value * coveredMs);
      last[2] += coveredMs;
      last[3] = Math.max(last[3], shortened(peak));
      last[4] = Math.min(last[4], shortened(value));
    } else {
      buckets.push([index, shortened(value * coveredMs), coveredMs, shortened(peak), shortened(value)]);
    }
    startMs = endMs;
  }
  if (buckets.length > mostBuckets) buckets.splice(0, buckets.length - mostBuckets);
}

/** Mean over what was measured in the last `lengthMs`; null when nothing was. */
export function meanOver(history: DemandHistory, nowMs: number, lengthMs: number): number | null {
  let valueMs = 0;
  let coveredMs = 0;
  for (const bucket of recent(history, nowMs, lengthMs)) {
    valueMs += bucket[1];
    coveredMs += bucket[2];
  }
  return coveredMs === 0 ? null : valueMs / coveredMs;
}

/** Mean over the whole of `lengthMs`, where time without a measurement counts as zero; null when nothing was measured. */
export function dilutedMeanOver(history: DemandHistory, nowMs: number, lengthMs: number): number | null {
  const buckets = recent(history, nowMs, lengthMs);
  return buckets.length === 0 ? null : buckets.reduce((sum, bucket) => sum + bucket[1], 0) / lengthMs;
}

/** Largest value in the last `lengthMs`; null when nothing was measured. */
export function peakOver(history: DemandHistory, nowMs: number, lengthMs: number): number | null {
  const buckets = recent(history, nowMs, lengthMs);
  return buckets.length === 0 ? null : Math.max(...buckets.map((bucket) => bucket[3]));
}

/** Smallest mean of a segment in the last `lengthMs`; null when nothing was measured. */
export function leastOver(history: DemandHistory, nowMs: number, lengthMs: number): number | null {
  const buckets = recent(history, nowMs, lengthMs);
  return buckets.length === 0 ? null : Math.min(...buckets.map((bucket) => bucket[4]));
}

/** Whether time alone can still change an answer of this history. */
export function isMoving(history: DemandHistory, nowMs: number, lengthMs: number): boolean {
  return recent(history, nowMs, lengthMs).some((bucket) => bucket[3] > 0);
}

/** The bucket that is being filled, or has just been, and as many before it as the length holds. */
function recent(history: DemandHistory, nowMs: number, lengthMs: number): Bucket[] {
  const first = Math.floor((nowMs - 1) / history.bucketMs) - Math.max(1, Math.ceil(lengthMs / history.bucketMs)) + 1;
  return history.buckets.filter((bucket) => bucket[0] >= first);
}

export function historyToJson(history: DemandHistory): Json {
  return { bucketMs: history.bucketMs, buckets: history.buckets.map((bucket) => [...bucket]) };
}

/** The stored history, or an empty one when it is of another look-back. */
export function historyFromJson(json: { [key: string]: Json }, lengthMs: number): DemandHistory {
  const empty = emptyHistory(lengthMs);
  if (json.bucketMs !== empty.bucketMs) return empty;
  for (const row of rowsOf(json.buckets, 5)) {
    const [index = 0, valueMs = 0, coveredMs = 0, peak = 0, least = 0] = row;
    empty.buckets.push([index, valueMs, coveredMs, peak, least]);
  }
  return empty;
}
