import type { Connection, ConnectionOptions } from 'mysql2';
import { SourceError } from '../contract/errors.ts';
import type { SqlConnection } from './connectionPool.ts';
import type { MysqlAddress } from './mysqlAddress.ts';
import { mysqlError } from './mysqlErrors.ts';

/** How the database is called in messages. */
export function mysqlPlace({ host, port, socketPath, database = '' }: MysqlAddress): string {
  return `mysql ${socketPath ?? `${host}:${port}`}/${database}`;
}

/** One connection to MySQL or MariaDB. `timeoutMs` is the server's limit for one statement as well. */
export class MysqlConnection implements SqlConnection {
  readonly #address: MysqlAddress;
  readonly #timeoutMs: number;
  #client: Promise<Connection> | null = null;
  /** The one that is being connected, to be destroyed when that takes too long. */
  #newest: Connection | null = null;
  #isDestroyed = false;

  constructor(address: MysqlAddress, timeoutMs: number) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
  }

  async firstValue(query: string): Promise<unknown> {
    try {
      const client = await (this.#client ??= this.#open());
      // Of the session and anew each time, not of one transaction: a statement that commits first, such as DROP, would
      // leave that one and write.
      await run(client, 'SET SESSION TRANSACTION READ ONLY');
      try {
        const rows = await run(client, query);
        return Array.isArray(rows) && Array.isArray(rows[0]) ? rows[0][0] : undefined;
      } finally {
        // Where the server does not commit by itself, the next read would be of the same old moment.
        await run(client, 'ROLLBACK').catch(() => {});
      }
    } catch (error) {
      throw mysqlError(error, mysqlPlace(this.#address));
    }
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#newest?.destroy();
  }

  async end(): Promise<void> {
    this.#isDestroyed = true;
    const client = await this.#client?.catch(() => null);
    await new Promise<void>((resolve) => (client ? client.end(() => resolve()) : resolve()));
  }

  async #open(): Promise<Connection> {
    const { tls } = this.#address;
    try {
      return await this.#connect(tls !== 'false');
    } catch (error) {
      const hasNoTls = error instanceof Error && 'code' in error && error.code === 'HANDSHAKE_NO_SSL_SUPPORT';
      if (tls !== 'preferred' || !hasNoTls) throw this.#failed(error);
      return await this.#connect(false).catch((again: unknown) => {
        throw this.#failed(again);
      });
    }
  }

  /** What could not be prepared is not kept: the next read begins anew. */
  #failed(error: unknown): unknown {
    this.#client = null;
    this.#newest?.destroy();
    return error;
  }

  async #connect(withTls: boolean): Promise<Connection> {
    const { host, port, socketPath, user, password, database, tls, charset, connectTimeoutMs, session } = this.#address;
    const { createConnection } = await import('mysql2');
    if (this.#isDestroyed)
      throw new SourceError('unreachable', `${mysqlPlace(this.#address)}: the connection was given up`);
    const isChecked = tls === 'true';
    const options: ConnectionOptions = {
      ...(socketPath === undefined ? { host, port } : { socketPath }),
      user,
      password,
      ...(database === undefined ? {} : { database }),
      ...(charset === undefined ? {} : { charset }),
      ...(withTls ? { ssl: { rejectUnauthorized: isChecked, verifyIdentity: isChecked } } : {}),
      connectTimeout: connectTimeoutMs ?? Math.ceil(this.#timeoutMs) + 1000,
      rowsAsArray: true,
      // The text the server sends: no number loses digits, and no date becomes an object.
      typeCast: (field) => field.string(),
      disableEval: true,
    };
    const client = createConnection(options);
    this.#newest = client;
    // The query that is under way is told as well; one that is idle finds out with the next.
    client.on('error', () => {});
    const version = await run(client, 'SELECT @@version');
    const isMariaDb = String(Array.isArray(version) ? version[0] : '').includes('MariaDB');
    const limit = isMariaDb
      ? `max_statement_time = ${this.#timeoutMs / 1000}`
      : `max_execution_time = ${Math.ceil(this.#timeoutMs)}`;
    // Only the first row of however many is sent. Servers before these variables do without.
    for (const variable of [limit, 'sql_select_limit = 1']) await setIfKnown(client, `SET SESSION ${variable}`);
    for (const [name, value] of Object.entries(session)) await run(client, `SET ${name} = ${value}`);
    return client;
  }
}

/** Unknown system variable. */
const unknownVariable = 1193;

async function setIfKnown(client: Connection, statement: string): Promise<void> {
  try {
    await run(client, statement);
  } catch (error) {
    if (!(error instanceof Error && 'errno' in error && error.errno === unknownVariable)) throw error;
  }
}

function run(client: Connection, sql: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.query(sql, (error, rows) => (error ? reject(error) : resolve(rows)));
  });
}
