import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeFileSync } from 'node:fs';

/**
 * Moves the last `keepBytes` of a file to another path and empties it in place, so that whoever appends to it goes on
 * at its beginning. What is appended between the copy and the cut is lost: well under a millisecond's worth.
 */
export function rotateFile(path: string, target: string, keepBytes: number): void {
  let file: number;
  try {
    file = openSync(path, 'r+');
  } catch {
    return;
  }
  try {
    const { size } = fstatSync(file);
    const kept = Buffer.allocUnsafe(Math.min(size, keepBytes));
    const read = readSync(file, kept, 0, kept.length, size - kept.length);
    writeFileSync(target, kept.subarray(0, read), { mode: 0o600 });
    ftruncateSync(file, 0);
  } finally {
    closeSync(file);
  }
}
