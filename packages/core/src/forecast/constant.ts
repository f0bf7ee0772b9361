import type { Json } from '../replicas/types.ts';
import { at, rounded, storedNumbers, weekMs } from './numbers.ts';
import type { ResolvedSettings } from './types.ts';

/** Replica counts that are told apart: all up to 8, then half as many again each time. */
const ladder: readonly number[] = (() => {
  const counts = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  for (let count = 12; counts.length < 32; count = Math.ceil(count * 1.5)) counts.push(count);
  return counts;
})();

/** Time (ms) that demand needed so many replicas: pairs of count and time. */
export type LevelTimes = Map<number, number>;

/**
 * The reference that knows no time: the constant count that would have been cheapest over the past week, from how long
 * demand needed how many replicas (time, forgotten with e-folding of a week). A forecaster that does no better than this
 * has found headroom, not a pattern. Excess within a replica is counted at its middle.
 */
export class Constant {
  readonly #times: Float64Array;
  #chosen = 0;

  constructor(memory: Json | undefined) {
    const stored = storedNumbers(memory, Array.isArray(memory) ? Math.min(memory.length, ladder.length + 1) : 0);
    this.#times = new Float64Array(ladder.length);
    if (!stored || stored.length === 0) return;
    this.#chosen = at(stored, 0);
    this.#times.set(stored.subarray(1));
  }

  learn(levels: LevelTimes, lengthMs: number): void {
    const fade = Math.exp(-lengthMs / weekMs);
    for (let step = 0; step < ladder.length; step += 1) {
      const time = at(this.#times, step);
      if (time > 0) this.#times[step] = rounded(time * fade, 6);
    }
    for (const [replicas, time] of levels) {
      let step = 0;
      while (step < ladder.length - 1 && at(ladder, step) < replicas) step += 1;
      this.#times[step] = rounded(at(this.#times, step) + time, 6);
    }
  }

  /** Chooses anew; once an hour is often enough. */
  choose({ latePriceSeconds, serviceMs, slots }: ResolvedSettings): void {
    // Replica-seconds a second that a replica too few costs.
    const price = (latePriceSeconds * 1_000 * slots) / serviceMs;
    let cheapest = Number.POSITIVE_INFINITY;
    for (const candidate of ladder) {
      let cost = 0;
      for (let step = 0; step < ladder.length; step += 1) {
        const needed = at(ladder, step);
        const excess = needed > candidate ? needed - candidate - 0.5 : 0;
        cost += at(this.#times, step) * (Math.max(candidate, needed) + price * excess);
      }
      if (cost >= cheapest) continue;
      cheapest = cost;
      this.#chosen = candidate;
    }
  }

  get replicas(): number {
    return this.#chosen;
  }

  toJson(): Json {
    let used = ladder.length;
    while (used > 0 && at(this.#times, used - 1) === 0) used -= 1;
    return [this.#chosen, ...this.#times.subarray(0, used)];
  }
}
