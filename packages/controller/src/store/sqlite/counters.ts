import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '@ebb/core';
import { integer } from '../rows.ts';

export type CounterName = 'epoch' | 'resourceVersion';

/** Numbers of the whole database that only rise. */
export class Counters {
  readonly #read;
  readonly #raise;

  constructor(database: DatabaseSync) {
    this.#read = database.prepare('SELECT value FROM counters WHERE name = ?');
    this.#raise = database.prepare('UPDATE counters SET value = value + 1 WHERE name = ? RETURNING value');
  }

  next(name: CounterName): number {
    return integer(this.#raise.get(name) ?? {}, 'value');
  }

  /** Throws `stale-epoch` when a newer leader took over. To be called within the transaction of the write. */
  checkEpoch(epoch: number): void {
    const newest = integer(this.#read.get('epoch') ?? {}, 'value');
    if (epoch < newest) {
      throw new StoreError('stale-epoch', `a newer control plane took over (epoch ${newest}, this one has ${epoch})`);
    }
  }
}
