/**
 * Which runs have taken their piece of work. KEDA looks every half minute, by when a Job has long begun; Ebb may look while
 * a process is still loading, when its message is still in the queue. A run counts as having taken its work once the
 * queue has been seen to fall by one for it, or after a while.
 */
export class TakenWork {
  /** Runs that have not taken theirs, oldest first, and when they began. */
  readonly #open = new Map<string, number>();
  #queueLength: number | null = null;
  /** Runs that ended before the fall they caused was seen. */
  #endedUnseen = 0;

  began(run: string, atMs: number): void {
    if (!this.#open.has(run)) this.#open.set(run, atMs);
  }

  ended(run: string): void {
    if (this.#open.delete(run)) this.#endedUnseen++;
  }

  /** The queue's length as it was just read. */
  seen(queueLength: number): void {
    const fallen = this.#queueLength === null ? 0 : Math.floor(this.#queueLength - queueLength);
    this.#queueLength = queueLength;
    // A fall that one caused which has ended is not another's; what new messages hide of it is never seen.
    const others = Math.max(0, fallen - this.#endedUnseen);
    this.#endedUnseen = 0;
    for (const run of [...this.#open.keys()].slice(0, others)) this.#open.delete(run);
  }

  /** Whether the run's work is still in the queue, as far as that is known. */
  isOpen(run: string, nowMs: number, longestMs: number): boolean {
    const sinceMs = this.#open.get(run);
    if (sinceMs === undefined) return false;
    if (nowMs - sinceMs <= longestMs) return true;
    this.#open.delete(run);
    return false;
  }
}
