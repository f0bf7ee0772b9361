import { numberOr, numbersOf, objectOf, shortened, type JsonObject } from './storedJson.ts';

/**
 * Knative's buckets (pkg/autoscaler/aggregation/bucketing.go): one value a second, and the mean over the stable and the
 * panic window. A window begins at its first write, so a young one is not diluted; seconds between two writes that had
 * none count as zero; the time since the last write does not count at all.
 */
export interface KpaWindow {
  bucketMs: number;
  /** Length of either window in buckets. */
  sizes: Sizes;
  /** Bucket of the last write; null: nothing was written. */
  last: number | null;
  /** Bucket from which on either window counts. */
  firsts: Sizes;
  /** One value a bucket, the last one that of `last`; at most `sizes.stable`. */
  values: number[];
}

export interface Sizes {
  stable: number;
  panic: number;
}

export type KpaWindowName = keyof Sizes;

/** Stable windows of more seconds than this get wider buckets: the memory of a workload is bounded. */
const mostBuckets = 600;
const precision = 1e6;
const smallestCoefficient = 0.2;
const weightPrecision = 0.9999;

export function emptyKpaWindow(stableMs: number, panicMs: number): KpaWindow {
  const bucketMs = Math.max(1, Math.ceil(stableMs / 1000 / mostBuckets)) * 1000;
  const buckets = (ms: number) => Math.max(1, Math.ceil(ms / bucketMs));
  const sizes = { stable: buckets(stableMs), panic: buckets(panicMs) };
  return { bucketMs, sizes, last: null, firsts: { stable: 0, panic: 0 }, values: [] };
}

/** Adds a value to the bucket of its moment; values older than a window are left out of it. */
export function recordKpa(window: KpaWindow, atMs: number, value: number): void {
  const index = Math.floor(atMs / window.bucketMs);
  if (window.last === null) {
    window.last = index;
    window.firsts = { stable: index, panic: index };
    window.values = [0];
  } else if (index > window.last) {
    moveTo(window, window.last, index);
  } else if (index + window.sizes.stable <= window.last) {
    return;
  } else {
    for (const name of ['stable', 'panic'] as const) {
      if (index + window.sizes[name] > window.last) window.firsts[name] = Math.min(window.firsts[name], index);
    }
    while (window.values.length <= window.last - index) window.values.unshift(0);
  }
  const position = window.values.length - 1 - (window.last - index);
  window.values[position] = shortened((window.values[position] ?? 0) + value);
}

function moveTo(window: KpaWindow, last: number, index: number): void {
  const gap = index - last;
  for (const name of ['stable', 'panic'] as const) if (gap >= window.sizes[name]) window.firsts[name] = index;
  if (gap >= window.sizes.stable) window.values = [0];
  else for (let i = 0; i < gap; i++) window.values.push(0);
  if (window.values.length > window.sizes.stable) window.values.splice(0, window.values.length - window.sizes.stable);
  window.last = index;
}

/**
 * Whether nothing has been written for a stable window: there is nothing to scale on. (Upstream is one second later,
 * and in that second the mean is zero though nothing was measured: a lost source would shrink the workload.)
 */
export function isKpaWindowEmpty(window: KpaWindow, nowMs: number): boolean {
  return window.last === null || Math.floor(nowMs / window.bucketMs) - window.last >= window.sizes.stable;
}

/** Average of a window as of now; floored to six digits where it is a plain mean, as upstream does. */
export function kpaAverage(
  window: KpaWindow,
  name: KpaWindowName,
  nowMs: number,
  aggregation: 'linear' | 'weighted-exponential',
): number {
  if (window.last === null) return 0;
  const since = Math.max(0, Math.floor(nowMs / window.bucketMs) - window.last);
  const size = window.sizes[name];
  if (aggregation === 'weighted-exponential') return since > size ? 0 : weightedAverage(window, size, since);
  if (since >= size) return 0;
  const count = Math.min(window.last - window.firsts[name] + 1, size - since);
  let sum = 0;
  for (const value of window.values.slice(-(size - since))) sum += value;
  return Math.floor((sum / count) * precision) / precision;
}

/** Newest first, each weight smaller than the one before by the same factor; seconds without a write are zeros. */
function weightedAverage(window: KpaWindow, size: number, since: number): number {
  const coefficient = smoothingCoefficient(size);
  let weight = coefficient * (1 - coefficient) ** since;
  let sum = 0;
  for (let back = 0; back < size - since; back++) {
    sum += weight * (window.values[window.values.length - 1 - back] ?? 0);
    weight *= 1 - coefficient;
  }
  return sum;
}

/** Decay such that the weights of all buckets add up to at least 0.9999; not under 0.2. */
export function smoothingCoefficient(buckets: number): number {
  return Math.max(1 - (1 - weightPrecision) ** (1 / buckets), smallestCoefficient);
}

/** The same data in windows of another length; data that is too old for the old window is forgotten. */
export function resizeKpaWindow(window: KpaWindow, stableMs: number, panicMs: number, nowMs: number): KpaWindow {
  const resized = emptyKpaWindow(stableMs, panicMs);
  const { last } = window;
  if (last === null || resized.bucketMs !== window.bucketMs || isKpaWindowEmpty(window, nowMs)) return resized;
  resized.last = last;
  resized.values = window.values.slice(-resized.sizes.stable);
  for (const name of ['stable', 'panic'] as const) {
    const same = resized.sizes[name] === window.sizes[name];
    resized.firsts[name] = same ? window.firsts[name] : last - window.sizes[name] + 1;
  }
  return resized;
}

export function kpaWindowToJson(window: KpaWindow): JsonObject {
  const { bucketMs, sizes, last, firsts, values } = window;
  return { bucketMs, sizes: { ...sizes }, last, firsts: { ...firsts }, values: [...values] };
}

/** The stored window in the lengths asked for. */
export function kpaWindowFromJson(json: JsonObject, stableMs: number, panicMs: number, nowMs: number): KpaWindow {
  const window = emptyKpaWindow(stableMs, panicMs);
  const sizes = sizesFromJson(objectOf(json.sizes));
  const last = numberOr(json.last, null);
  if (sizes === null || last === null) return window;
  const stored: KpaWindow = {
    bucketMs: numberOr(json.bucketMs, window.bucketMs),
    sizes,
    last,
    firsts: sizesFromJson(objectOf(json.firsts)) ?? { stable: last, panic: last },
    values: numbersOf(json.values),
  };
  const same = sizes.stable === window.sizes.stable && sizes.panic === window.sizes.panic;
  return same && stored.bucketMs === window.bucketMs ? stored : resizeKpaWindow(stored, stableMs, panicMs, nowMs);
}

function sizesFromJson({ stable, panic }: JsonObject): Sizes | null {
  return typeof stable === 'number' && typeof panic === 'number' ? { stable, panic } : null;
}
