/**
 * Lets one caller go on in each turn of the event loop, in order: many spawns asked for at once leave room for probes
 * and exits between them.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;

  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#waiting.shift()?.();
      this.#schedule();
    });
  }
}
