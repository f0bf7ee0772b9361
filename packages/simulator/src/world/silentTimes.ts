import type { WorldFaults } from '../contract/model.ts';
import type { Draws } from '../kernel/draws.ts';

const microsecondsPerHour = 3_600_000_000;

/** When the gateway's counts get lost: stretches of one length, exponentially far apart. Asked in order of time. */
export class SilentTimes {
  readonly #meanUs: number;
  readonly #lengthUs: number;
  readonly #draws: Draws;
  #fromUs: number;

  constructor({ silentEveryHours, silentMs }: WorldFaults, draws: Draws) {
    this.#meanUs = silentEveryHours * microsecondsPerHour;
    this.#lengthUs = silentMs * 1000;
    this.#draws = draws;
    this.#fromUs = this.#meanUs > 0 && this.#lengthUs > 0 ? draws.exponential(this.#meanUs) : Number.POSITIVE_INFINITY;
  }

  isSilent(nowUs: number): boolean {
    while (nowUs >= this.#fromUs + this.#lengthUs) {
      this.#fromUs += this.#lengthUs + this.#draws.exponential(this.#meanUs);
    }
    return nowUs >= this.#fromUs;
  }
}
