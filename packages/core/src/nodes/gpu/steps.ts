/** A budget of search steps: what a search may cost, the same on every machine. */
export class Steps {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  /** False when the budget is spent. */
  take(): boolean {
    if (this.#left <= 0) return false;
    this.#left -= 1;
    return true;
  }

  get areOver(): boolean {
    return this.#left <= 0;
  }
}
