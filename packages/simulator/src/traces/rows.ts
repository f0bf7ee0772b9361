import { TraceError } from '../contract/trace.ts';
import { RowError, type RowReader } from './layout.ts';

export interface RowFeed {
  take(lines: readonly string[]): void;
  end(): void;
}

/** Gives the lines of a file to a reader, and its errors the line's number. Empty lines are passed over. */
export function feedRows(file: string, open: (firstLine: string) => RowReader): RowFeed {
  let reader: RowReader | null = null;
  let line = 0;
  const guard = (step: () => void, at: () => number) => {
    try {
      step();
    } catch (error) {
      if (error instanceof RowError) throw new TraceError(file, error.whole ? 0 : at(), error.message);
      throw error;
    }
  };
  return {
    take: (lines) => {
      guard(
        () => {
          for (const text of lines) {
            line++;
            if (text === '' || text.trim() === '') continue;
            reader ??= open(text);
            reader.line(text);
          }
        },
        () => line,
      );
    },
    end: () => {
      if (!reader) throw new TraceError(file, 0, 'is empty');
      const open = reader;
      guard(
        () => open.end(),
        () => 0,
      );
    },
  };
}
