/** Cuts a text that comes in pieces at the first of its stop sequences, which may lie across pieces. */
export class StopSequences {
  readonly #stops: readonly string[];
  #held = '';
  #found = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Whether a stop sequence has come. Nothing comes after it. */
  get found(): boolean {
    return this.#found;
  }

  /** What can be shown now. An end that may be the begin of a stop sequence is held back until that is decided. */
  push(piece: string): string {
    const text = this.#held + piece;
    const starts = this.#stops.map((stop) => text.indexOf(stop)).filter((start) => start >= 0);
    if (starts.length > 0) {
      this.#found = true;
      this.#held = '';
      return text.slice(0, Math.min(...starts));
    }
    const heldLength = Math.max(0, ...this.#stops.map((stop) => overlap(text, stop)));
    this.#held = text.slice(text.length - heldLength);
    return text.slice(0, text.length - heldLength);
  }

  /** What was held back and turned out to be none. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}

/** Length of the longest end of `text` that is a begin, but not all, of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length -= 1) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
