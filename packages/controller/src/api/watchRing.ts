import type { WatchEvent } from '@ebb/documents';

/** One event as it goes out: encoded once, however many watch. */
export interface RingEntry {
  sequence: number;
  type: WatchEvent['type'];
  json: string;
}

/** What is kept for those who resume. */
const maxEntries = 4_096;
const maxCharacters = 16 * 1024 * 1024;

/** The last events, so that a broken watch can go on where it was. Sequences rise; they need not be without gaps. */
export class WatchRing {
  #entries: RingEntry[] = [];
  /** Entries before this index are dropped; they go when there are enough of them. */
  #first = 0;
  #characters = 0;
  /** Sequence after which nothing is missing. */
  #from: number;
  #newest: number;
  readonly #listeners = new Set<() => void>();

  /** `from` lies before the first event that will come and after those of every earlier run. */
  constructor(from: number) {
    this.#from = from;
    this.#newest = from;
  }

  get newest(): number {
    return this.#newest;
  }

  push(event: WatchEvent): void {
    const sequence = Math.max(event.sequence, this.#newest + 1);
    const json = JSON.stringify(sequence === event.sequence ? event : { ...event, sequence });
    this.#entries.push({ sequence, type: event.type, json });
    this.#newest = sequence;
    this.#characters += json.length;
    this.#trim();
    for (const listener of this.#listeners) listener();
  }

  /** Whether everything after the sequence is still there. */
  reaches(sequence: number): boolean {
    return sequence >= this.#from && sequence <= this.#newest;
  }

  /** The first event after the sequence, or null when there is none yet. Only for a sequence that it reaches. */
  after(sequence: number): RingEntry | null {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.sequence ?? 0) > sequence) high = middle;
      else low = middle + 1;
    }
    return this.#entries[low] ?? null;
  }

  /** Calls back after each new event. */
  onPush(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #trim(): void {
    while (this.#entries.length - this.#first > maxEntries || this.#characters > maxCharacters) {
      const dropped = this.#entries[this.#first];
      if (!dropped) break;
      this.#first += 1;
      this.#characters -= dropped.json.length;
      this.#from = dropped.sequence;
    }
    if (this.#first < maxEntries) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
