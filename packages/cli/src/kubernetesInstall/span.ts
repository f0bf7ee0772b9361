import { parseDuration } from '@ebb/documents';

/** A time to wait, as a flag has it, in milliseconds. */
export function parseSpan(written: string): number {
  const parsed = parseDuration(written);
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed.value;
}
