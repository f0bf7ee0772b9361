import { closeSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';

/** A process's log is put aside at its next start when it is longer than this; one old one is kept. */
const maxLogBytes = 10 * 1024 * 1024;
const tailBytes = 8 * 1024;

/** Where a new process writes: the descriptor to give it, and the length so far. */
export interface LogFile {
  descriptor: number;
  lengthBytes: number;
}

export function openLogFile(path: string): LogFile {
  if (lengthOf(path) > maxLogBytes) {
    rmSync(`${path}.1`, { force: true });
    renameSync(path, `${path}.1`);
  }
  return { descriptor: openSync(path, 'a', 0o600), lengthBytes: lengthOf(path) };
}

/** The last line that was written after `fromBytes`, or null. */
export function lastLineAfter(path: string, fromBytes: number): string | null {
  const length = lengthOf(path);
  const start = Math.max(fromBytes, length - tailBytes);
  if (length <= start) return null;
  const buffer = Buffer.alloc(length - start);
  const file = openSync(path, 'r');
  try {
    readSync(file, buffer, 0, buffer.length, start);
  } finally {
    closeSync(file);
  }
  return buffer.toString('utf8').trim().split('\n').at(-1) || null;
}

function lengthOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
