import type { Json } from '../replicas/types.ts';
import { at, storedNumbers } from './numbers.ts';
import type { DemandSpan } from './types.ts';

/**
 * Gathers spans into slots of local time (a quarter, an hour): mean and peak of each slot when it is over. A slot that
 * was seen in part only counts for the part that was seen.
 */
export class SlotMeter {
  readonly #slotMs: number;
  readonly #offsetMs: number;
  readonly #closed: (slot: number, mean: number, peak: number) => void;
  /** Slot number since the epoch (−1: none open), milliseconds seen, demand × milliseconds, peak. */
  #slot = -1;
  #seenMs = 0;
  #area = 0;
  #peak = 0;

  constructor(
    memory: Json | undefined,
    slotMs: number,
    offsetMs: number,
    closed: (slot: number, mean: number, peak: number) => void,
  ) {
    this.#slotMs = slotMs;
    this.#offsetMs = offsetMs;
    this.#closed = closed;
    const stored = storedNumbers(memory, 4);
    if (stored) [this.#slot = -1, this.#seenMs = 0, this.#area = 0, this.#peak = 0] = stored;
  }

  /** Number of the slot that the moment is in, counted from the epoch in local time. */
  slotOf(ms: number): number {
    return Math.floor((ms + this.#offsetMs) / this.#slotMs);
  }

  add(span: DemandSpan): void {
    const slot = this.slotOf(span.startMs);
    if (slot !== this.#slot) {
      // A change of the zone's offset may leave a slot unfinished.
      this.#close();
      this.#slot = slot;
    }
    this.#seenMs += span.lengthMs;
    this.#area = Math.round(this.#area + span.mean * span.lengthMs);
    this.#peak = Math.max(this.#peak, span.peak);
    if (this.slotOf(span.startMs + span.lengthMs) !== slot) this.#close();
  }

  #close(): void {
    if (this.#slot >= 0 && this.#seenMs > 0) this.#closed(this.#slot, this.#area / this.#seenMs, this.#peak);
    this.#slot = -1;
    this.#seenMs = 0;
    this.#area = 0;
    this.#peak = 0;
  }

  toJson(): Json {
    return [this.#slot, this.#seenMs, this.#area, this.#peak];
  }
}

/** Position of a slot in a season of `count` slots. */
export const seasonIndex = (slot: number, count: number): number => ((slot % count) + count) % count;

/** Largest of a season's values over the slots from `first` to `last`; at most one whole season is looked at. */
export function largestOf(values: Float64Array, first: number, last: number): number {
  const count = values.length;
  let largest = Number.NEGATIVE_INFINITY;
  for (let slot = first; slot <= last && slot < first + count; slot += 1) {
    largest = Math.max(largest, at(values, seasonIndex(slot, count)));
  }
  return largest;
}
