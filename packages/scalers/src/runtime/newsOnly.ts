import { SourceError } from '../contract/errors.ts';
import type { SourceReading } from '../contract/source.ts';

/** A reading that stays the same is confirmed this often. */
const confirmEveryMs = 5000;

/** Passes on the first answer, changes, and now and then a confirmation that nothing changed. */
export function newsOnly<Value>(
  news: (reading: SourceReading | Error | null) => void,
  reading: (value: Value) => SourceReading,
  nowMs: () => number,
): (answer: Value | SourceError) => void {
  let last: SourceReading | SourceError | undefined;
  let toldMs = 0;
  return (answer) => {
    const next = answer instanceof SourceError ? answer : reading(answer);
    const atMs = nowMs();
    if (last !== undefined && atMs - toldMs < confirmEveryMs && isSame(last, next)) return;
    last = next;
    toldMs = atMs;
    news(next);
  };
}

function isSame(one: SourceReading | SourceError, other: SourceReading | SourceError): boolean {
  if (one instanceof SourceError || other instanceof SourceError) {
    return one instanceof SourceError && other instanceof SourceError && one.message === other.message;
  }
  return one.value === other.value && one.active === other.active && one.message === other.message;
}
