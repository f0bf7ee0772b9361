import type { StateStore } from '@ebb/core';
import { json, text } from '../rows.ts';
import type { StoreConnection } from './connection.ts';
import type { GroupedWrites } from './groupedWrites.ts';
import { selectRows } from './rows.ts';

/** Longer values are read when they are asked for. */
const preloadedLength = 100_000;
const preloadedTotal = 50_000_000;

/** Small named JSON values, committed together with the journal records that they belong to. */
export class PostgresStateStore implements StateStore {
  readonly #connection: StoreConnection;
  readonly #group: GroupedWrites;
  /** Read at take-over and not asked for since: whoever takes over reads them all, one by one. */
  readonly #preloaded = new Map<string, Record<string, unknown>>();

  constructor(connection: StoreConnection, group: GroupedWrites) {
    this.#connection = connection;
    this.#group = group;
  }

  /**
   * Reads what whoever has just taken over is about to load, with one question. Nobody else writes from now on without being the
   * newest leader, and this one refuses its own writes then.
   */
  async preload(): Promise<void> {
    this.#preloaded.clear();
    const rows = await selectRows(
      this.#connection,
      `SELECT name, value FROM (
         SELECT name, value, sum(length(value)) OVER (ORDER BY name) AS total FROM ${this.#group.schema}.state
         WHERE length(value) <= ${preloadedLength}
       ) AS short WHERE total <= ${preloadedTotal}`,
    );
    for (const row of rows) this.#preloaded.set(text(row, 'name'), row);
  }

  /** Forgets what was read ahead and never asked for. */
  forgetPreloaded(): void {
    this.#preloaded.clear();
  }

  async save(name: string, value: unknown, epoch: number): Promise<void> {
    this.#preloaded.delete(name);
    await this.#group.write({ type: 'save', name, value: JSON.stringify(value) ?? 'null', epoch });
  }

  async load(name: string): Promise<unknown> {
    const read = this.#preloaded.get(name);
    if (read) {
      this.#preloaded.delete(name);
      return json(read, 'value');
    }
    const [row] = await this.#group.select(`SELECT value FROM ${this.#group.schema}.state WHERE name = $1`, [name]);
    return row ? json(row, 'value') : null;
  }

  async names(prefix: string): Promise<string[]> {
    const rows = await this.#group.select(
      `SELECT name FROM ${this.#group.schema}.state WHERE starts_with(name, $1) ORDER BY name`,
      [prefix],
    );
    return rows.map((row) => text(row, 'name'));
  }

  async drop(name: string): Promise<void> {
    this.#preloaded.delete(name);
    await this.#group.write({ type: 'drop', name });
  }
}
