import type { LogLine } from '@ebb/core';

/** Lines kept for a reader that is slower than the agent; the oldest go first. */
const longestQueue = 10_000;

/** The reading side of one log question: an iterator that can be ended while it waits. */
export class LogStream implements AsyncIterableIterator<LogLine> {
  readonly #onReturn: () => void;
  readonly #lines: LogLine[] = [];
  readonly #waiting: { resolve(result: IteratorResult<LogLine>): void; reject(error: Error): void }[] = [];
  #skipped = 0;
  #ended = false;
  #error: Error | null = null;

  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  push(line: LogLine): void {
    if (this.#ended) return;
    const reader = this.#waiting.shift();
    if (reader) return reader.resolve({ done: false, value: line });
    if (this.#lines.length >= longestQueue) {
      this.#lines.shift();
      this.#skipped++;
    }
    this.#lines.push(line);
  }

  /** No more lines come: the reader gets what is queued, then the error if there is one. */
  end(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#waiting.splice(0)) {
      if (this.#error) reader.reject(this.#takeError());
      else reader.resolve({ done: true, value: undefined });
    }
  }

  async next(): Promise<IteratorResult<LogLine>> {
    const line = this.#lines.shift();
    if (line && this.#skipped > 0) {
      const text = `${this.#skipped} lines skipped: they are read more slowly than written`;
      this.#skipped = 0;
      this.#lines.unshift(line);
      return { done: false, value: { ...line, stream: 'ebb', text } };
    }
    if (line) return { done: false, value: line };
    if (this.#error) throw this.#takeError();
    if (this.#ended) return { done: true, value: undefined };
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async return(): Promise<IteratorResult<LogLine>> {
    this.#lines.length = 0;
    if (!this.#ended) {
      this.end(null);
      this.#onReturn();
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Told once; then the stream is simply over. */
  #takeError(): Error {
    const error = this.#error ?? new Error('ended');
    this.#error = null;
    return error;
  }
}
