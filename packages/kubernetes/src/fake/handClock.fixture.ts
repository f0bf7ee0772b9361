import type { Clock } from '@ebb/core';

/** A clock that stands still until it is moved. */
export class HandClock implements Clock {
  #nowMs: number;
  readonly #due = new Set<{ atMs: number; callback: () => void }>();

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  nowUs(): number {
    return this.#nowMs * 1000;
  }

  at(atMs: number, callback: () => void): () => void {
    const one = { atMs, callback };
    this.#due.add(one);
    return () => this.#due.delete(one);
  }

  /** As of a machine that slept: what was due meanwhile comes late, once. */
  async sleep(delayMs: number): Promise<void> {
    this.#nowMs += delayMs;
    await this.pass(0);
  }

  /** Everything that is due until then, and what comes of it. */
  async pass(delayMs: number): Promise<void> {
    const untilMs = this.#nowMs + delayMs;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.#due].sort((left, right) => left.atMs - right.atMs);
      if (!next || next.atMs > untilMs) break;
      this.#due.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}
