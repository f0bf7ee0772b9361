import { Readable } from 'node:stream';

/**
 * NDJSON from an iterator, at the reader's pace. Closing it calls `return()` on the iterator at once, also while the
 * next value is awaited (which an async generator around it would not).
 */
export function lineStream(source: AsyncIterator<unknown>): Readable {
  return new Readable({
    encoding: 'utf8',
    read() {
      source.next().then(
        ({ done, value }) => this.push(done ? null : `${JSON.stringify(value)}\n`),
        (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
      );
    },
    destroy(error, callback) {
      Promise.resolve(source.return?.()).then(
        () => callback(error),
        () => callback(error),
      );
    },
  });
}
