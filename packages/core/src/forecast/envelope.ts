import { objectOf } from '../replicas/algorithms/storedJson.ts';
import type { Json } from '../replicas/types.ts';
import { at, dayMs, rounded, storedNumbers } from './numbers.ts';
import type { DemandSpan, Forecaster, ForecasterType, ResolvedSettings } from './types.ts';

/** Window lengths in buckets. */
const windows = [1, 2, 5, 10, 20, 30, 60] as const;
const longest = 60;
const digits = 3;

/**
 * Arrival envelope: α(w) is the most demand (slots × buckets) that any window of w buckets had, forgotten with a
 * half-life of a day. What has come in the last u buckets, A(u), counts against α(u + h), so that in the next h buckets
 * at most min over u of α(u + h) − A(u) can still come, and no bucket can peak above that or above the largest peak.
 * Source: Cruz, IEEE Trans. Information Theory 37(1), 1991 (burstiness constraints); the use of measured envelopes for
 * inference as in InferLine, SoCC 2020.
 */
class Envelope implements Forecaster {
  /** Means of the last buckets, the newest first. */
  readonly #recent: number[];
  /** Most demand of a window, by window; the last is the largest peak. */
  readonly #most: Float64Array;
  readonly #bucketMs: number;

  constructor(memory: Json | undefined, settings: ResolvedSettings) {
    const stored = objectOf(memory);
    const count = Array.isArray(stored.recent) && stored.recent.length <= longest ? stored.recent.length : 0;
    const recent = storedNumbers(stored.recent, count);
    const most = storedNumbers(stored.most, windows.length + 1);
    const isWhole = recent !== null && most !== null;
    this.#recent = isWhole ? [...recent] : [];
    this.#most = isWhole ? most : new Float64Array(windows.length + 1);
    this.#bucketMs = settings.bucketMs;
  }

  learn(span: DemandSpan): void {
    const buckets = Math.round(span.lengthMs / this.#bucketMs);
    const fade = 0.5 ** (span.lengthMs / dayMs);
    for (let bucket = Math.min(buckets, longest); bucket > 0; bucket -= 1)
      this.#recent.unshift(rounded(span.mean, digits));
    if (this.#recent.length > longest) this.#recent.length = longest;
    let sum = 0;
    let taken = 0;
    for (const [index, window] of windows.entries()) {
      for (; taken < window; taken += 1) sum += this.#recent[taken] ?? 0;
      this.#most[index] = rounded(Math.max(fade * at(this.#most, index), sum), 6);
    }
    this.#most[windows.length] = rounded(Math.max(fade * at(this.#most, windows.length), span.peak), 6);
  }

  /** α(length): no more than the next longer window's, nor more than whole shorter windows add up to. */
  #mostIn(length: number): number {
    let most = Number.POSITIVE_INFINITY;
    for (const [index, window] of windows.entries()) {
      most = Math.min(most, at(this.#most, index) * Math.ceil(length / window));
    }
    return most;
  }

  peakWithin(fromMs: number, toMs: number): number | null {
    if (this.#recent.length === 0) return null;
    const ahead = Math.max(1, Math.ceil((toMs - fromMs) / this.#bucketMs));
    let most = this.#mostIn(ahead);
    let came = 0;
    let taken = 0;
    for (const window of windows) {
      for (; taken < window; taken += 1) came += this.#recent[taken] ?? 0;
      most = Math.min(most, this.#mostIn(window + ahead) - came);
    }
    return Math.max(0, Math.min(most, at(this.#most, windows.length)));
  }

  because(): Record<string, number> {
    return {
      largestPeak: at(this.#most, windows.length),
      mostOf10Buckets: at(this.#most, windows.indexOf(10)),
      mostOf60Buckets: at(this.#most, windows.indexOf(60)),
    };
  }

  toJson(): Json {
    return { recent: [...this.#recent], most: [...this.#most] };
  }
}

export const envelope: ForecasterType = {
  name: 'envelope',
  isStated: false,
  open: (memory, settings) => new Envelope(memory, settings),
};
