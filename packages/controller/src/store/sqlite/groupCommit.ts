import type { DatabaseSync } from 'node:sqlite';
import { guarded } from './database.ts';

interface Write {
  run: () => void;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** So many waiting writes are written at once, in the caller's turn, rather than kept. */
const maxWaiting = 4_096;

/**
 * Writes that need not reach the disk at once, in one transaction a turn of the event loop: whoever writes only queues,
 * and many small writes cost one commit. A write's promise settles once its transaction has, so that errors reach
 * whoever can try again.
 */
export class GroupCommit {
  readonly #path: string;
  readonly #database: DatabaseSync;
  #waiting: Write[] = [];
  #scheduled: NodeJS.Immediate | null = null;

  constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
  }

  /** `run` must either do all of its statements or throw before the first. */
  write(run: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ run, resolve, reject });
      if (this.#waiting.length >= maxWaiting) this.flush();
      else this.#scheduled ??= setImmediate(() => this.flush());
    });
  }

  /** Writes what waits, now. Readers call it first, so that they see what was written before. */
  flush(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = null;
    const group = this.#waiting;
    if (group.length === 0) return;
    this.#waiting = [];
    const refused = new Map<Write, unknown>();
    try {
      guarded(this.#path, () => this.#commit(group, refused));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const write of group) {
      if (refused.has(write)) write.reject(refused.get(write));
      else write.resolve();
    }
  }

  #commit(group: Write[], refused: Map<Write, unknown>): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const write of group) {
        try {
          write.run();
        } catch (error) {
          // An error of SQLite itself concerns the whole transaction, one of the rules only this write.
          if (error instanceof Error && 'errcode' in error) throw error;
          refused.set(write, error);
        }
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
