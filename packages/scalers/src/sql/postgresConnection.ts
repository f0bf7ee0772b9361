import type { CloudToken } from '../auth/cloud/cloudAccess.ts';
import { SourceError } from '../contract/errors.ts';
import type { SqlConnection } from './connectionPool.ts';
import { openPostgres, postgresPlace, type Sql } from './openPostgres.ts';
import type { PostgresAddress } from './postgresAddress.ts';
import { postgresError } from './postgresErrors.ts';

/**
 * One connection to PostgreSQL. `timeoutMs` is the server's limit for one statement as well. A `token` is the password where there
 * is one: the server looks at it when the connection is made.
 */
export class PostgresConnection implements SqlConnection {
  readonly #address: PostgresAddress;
  readonly #timeoutMs: number;
  readonly #token: CloudToken | null;
  #password = '';
  #client: Promise<Sql> | null = null;
  #isDestroyed = false;

  constructor(address: PostgresAddress, timeoutMs: number, token: CloudToken | null = null) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#token = token;
  }

  async firstValue(query: string): Promise<unknown> {
    try {
      if (this.#token) this.#password = await this.#token.get(AbortSignal.timeout(this.#timeoutMs));
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
      const failure = postgresError(error, postgresPlace(this.#address));
      // It may have been withdrawn before its time.
      if (failure.code === 'unauthorized') this.#token?.drop(this.#password);
      throw failure;
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
    const password = this.#token ? { password: () => this.#password } : {};
    return openPostgres(this.#address, { connections: 1, connectTimeoutSeconds, prepare: false, ...password });
  }
}
