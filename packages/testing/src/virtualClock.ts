import type { Clock } from '@ebb/core';

interface Entry {
  atUs: number;
  order: number;
  callback: (() => void) | null;
}

/** 2026-01-01T00:00:00Z, so that wall times in statuses look like real ones. */
export const virtualEpochMs = 1_767_225_600_000;

/** Promise callbacks run to their end: everything that the last event set off has happened after this. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Time that only moves when told to. Callbacks run in order of their time, then of their registration, each followed
 * by all promise callbacks it set off, so that a run is the same every time.
 */
export class VirtualClock implements Clock {
  #nowUs = 1_000_000;
  #order = 0;
  #running = false;
  readonly #heap: Entry[] = [];
  /** Called after each event and the promises it set off: the place to check invariants. */
  afterEvent: (() => void) | null = null;
  events = 0;

  nowMs(): number {
    return virtualEpochMs + Math.floor(this.#nowUs / 1000);
  }

  nowUs(): number {
    return this.#nowUs;
  }

  at(atMs: number, callback: () => void): () => void {
    if (!Number.isFinite(atMs)) throw new Error(`not a time: ${atMs}`);
    return this.atUs(Math.max(this.#nowUs, Math.ceil(atMs - virtualEpochMs) * 1000), callback);
  }

  /** As `at`, in microseconds of `nowUs`: finer than milliseconds for arrivals and service times. */
  atUs(atUs: number, callback: () => void): () => void {
    const entry: Entry = { atUs: Math.max(this.#nowUs, Math.round(atUs)), order: this.#order++, callback };
    this.#push(entry);
    return () => {
      entry.callback = null;
    };
  }

  afterUs(delayUs: number, callback: () => void): () => void {
    return this.atUs(this.#nowUs + delayUs, callback);
  }

  /** A promise that is kept after some virtual milliseconds. */
  delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.afterUs(delayMs * 1000, resolve));
  }

  /** Runs everything up to the moment and stands there at the end. */
  async runUntil(atMs: number): Promise<void> {
    await this.#run(Math.round((atMs - virtualEpochMs) * 1000), () => false);
  }

  async advance(delayMs: number): Promise<void> {
    await this.#run(this.#nowUs + Math.round(delayMs * 1000), () => false);
  }

  /**
   * Runs until the condition holds, checked after each event.
   * @throws Error when it still does not after `limitMs` of virtual time.
   */
  async runUntilTrue(condition: () => boolean, limitMs: number, what = 'the condition'): Promise<void> {
    await settle();
    if (condition()) return;
    if (!(await this.#run(this.#nowUs + Math.round(limitMs * 1000), condition))) {
      throw new Error(`${what} did not come true within ${limitMs} ms of virtual time`);
    }
  }

  /** Moments that are still to come, for tests that look for leaks. */
  pending(): number {
    return this.#heap.reduce((count, entry) => count + (entry.callback ? 1 : 0), 0);
  }

  async #run(untilUs: number, done: () => boolean): Promise<boolean> {
    if (this.#running) throw new Error('the virtual clock is already running');
    this.#running = true;
    try {
      await settle();
      for (let entry = this.#heap[0]; entry && entry.atUs <= untilUs; entry = this.#heap[0]) {
        this.#pop();
        const { callback } = entry;
        if (!callback) continue;
        entry.callback = null;
        this.#nowUs = Math.max(this.#nowUs, entry.atUs);
        this.events++;
        callback();
        await settle();
        this.afterEvent?.();
        if (done()) return true;
      }
      this.#nowUs = Math.max(this.#nowUs, untilUs);
      return false;
    } finally {
      this.#running = false;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!earlier(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && earlier(right, heap[child] as Entry)) child++;
      const below = heap[child] as Entry;
      if (!earlier(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function earlier(left: Entry, right: Entry): boolean {
  return left.atUs < right.atUs || (left.atUs === right.atUs && left.order < right.order);
}
