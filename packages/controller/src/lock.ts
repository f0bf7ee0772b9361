import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from './exitCodes.ts';
import { makePrivateFile } from './privateFile.ts';
import { writeFileAtomic } from './writeFileAtomic.ts';

/** Who holds a data folder, for the message to the one who is refused. */
export interface LockHolder {
  pid: number;
  /** Milliseconds of wall time. */
  startedAt: number;
  /** Null while it still starts. */
  apiUrl: string | null;
}

export interface DataDirectoryLock {
  /** Tells those who come later where this control plane is. */
  describe(apiUrl: string): void;
  release(): void;
}

/** A connection that nobody refers to is closed by the garbage collector, and its lock with it. */
const held = new Set<DatabaseSync>();

/**
 * Takes the data folder for this process. The lock is SQLite's exclusive file lock, which the system takes back when the
 * process ends, however it ends: nothing stale can stay. Throws `StartError` naming the holder.
 */
export function lockDataDirectory(path: string, startedAt: number): DataDirectoryLock {
  makePrivateFile(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) throw refusal(readHolder(path));
    throw new StartError('storeUnusable', `the lock file ${path} cannot be used: ${String(error)}`, error);
  }
  held.add(database);
  const holder: LockHolder = { pid: process.pid, startedAt, apiUrl: null };
  const write = (): void => writeFileAtomic(holderFile(path), `${JSON.stringify(holder)}\n`);
  write();
  return {
    describe(apiUrl) {
      holder.apiUrl = apiUrl;
      write();
    },
    release() {
      if (held.delete(database)) database.close();
    },
  };
}

function refusal(holder: LockHolder | null): StartError {
  if (!holder) return new StartError('dataDirectoryInUse', 'another Ebb runs on this data folder');
  const where = holder.apiUrl ? ` at ${holder.apiUrl}` : ', still starting';
  return new StartError('dataDirectoryInUse', `another Ebb runs on this data folder: pid ${holder.pid}${where}`);
}

function holderFile(path: string): string {
  return `${path}.json`;
}

function readHolder(path: string): LockHolder | null {
  try {
    const value: unknown = JSON.parse(readFileSync(holderFile(path), 'utf8'));
    return isHolder(value) ? value : null;
  } catch {
    return null;
  }
}

function isHolder(value: unknown): value is LockHolder {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'apiUrl' in value &&
    (value.apiUrl === null || typeof value.apiUrl === 'string')
  );
}

const sqliteBusy = 5;

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    (error.errcode & 0xff) === sqliteBusy
  );
}
