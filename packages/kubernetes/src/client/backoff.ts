import type { Random } from '@ebb/core';

const firstMs = 100;
const longestMs = 5_000;

/** Waits that double, each between half of itself and itself, so that many who lost one server do not come back at once. */
export class Backoff {
  readonly #random: Random;
  #tries = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** How long to wait before the next try; at least what the server has asked for. */
  nextMs(leastMs: number | null = null): number {
    const fullMs = Math.min(longestMs, firstMs * 2 ** Math.min(this.#tries, 20));
    this.#tries++;
    return Math.max(leastMs ?? 0, Math.round(fullMs * (0.5 + this.#random.next() / 2)));
  }

  /** It worked: the next failure begins with a short wait. */
  reset(): void {
    this.#tries = 0;
  }
}
