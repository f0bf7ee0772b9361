import type { Json } from '../replicas/types.ts';
import { storedNumbers } from './numbers.ts';
import type { DemandSpan, Forecaster, ForecasterType, ResolvedSettings } from './types.ts';

const remembered = 5;

/**
 * Persistence: what comes is what was, the largest peak of the last five buckets. One step ahead it is as good as
 * learned models on cloud traces. Source: "Is machine learning necessary for cloud resource usage forecasting?",
 * Christofidi, Papaioannou and Doudali, SoCC 2023.
 */
class LastPeak implements Forecaster {
  /** Peaks, the newest first. */
  readonly #peaks: number[];
  readonly #bucketMs: number;

  constructor(memory: Json | undefined, settings: ResolvedSettings) {
    this.#bucketMs = settings.bucketMs;
    const count = Array.isArray(memory) && memory.length <= remembered ? memory.length : 0;
    this.#peaks = [...(storedNumbers(memory, count) ?? [])];
  }

  learn(span: DemandSpan): void {
    const buckets = Math.min(remembered, Math.round(span.lengthMs / this.#bucketMs));
    for (let bucket = 0; bucket < buckets; bucket += 1) this.#peaks.unshift(span.peak);
    if (this.#peaks.length > remembered) this.#peaks.length = remembered;
  }

  peakWithin(): number | null {
    if (this.#peaks.length === 0) return null;
    return Math.max(...this.#peaks);
  }

  because(): Record<string, number> {
    return { buckets: this.#peaks.length, newestPeak: this.#peaks[0] ?? 0 };
  }

  toJson(): Json {
    return [...this.#peaks];
  }
}

export const lastPeak: ForecasterType = {
  name: 'last-peak',
  isStated: false,
  open: (memory, settings) => new LastPeak(memory, settings),
};
