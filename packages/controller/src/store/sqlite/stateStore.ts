import type { DatabaseSync } from 'node:sqlite';
import type { StateStore } from '@ebb/core';
import type { Counters } from './counters.ts';
import { guarded } from './database.ts';
import type { GroupCommit } from './groupCommit.ts';
import { json, text } from '../rows.ts';

/** Small named JSON values, committed together with the journal records that they belong to. */
export class SqliteStateStore implements StateStore {
  readonly #path: string;
  readonly #group: GroupCommit;
  readonly #counters: Counters;
  readonly #statements;

  constructor(path: string, database: DatabaseSync, group: GroupCommit, counters: Counters) {
    this.#path = path;
    this.#group = group;
    this.#counters = counters;
    this.#statements = {
      save: database.prepare('INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)'),
      load: database.prepare('SELECT value FROM state WHERE name = ?'),
      names: database.prepare('SELECT name FROM state WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name'),
      drop: database.prepare('DELETE FROM state WHERE name = ?'),
    };
  }

  save(name: string, value: unknown, epoch: number): Promise<void> {
    // As it is now: the caller may go on changing it.
    const written = JSON.stringify(value) ?? 'null';
    return this.#group.write(() => {
      this.#counters.checkEpoch(epoch);
      this.#statements.save.run(name, written);
    });
  }

  async load(name: string): Promise<unknown> {
    this.#group.flush();
    return guarded(this.#path, () => {
      const row = this.#statements.load.get(name);
      return row ? json(row, 'value') : null;
    });
  }

  async names(prefix: string): Promise<string[]> {
    this.#group.flush();
    return guarded(this.#path, () => this.#statements.names.all(prefix).map((row) => text(row, 'name')));
  }

  drop(name: string): Promise<void> {
    return this.#group.write(() => void this.#statements.drop.run(name));
  }
}
