import type { Json } from './types.ts';

/**
 * A sliding window of exact, time-weighted means, in buckets so that its memory is bounded.
 *
 * A sample is a mean over an interval; it is spread over the buckets that the interval touches. The mean over the last
 * W is (sum of value × time) / (time covered): a young window is not diluted by time before its first sample, as in
 * Knative's aggregation. Time moves in whole buckets, so between two bucket edges a mean changes only by new samples.
 */
export interface Window {
  bucketMs: number;
  /** End of the last sample. */
  endMs: number;
  /** `[bucket index, value × ms, covered ms]`, oldest first; index = floor(time / bucketMs). */
  buckets: [number, number, number][];
}

const mostBuckets = 120;
const shortestBucketMs = 1000;
/** Sums are kept to a millionth, which is far below what a replica count can feel and keeps the memory small. */
const precision = 1e6;

/** Bucket width that lets `longMs` be covered by few buckets and `shortMs` by at least one. */
export function bucketWidthMs(longMs: number, shortMs: number): number {
  const wished = Math.max(shortestBucketMs, Math.ceil(longMs / 60 / shortestBucketMs) * shortestBucketMs);
  const least = Math.max(1, Math.ceil(longMs / mostBuckets));
  return Math.max(least, Math.min(wished, Math.max(shortMs, 1)));
}

export function emptyWindow(bucketMs: number): Window {
  return { bucketMs, endMs: Number.MIN_SAFE_INTEGER, buckets: [] };
}

/**
 * Adds the mean `value` over the `spanMs` before `atMs`. What overlaps earlier samples is left out; a sample that
 * lies wholly before the end of the last one changes nothing. Returns whether anything was taken.
 */
export function addSample(window: Window, atMs: number, spanMs: number, value: number): boolean {
  // An instant value stands for one millisecond: enough to be seen, too little to outweigh a measured span.
  const fromMs = Math.max(atMs - Math.max(spanMs, 1), window.endMs);
  if (fromMs >= atMs) return false;
  let index = Math.floor(fromMs / window.bucketMs);
  for (let startMs = fromMs; startMs < atMs; index++) {
    const endMs = Math.min(atMs, (index + 1) * window.bucketMs);
    addToBucket(window, index, value * (endMs - startMs), endMs - startMs);
    startMs = endMs;
    if (window.buckets.length > mostBuckets) window.buckets.splice(0, window.buckets.length - mostBuckets);
    // A span far longer than any window: only its last part can matter.
    if (index < Math.floor(atMs / window.bucketMs) - mostBuckets) {
      index = Math.floor(atMs / window.bucketMs) - mostBuckets - 1;
      startMs = Math.max(startMs, (index + 1) * window.bucketMs);
    }
  }
  window.endMs = atMs;
  return true;
}

function addToBucket(window: Window, index: number, valueMs: number, coveredMs: number): void {
  const last = window.buckets.at(-1);
  if (last && last[0] === index) {
    last[1] = Math.round((last[1] + valueMs) * precision) / precision;
    last[2] += coveredMs;
  } else {
    window.buckets.push([index, Math.round(valueMs * precision) / precision, coveredMs]);
  }
}

/** Forgets what is older than `longestMs`. */
export function trimWindow(window: Window, nowMs: number, longestMs: number): void {
  const first = firstBucket(window, nowMs, longestMs);
  let drop = 0;
  while (drop < window.buckets.length && (window.buckets[drop]?.[0] ?? first) < first) drop++;
  if (drop > 0) window.buckets.splice(0, drop);
}

/** Mean over the last `lengthMs`; null when nothing was measured in it. */
export function windowMean(window: Window, nowMs: number, lengthMs: number): number | null {
  const first = firstBucket(window, nowMs, lengthMs);
  let valueMs = 0;
  let coveredMs = 0;
  for (let i = window.buckets.length - 1; i >= 0; i--) {
    const bucket = window.buckets[i];
    if (!bucket || bucket[0] < first) break;
    valueMs += bucket[1];
    coveredMs += bucket[2];
  }
  return coveredMs === 0 ? null : valueMs / coveredMs;
}

/** Whether no sample was ever taken. */
export function isUnmeasured(window: Window): boolean {
  return window.endMs === Number.MIN_SAFE_INTEGER;
}

/** Whether time alone can still change a mean of this window. */
export function hasDemand(window: Window): boolean {
  return window.buckets.some((bucket) => bucket[1] > 0);
}

/** The running bucket and as many whole ones before it as the length holds. */
function firstBucket(window: Window, nowMs: number, lengthMs: number): number {
  return Math.floor(nowMs / window.bucketMs) - Math.max(1, Math.round(lengthMs / window.bucketMs)) + 1;
}

export function windowToJson(window: Window): Json {
  return { w: window.bucketMs, e: window.endMs, b: window.buckets.map((bucket) => [...bucket]) };
}

/** The inverse of `windowToJson`; null for anything else, or for a window of another bucket width. */
export function windowFromJson(json: Json | undefined, bucketMs: number): Window | null {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return null;
  const { w, e, b } = json;
  if (w !== bucketMs || typeof e !== 'number' || !Array.isArray(b)) return null;
  const buckets: Window['buckets'] = [];
  for (const bucket of b) {
    if (!Array.isArray(bucket)) return null;
    const [index, valueMs, coveredMs] = bucket;
    if (typeof index !== 'number' || typeof valueMs !== 'number' || typeof coveredMs !== 'number') return null;
    buckets.push([index, valueMs, coveredMs]);
  }
  return { bucketMs, endMs: e, buckets };
}
