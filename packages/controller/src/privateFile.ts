import { chmodSync, closeSync, openSync } from 'node:fs';

/**
 * Makes an empty file for the owner only, or takes others' rights to it back. An existing file is not opened: closing it
 * again would drop the locks that this process has on it (POSIX: they go with the first descriptor that is closed).
 */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
    chmodSync(path, 0o600);
  }
}
