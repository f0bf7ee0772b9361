import { readFile } from 'node:fs/promises';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { Options, Sql } from 'postgres';
import { SourceError } from '../contract/errors.ts';
import { tlsOptions } from '../runtime/tls.ts';
import type { SqlConnection } from './connectionPool.ts';
import type { PostgresAddress } from './postgresAddress.ts';
import { postgresError } from './postgresErrors.ts';

/** How the database is called in messages. */
export function postgresPlace({ hosts, database }: PostgresAddress): string {
  return `postgresql ${hosts.map(({ host, port }) => `${host}:${port}`).join(',')}/${database}`;
}

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

  async #open(): Promise<Sql> {
    const address = this.#address;
    const { hosts, user, password, database, connectTimeoutSeconds, targetSessionAttributes, session } = address;
    const [first] = hosts;
    const ssl = await sslOption(address);
    const { default: postgres } = await import('postgres');
    // Nothing is left to the environment of this process: its PGHOST or PGPASSWORD are not the trigger's.
    const options = {
      host: hosts.map(({ host }) => host),
      port: hosts.map(({ port }) => port),
      ...(first?.host.startsWith('/') ? { path: `${first.host}/.s.PGSQL.${first.port}` } : {}),
      user,
      password: () => password,
      database,
      ssl,
      max: 1,
      connect_timeout: connectTimeoutSeconds ?? Math.ceil(this.#timeoutMs / 1000) + 1,
      idle_timeout: 600,
      prepare: false,
      fetch_types: false,
      onnotice: () => {},
      connection: { application_name: 'ebb', ...session },
      ...(targetSessionAttributes === undefined ? {} : { target_session_attrs: targetSessionAttributes }),
    };
    // The client takes lists of hosts and ports, which its types do not say.
    return postgres(options as unknown as Options<Record<string, never>>);
  }
}

/** libpq's modes: `require` trusts anybody unless an authority is named, `verify-ca` whom the authority signed. */
async function sslOption(address: PostgresAddress): Promise<boolean | 'prefer' | ConnectionOptions> {
  const { sslMode, files, hosts, keyPassword } = address;
  if (sslMode === 'disable') return false;
  const hasFiles = Object.keys(files).length > 0;
  if ((sslMode === 'prefer' || sslMode === 'allow') && !hasFiles) return 'prefer';
  const read = async (path: string | undefined, name: string) => {
    if (path === undefined) return undefined;
    return readFile(path, 'utf8').catch(() => {
      throw new SourceError('bad-setting', `${name} ${path} cannot be read on the machine that asks`);
    });
  };
  const ca = await read(files.ca, 'sslrootcert');
  const cert = await read(files.cert, 'sslcert');
  const key = await read(files.key, 'sslkey');
  const isChainChecked = sslMode.startsWith('verify') || ca !== undefined;
  return {
    ...tlsOptions({ ca, cert, key, keyPassword, unsafeSsl: !isChainChecked }),
    checkServerIdentity(_name, certificate) {
      if (sslMode !== 'verify-full') return undefined;
      const faults = hosts.map(({ host }) => checkServerIdentity(host, certificate));
      return faults.includes(undefined) ? undefined : faults[0];
    },
  };
}
