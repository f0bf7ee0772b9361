import { readFile } from 'node:fs/promises';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { Options, Sql } from 'postgres';
import { SourceError } from '../contract/errors.ts';
import { tlsOptions } from '../runtime/tls.ts';
import type { PostgresAddress } from './postgresAddress.ts';

export type { Sql } from 'postgres';

export interface PostgresClientOptions {
  /** Connections that may be open at once. */
  readonly connections: number;
  readonly connectTimeoutSeconds: number;
  /** Whether statements are prepared once a connection: one round trip for each later use. */
  readonly prepare: boolean;
  /** Settings of the server for every session; those that the address has come first. */
  readonly session?: Readonly<Record<string, string>>;
  /** The password of the next connection, in place of the address's. */
  readonly password?: () => string;
  /** Before a connection is tried again. Left out: the client's own back-off. */
  readonly backoffSeconds?: number;
}

/**
 * The client library, loaded on first use, for one database. It connects with the first query. Throws `SourceError` where a file
 * of the address cannot be read.
 */
export async function openPostgres(address: PostgresAddress, options: PostgresClientOptions): Promise<Sql> {
  const { hosts, user, password, database, connectTimeoutSeconds, targetSessionAttributes, session } = address;
  const { connections, prepare, backoffSeconds } = options;
  const [first] = hosts;
  const ssl = await sslOption(address);
  const { default: postgres } = await import('postgres');
  // Nothing is left to the environment of this process: its PGHOST or PGPASSWORD are somebody else's.
  const all = {
    host: hosts.map(({ host }) => host),
    port: hosts.map(({ port }) => port),
    ...(first?.host.startsWith('/') ? { path: `${first.host}/.s.PGSQL.${first.port}` } : {}),
    user,
    password: options.password ?? (() => password),
    database,
    ssl,
    max: connections,
    connect_timeout: connectTimeoutSeconds ?? options.connectTimeoutSeconds,
    idle_timeout: 600,
    prepare,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: 'ebb', ...options.session, ...session },
    ...(backoffSeconds === undefined ? {} : { backoff: () => backoffSeconds }),
    ...(targetSessionAttributes === undefined ? {} : { target_session_attrs: targetSessionAttributes }),
  };
  // The client takes lists of hosts and ports, which its types do not say.
  return postgres(all as unknown as Options<Record<string, never>>);
}

/** How the database is called in messages. */
export function postgresPlace({ hosts, database }: PostgresAddress): string {
  return `postgresql ${hosts.map(({ host, port }) => `${host}:${port}`).join(',')}/${database}`;
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
