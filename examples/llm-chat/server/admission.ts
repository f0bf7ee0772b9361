/** As many wait as may. */
export class QueueFullError extends Error {}

/** Lets so many run at once and so many wait for a turn, first come, first served. */
export class Admission {
  readonly #slots: number;
  readonly #maxWaiting: number;
  readonly #queue = new Set<() => void>();
  #running = 0;

  constructor(slots: number, maxWaiting: number) {
    this.#slots = slots;
    this.#maxWaiting = maxWaiting;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Resolves when it is the caller's turn, with the function that ends it. Throws `QueueFullError` at once if as many
   * wait as may, and the signal's reason if that comes first: whoever is gone holds no place.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#running < this.#slots) this.#running += 1;
    else await this.#wait(signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#queue.size >= this.#maxWaiting) {
      throw new QueueFullError(`${this.#running} requests run and ${this.#queue.size} wait, as many as may`);
    }
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#queue.delete(turn);
        reject(signal.reason as Error);
      };
      this.#queue.add(turn);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  #leave(): void {
    const [next] = this.#queue;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    // The place is handed on, not freed: nobody who comes in between can take it.
    this.#queue.delete(next);
    next();
  }
}
