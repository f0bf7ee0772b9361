import type { Clock, Random } from '@ebb/core';
import { Backoff } from './backoff.ts';

/** What is tried again by its key, each time after a longer wait until it has succeeded. */
export class Retries {
  readonly #surroundings: { readonly clock: Clock; readonly random: Random };
  readonly #backoffs = new Map<string, Backoff>();
  readonly #timers = new Set<() => void>();

  constructor(surroundings: { readonly clock: Clock; readonly random: Random }) {
    this.#surroundings = surroundings;
  }

  /** Calls back after the next wait, of `leastMs` at least. */
  later(key: string, leastMs: number | null, callback: () => void): void {
    const { clock, random } = this.#surroundings;
    const backoff = this.#backoffs.get(key) ?? new Backoff(random);
    this.#backoffs.set(key, backoff);
    const cancel = clock.at(clock.nowMs() + backoff.nextMs(leastMs), () => {
      this.#timers.delete(cancel);
      callback();
    });
    this.#timers.add(cancel);
  }

  /** The next failure begins with a short wait. */
  succeeded(key: string): void {
    this.#backoffs.delete(key);
  }

  /** Nothing calls back any more. */
  close(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
