import type { LogLine } from '@ebb/core';

/** The lines, then, with `follow`, a wait that only `return()` ends. */
export function followLines(lines: LogLine[], follow: boolean): AsyncIterableIterator<LogLine> {
  let ended = false;
  let end: (result: IteratorResult<LogLine>) => void = () => {};
  const whenEnded = new Promise<IteratorResult<LogLine>>((resolve) => {
    end = resolve;
  });
  const iterator: AsyncIterableIterator<LogLine> = {
    next: async () => {
      const line = lines.shift();
      if (ended || (!line && !follow)) return { done: true, value: undefined };
      return line ? { done: false, value: line } : whenEnded;
    },
    return: async () => {
      ended = true;
      end({ done: true, value: undefined });
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
