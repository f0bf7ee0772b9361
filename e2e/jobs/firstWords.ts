import { closeSync, openSync, readSync } from 'node:fs';

const chunkBytes = 64 * 1024;

/** First words of the lines that others append to a file, and how often each came. Reads on from where it was. */
export class FirstWords {
  readonly #path: string;
  readonly #chunk = Buffer.alloc(chunkBytes);
  readonly #counts = new Map<string, number>();
  #offset = 0;
  /** A line whose end is not written yet. */
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  counts(): ReadonlyMap<string, number> {
    let file: number;
    try {
      file = openSync(this.#path, 'r');
    } catch {
      return this.#counts; // Nobody has written yet.
    }
    for (let length = -1; length !== 0; ) {
      length = readSync(file, this.#chunk, 0, chunkBytes, this.#offset);
      this.#offset += length;
      const lines = (this.#rest + this.#chunk.toString('latin1', 0, length)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const [word = ''] = line.split(' ');
        this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
      }
    }
    closeSync(file);
    return this.#counts;
  }
}
