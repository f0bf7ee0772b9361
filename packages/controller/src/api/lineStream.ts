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
      void end(source, error, callback);
    },
  });
}

async function end(
  source: AsyncIterator<unknown>,
  error: Error | null,
  callback: (error: Error | null) => void,
): Promise<void> {
  let failure = error;
  try {
    await source.return?.();
  } catch (late) {
    failure ??= late instanceof Error ? late : new Error(String(late));
  }
  callback(failure);
}
