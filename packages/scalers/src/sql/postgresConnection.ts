import { SourceError } from '../contract/errors.ts';
import type { SqlConnection } from './connectionPool.ts';
import { openPostgres, postgresPlace, type Sql } from './openPostgres.ts';
import type { PostgresAddress } from './postgresAddress.ts';
import { postgresError } from './postgresErrors.ts';

/** One connection to PostgreSQL. `timeoutMs` is the server's limit for one statement as well. */
export class PostgresConnection implements SqlConnection {
  readonly #address: PostgresAddress;
  readonly #timeoutMs: number;
  #client: Promise<Sql> | null = null;
  #isDestroyed = false;

  constructor(address: PostgresAddress, timeoutMs: number) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
  }

  async firstValue(query: string): Promise<unknown> {
    try {
      this.#client ??= this.#open();
      const client = await this.#client.catch((error: unknown) => {
        this.#client = null;
        throw error;
      });
      if (this.#isDestroyed) {
        client.end({ timeout: 0 }).catch(() => {});
        throw new SourceError('unreachable', `${postgresPlace(this.#address)}: the connection was given up`);
      }
      return await client.begin('read only', async (transaction) => {
        // A statement before the user's own: from here on, nothing can make the transaction a writing one.
        await transaction.unsafe(`select set_config('statement_timeout', '${Math.ceil(this.#timeoutMs)}', true)`);
        const pending = transaction.unsafe(query, [], { simple: false } as object);
        // As arrays: two columns may have the same name. As a cursor: only one row is fetched of however many.
        void pending.values();
        for await (const rows of pending.cursor(1)) return (rows as unknown as readonly unknown[][])[0]?.[0];
        return undefined;
      });
    } catch (error) {
      throw postgresError(error, postgresPlace(this.#address));
    }
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#client?.then((client) => client.end({ timeout: 0 })).catch(() => {});
  }

  async end(): Promise<void> {
    await this.#client?.then((client) => client.end({ timeout: 1 })).catch(() => {});
  }

  #open(): Promise<Sql> {
    const connectTimeoutSeconds = Math.ceil(this.#timeoutMs / 1000) + 1;
    return openPostgres(this.#address, { connections: 1, connectTimeoutSeconds, prepare: false });
  }
}
