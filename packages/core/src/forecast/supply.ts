import type { Json } from '../replicas/types.ts';

/** Changes of the count that are kept within a cold start. */
const most = 8;

/**
 * How many replicas of a changing count can serve: those that were held for a whole cold start, the smallest count of
 * that time. A count that was ordered later is billed and serves nothing yet.
 */
export class Supply {
  readonly #coldStartMs: number;
  /** The count that is held now. */
  held = 0;
  /** Smaller counts that were held until a moment not a cold start ago, the oldest and smallest first. */
  #past: { count: number; untilMs: number }[] = [];

  constructor(memory: Json | undefined, coldStartMs: number) {
    this.#coldStartMs = coldStartMs;
    if (!Array.isArray(memory)) return;
    const [held, ...past] = memory;
    if (typeof held === 'number') this.held = held;
    for (let index = 0; index + 1 < past.length; index += 2) {
      const [count, untilMs] = past.slice(index, index + 2);
      if (typeof count === 'number' && typeof untilMs === 'number') this.#past.push({ count, untilMs });
    }
  }

  hold(nowMs: number, count: number): void {
    if (count === this.held) return;
    if (count > this.held) this.#past.push({ count: this.held, untilMs: nowMs });
    else this.#past = this.#past.filter((past) => past.count < count);
    // Beyond that many steps the two newest become one: the smaller count for the longer time.
    if (this.#past.length > most) {
      const newest = this.#past.pop();
      const before = this.#past.at(-1);
      if (newest && before) before.untilMs = newest.untilMs;
    }
    this.held = count;
  }

  /** Replicas that can serve from `nowMs` on, until `changesAtMs` unless the count is changed before. */
  usable(nowMs: number): { replicas: number; changesAtMs: number } {
    for (;;) {
      const oldest = this.#past[0];
      if (!oldest) return { replicas: this.held, changesAtMs: Number.POSITIVE_INFINITY };
      const changesAtMs = oldest.untilMs + this.#coldStartMs;
      if (changesAtMs > nowMs) return { replicas: oldest.count, changesAtMs };
      this.#past.shift();
    }
  }

  toJson(): Json {
    return [this.held, ...this.#past.flatMap(({ count, untilMs }) => [count, untilMs])];
  }
}
