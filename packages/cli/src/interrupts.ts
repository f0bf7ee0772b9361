/** npm passes a Ctrl-C on that the terminal has already sent: two within this time are one. */
const sameCtrlCMs = 400;

/** Turns Ctrl-C, SIGTERM and a closed terminal into one request to stop, and a second Ctrl-C into a request to hurry. */
export class Interrupts {
  /** Aborted by the first signal; its reason is the signal's name. */
  readonly stop: AbortSignal;
  readonly #controller = new AbortController();
  readonly #listeners = new Map<NodeJS.Signals, () => void>();
  #firstAt = 0;
  #hurry: () => void = () => {};

  constructor() {
    this.stop = this.#controller.signal;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const listener = () => this.#receive(signal);
      this.#listeners.set(signal, listener);
      process.on(signal, listener);
    }
  }

  /** Resolves with the first signal's name. */
  async stopped(): Promise<string> {
    if (!this.stop.aborted) {
      await new Promise<void>((resolve) => this.stop.addEventListener('abort', () => resolve(), { once: true }));
    }
    return String(this.stop.reason);
  }

  /** What the second Ctrl-C does. */
  onHurry(action: () => void): void {
    this.#hurry = action;
  }

  dispose(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }

  #receive(signal: NodeJS.Signals): void {
    if (!this.stop.aborted) {
      this.#firstAt = performance.now();
      this.#controller.abort(signal);
    } else if (signal === 'SIGINT' && performance.now() - this.#firstAt > sameCtrlCMs) {
      // Once: npm passes this one on as well.
      const hurry = this.#hurry;
      this.#hurry = () => {};
      hurry();
    }
  }
}
