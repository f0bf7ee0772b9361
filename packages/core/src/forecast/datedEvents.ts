import { lastPeak } from './lastPeak.ts';
import type { Json } from '../replicas/types.ts';
import type { DatedEvent, DemandSpan, Forecaster, ForecasterType, ResolvedSettings } from './types.ts';

/**
 * Dated events: within one, `factor` times what persistence expects of the demand without it. What comes in during an
 * event is divided by its factor before persistence learns it, so that the factor is not applied twice. Of events that
 * overlap the largest factor counts. Outside of events it says nothing.
 */
class DatedEvents implements Forecaster {
  readonly #base: Forecaster;
  readonly #events: readonly DatedEvent[];

  constructor(memory: Json | undefined, settings: ResolvedSettings) {
    this.#base = lastPeak.open(memory, settings);
    this.#events = settings.events;
  }

  /** The largest factor of the events that touch (fromMs, toMs]; null where none does. */
  #factorWithin(fromMs: number, toMs: number): number | null {
    let largest: number | null = null;
    for (const { startMs, endMs, factor } of this.#events) {
      if (startMs <= toMs && endMs > fromMs) largest = Math.max(largest ?? 0, factor);
    }
    return largest;
  }

  learn(span: DemandSpan): void {
    const factor = this.#factorWithin(span.startMs, span.startMs + span.lengthMs - 1) ?? 1;
    // A bucket that an event only touches is taken as one within it. A factor of 0 tells nothing of the demand without it.
    if (factor === 0) return;
    this.#base.learn({ ...span, mean: span.mean / factor, peak: Math.round((span.peak / factor) * 1_000) / 1_000 });
  }

  peakWithin(fromMs: number, toMs: number): number | null {
    const factor = this.#factorWithin(fromMs, toMs);
    const base = factor === null ? null : this.#base.peakWithin(fromMs, toMs);
    return factor === null || base === null ? null : factor * base;
  }

  because(fromMs: number, toMs: number): Record<string, number> {
    return { factor: this.#factorWithin(fromMs, toMs) ?? 1, withoutEvent: this.#base.peakWithin(fromMs, toMs) ?? 0 };
  }

  toJson(): Json {
    return this.#base.toJson();
  }
}

export const datedEvents: ForecasterType = {
  name: 'dated-events',
  isStated: true,
  open: (memory, settings) => new DatedEvents(memory, settings),
};
