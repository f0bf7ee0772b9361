import type { Clock } from '@ebb/core';

interface Alarm<Owner> {
  atMs: number;
  owner: Owner;
}

const spareEntries = 64;

/**
 * One alarm for each owner on a single timer of the clock: owners that are due at the same moment ring in the same turn,
 * so that what they have done about it is done together.
 */
export class Alarms<Owner> {
  readonly #clock: Clock;
  readonly #ring: (owner: Owner) => void;
  /** The alarm in force; others of the same owner that are still in the heap are void. */
  readonly #current = new Map<Owner, Alarm<Owner>>();
  /** Binary heap, earliest first. */
  readonly #heap: Alarm<Owner>[] = [];
  #armed: { atMs: number; cancel: () => void } | null = null;

  constructor(clock: Clock, ring: (owner: Owner) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Replaces the owner's alarm; null: none. */
  set(owner: Owner, atMs: number | null): void {
    if ((this.#current.get(owner)?.atMs ?? null) === atMs) return;
    if (atMs === null) {
      this.#current.delete(owner);
      return;
    }
    const alarm = { atMs, owner };
    this.#current.set(owner, alarm);
    if (this.#heap.length > 2 * this.#current.size + spareEntries) this.#compact();
    else this.#push(alarm);
    this.#arm();
  }

  clear(): void {
    this.#armed?.cancel();
    this.#armed = null;
    this.#current.clear();
    this.#heap.length = 0;
  }

  /** Void alarms may not outnumber those in force. */
  #compact(): void {
    this.#heap.length = 0;
    for (const alarm of this.#current.values()) this.#push(alarm);
  }

  #arm(): void {
    this.#dropVoid();
    const [first] = this.#heap;
    if (!first || (this.#armed && this.#armed.atMs <= first.atMs)) return;
    this.#armed?.cancel();
    const cancel = this.#clock.at(first.atMs, () => {
      this.#armed = null;
      this.#ringDue();
      this.#arm();
    });
    this.#armed = { atMs: first.atMs, cancel };
  }

  #ringDue(): void {
    const nowMs = this.#clock.nowMs();
    for (let [first] = this.#heap; first && first.atMs <= nowMs; [first] = this.#heap) {
      this.#pop();
      if (this.#current.get(first.owner) !== first) continue;
      this.#current.delete(first.owner);
      this.#ring(first.owner);
    }
  }

  #dropVoid(): void {
    for (let [first] = this.#heap; first && this.#current.get(first.owner) !== first; [first] = this.#heap) this.#pop();
  }

  #push(alarm: Alarm<Owner>): void {
    const heap = this.#heap;
    let index = heap.push(alarm) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (!above || above.atMs <= alarm.atMs) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = alarm;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = (heap[right]?.atMs ?? Number.POSITIVE_INFINITY) < (heap[left]?.atMs ?? 0) ? right : left;
      const below = heap[child];
      if (!below || below.atMs >= last.atMs) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}
