import type { Draws } from '../kernel/draws.ts';

const microsecondsPerHour = 3_600_000_000;

/** Stretches of time of one length, exponentially far apart: when a fault holds. Asked in order of time. */
export class Stretches {
  readonly #meanUs: number;
  readonly #lengthUs: number;
  readonly #draws: Draws;
  #fromUs: number;

  /** On average so far from the end of one to the begin of the next; none where either number is 0. */
  constructor(everyHours: number, lengthMs: number, draws: Draws) {
    this.#meanUs = everyHours * microsecondsPerHour;
    this.#lengthUs = lengthMs * 1000;
    this.#draws = draws;
    this.#fromUs = this.#meanUs > 0 && this.#lengthUs > 0 ? draws.exponential(this.#meanUs) : Number.POSITIVE_INFINITY;
  }

  /** How long the present stretch has lasted, microseconds; null: there is none. */
  sinceUs(nowUs: number): number | null {
    while (nowUs >= this.#fromUs + this.#lengthUs) {
      this.#fromUs += this.#lengthUs + this.#draws.exponential(this.#meanUs);
    }
    return nowUs >= this.#fromUs ? nowUs - this.#fromUs : null;
  }
}
