import { objectOf } from '../replicas/algorithms/storedJson.ts';
import type { Json } from '../replicas/types.ts';
import { at, expectileStep, hourMs, rounded, storedNumbers } from './numbers.ts';
import { seasonIndex, SlotMeter } from './slotMeter.ts';
import type { DemandSpan, Forecaster, ForecasterType, ResolvedSettings } from './types.ts';

const season = 24;
/** Smoothing of level, trend and season, and how much of a trend is left after each hour. */
const alpha = 0.2;
const beta = 0.02;
const gamma = 0.3;
const damping = 0.9;
const upWeight = 0.3;
const downWeight = 0.075;
const digits = 6;

/**
 * Additive Holt-Winters with a damped trend over hourly peaks, a season of 24 hours of local time. It expects the
 * forecast plus a margin, the 0.8-expectile of its own errors so far. The first 24 hours give the first level and
 * season. Source: Winters, Management Science 6(3), 1960; Gardner and McKenzie, Management Science 31(10), 1985.
 */
class HoltWinters implements Forecaster {
  readonly #season: Float64Array;
  readonly #meter: SlotMeter;
  /** Last hour learnt (−1: none), hours learnt up to 24, level, trend, margin. */
  readonly #state: Float64Array;

  constructor(memory: Json | undefined, settings: ResolvedSettings) {
    const stored = objectOf(memory);
    const seasonal = storedNumbers(stored.season, season);
    const state = storedNumbers(stored.state, 5);
    const isWhole = seasonal !== null && state !== null;
    this.#season = isWhole ? seasonal : new Float64Array(season);
    this.#state = isWhole ? state : Float64Array.of(-1, 0, 0, 0, 0);
    this.#meter = new SlotMeter(stored.open, hourMs, settings.utcOffsetMs, (hour, _mean, peak) =>
      this.#update(hour, peak),
    );
  }

  learn(span: DemandSpan): void {
    this.#meter.add(span);
  }

  #update(hour: number, peak: number): void {
    const [, hours = 0, level = 0, trend = 0, margin = 0] = this.#state;
    const index = seasonIndex(hour, season);
    if (hours < season) {
      this.#season[index] = peak;
      this.#state[1] = hours + 1;
      if (hours + 1 === season) this.#begin();
    } else {
      const seasonal = at(this.#season, index);
      const expected = level + damping * trend;
      const nextLevel = alpha * (peak - seasonal) + (1 - alpha) * expected;
      this.#season[index] = rounded(gamma * (peak - nextLevel) + (1 - gamma) * seasonal, digits);
      this.#state[2] = rounded(nextLevel, digits);
      this.#state[3] = rounded(beta * (nextLevel - level) + (1 - beta) * damping * trend, digits);
      this.#state[4] = rounded(expectileStep(margin, peak - expected - seasonal, upWeight, downWeight), digits);
    }
    this.#state[0] = hour;
  }

  #begin(): void {
    const level = this.#season.reduce((sum, peak) => sum + peak, 0) / season;
    for (let index = 0; index < season; index += 1)
      this.#season[index] = rounded(at(this.#season, index) - level, digits);
    this.#state[2] = rounded(level, digits);
  }

  peakWithin(fromMs: number, toMs: number): number | null {
    const [learnt = -1, hours = 0, level = 0, trend = 0, margin = 0] = this.#state;
    if (hours < season) return null;
    const last = this.#meter.slotOf(toMs);
    let largest = 0;
    // Sum of damping^1 .. damping^steps.
    let damped = 0;
    let step = 1;
    for (let hour = learnt + 1; hour <= last && step <= 2 * season; hour += 1, step += 1) {
      damped += damping ** step;
      if (hour < this.#meter.slotOf(fromMs)) continue;
      largest = Math.max(largest, level + damped * trend + at(this.#season, seasonIndex(hour, season)));
    }
    return Math.max(0, largest + Math.max(0, margin));
  }

  because(): Record<string, number> {
    const [, , level = 0, trend = 0, margin = 0] = this.#state;
    return { level, trendPerHour: trend, margin: Math.max(0, margin) };
  }

  toJson(): Json {
    return { season: [...this.#season], state: [...this.#state], open: this.#meter.toJson() };
  }
}

export const holtWinters: ForecasterType = {
  name: 'holt-winters',
  isStated: false,
  open: (memory, settings) => new HoltWinters(memory, settings),
};
