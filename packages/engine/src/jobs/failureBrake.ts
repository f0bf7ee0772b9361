/** The first wait after Jobs have failed; each further round of failures doubles it. */
const firstWaitMs = 100;

/**
 * How long no new Job is made after one has failed. Looked at as often as Ebb looks, Jobs whose command cannot work, or
 * whose broker is away, would be made as fast as they fail. Jobs that ran beside each other are one round; one that
 * succeeds ends it all.
 */
export class FailureBrake {
  #rounds = 0;
  #roundEndedMs = Number.NEGATIVE_INFINITY;
  #untilMs: number | null = null;

  /** A Job has failed for good. `longestMs`: at most so long, which is how long an origin waits that only polls. */
  failed(createdAtMs: number, nowMs: number, longestMs: number): void {
    if (createdAtMs < this.#roundEndedMs) return;
    this.#roundEndedMs = nowMs;
    this.#untilMs = nowMs + Math.min(longestMs, firstWaitMs * 2 ** Math.min(this.#rounds, 30));
    this.#rounds++;
  }

  succeeded(): void {
    this.#rounds = 0;
    this.#untilMs = null;
  }

  /** Until when none is made; null: they may be. */
  get untilMs(): number | null {
    return this.#untilMs;
  }

  /** Whether a wait has ended just now. */
  release(nowMs: number): boolean {
    if (this.#untilMs === null || nowMs < this.#untilMs) return false;
    this.#untilMs = null;
    return true;
  }
}
