import { TakeTime } from './takeTime.ts';

/** With many runs, the queue is looked at for them together. */
const lookGapMs = 250;

/**
 * Which runs have taken their piece of work. KEDA looks every half minute, by when a Job has long begun; Ebb may look while
 * a process is still loading, when its message is still in the queue. A run counts as having taken its work once the
 * queue has been seen to fall by one for it, or after a while. New messages hide falls, so with a steady stream that while is
 * as long as runs are found to need.
 */
export class TakenWork {
  /** Runs that have not taken theirs, oldest first, and when they began. */
  readonly #open = new Map<string, number>();
  readonly #takeTime = new TakeTime();
  #queueLength: number | null = null;
  /** Runs that ended before the fall they caused was seen. */
  #endedUnseen = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;

  began(run: string, atMs: number): void {
    if (!this.#open.has(run)) this.#open.set(run, atMs);
    this.#takeTime.began(run, atMs);
  }

  ended(run: string, atMs: number | null = null): void {
    if (this.#open.delete(run)) this.#endedUnseen++;
    if (atMs !== null) this.#takeTime.ended(run, atMs);
  }

  /** The queue's length as it was read; with the time of the reading, it is learned from. */
  seen(queueLength: number, atMs: number | null = null): void {
    const fallen = this.#queueLength === null ? 0 : Math.floor(this.#queueLength - queueLength);
    this.#queueLength = queueLength;
    // A fall that one caused which has ended is not another's; what new messages hide of it is never seen.
    const others = Math.max(0, fallen - this.#endedUnseen);
    this.#endedUnseen = 0;
    for (const run of [...this.#open.keys()].slice(0, others)) this.#open.delete(run);
    if (atMs !== null) this.#takeTime.seen(queueLength, atMs);
  }

  /** Whether the run's work was still in the queue when that was read, as far as that is known. */
  isOpen(run: string, readMs: number, longestMs: number): boolean {
    const sinceMs = this.#open.get(run);
    if (sinceMs === undefined) return false;
    if (readMs - sinceMs <= this.#limitMs(longestMs)) return true;
    this.#open.delete(run);
    return false;
  }

  /** When a run will next have had the time that it may need, so that the queue is worth a look; null: none is waited for. */
  nextLookMs(longestMs: number): number | null {
    const limitMs = this.#limitMs(longestMs);
    const dueMs = [...this.#open.values()].map((sinceMs) => sinceMs + limitMs + 1).filter((ms) => ms > this.#lookedMs);
    return dueMs.length === 0 ? null : Math.max(Math.min(...dueMs), this.#lookedMs + lookGapMs);
  }

  /** Whether that time has come. Says so once. */
  isToLook(nowMs: number, longestMs: number): boolean {
    const dueMs = this.nextLookMs(longestMs);
    if (dueMs === null || dueMs > nowMs) return false;
    this.#lookedMs = nowMs;
    return true;
  }

  #limitMs(longestMs: number): number {
    return Math.min(longestMs, this.#takeTime.learnedMs ?? longestMs);
  }
}
