import { objectOf } from '../replicas/algorithms/storedJson.ts';
import type { Json } from '../replicas/types.ts';
import { at, expectileStep, rounded, storedNumbers } from './numbers.ts';
import { largestOf, seasonIndex, SlotMeter } from './slotMeter.ts';
import type { DemandSpan, Forecaster, ResolvedSettings } from './types.ts';

const digits = 3;

export interface ProfileShape {
  slotMs: number;
  /** Slots in a season. */
  count: number;
  /** How far a peak above the estimate, or below it, pulls it: alike gives a decayed mean, more up a high expectile. */
  up: number;
  down: number;
}

/**
 * Seasonal naive: the slot of the same local time in earlier seasons. Of every slot it keeps one decayed expectile of
 * the peaks that it had.
 */
export class Profile implements Forecaster {
  /** −1: never seen. */
  readonly #peaks: Float64Array;
  readonly #meter: SlotMeter;
  readonly #shape: ProfileShape;

  constructor(memory: Json | undefined, shape: ProfileShape, settings: ResolvedSettings) {
    const stored = objectOf(memory);
    this.#shape = shape;
    this.#peaks = storedNumbers(stored.peaks, shape.count) ?? new Float64Array(shape.count).fill(-1);
    this.#meter = new SlotMeter(stored.open, shape.slotMs, settings.utcOffsetMs, (slot, _mean, peak) =>
      this.#update(seasonIndex(slot, shape.count), peak),
    );
  }

  learn(span: DemandSpan): void {
    this.#meter.add(span);
  }

  #update(index: number, peak: number): void {
    const known = at(this.#peaks, index);
    const { up, down } = this.#shape;
    this.#peaks[index] = rounded(known < 0 ? peak : expectileStep(known, peak, up, down), digits);
  }

  peakWithin(fromMs: number, toMs: number): number | null {
    const largest = largestOf(this.#peaks, this.#meter.slotOf(fromMs), this.#meter.slotOf(toMs));
    return largest < 0 ? null : largest;
  }

  because(fromMs: number): Record<string, number> {
    const { slotMs, count } = this.#shape;
    return { slot: seasonIndex(this.#meter.slotOf(fromMs), count), slotMs };
  }

  toJson(): Json {
    return { peaks: [...this.#peaks], open: this.#meter.toJson() };
  }
}
