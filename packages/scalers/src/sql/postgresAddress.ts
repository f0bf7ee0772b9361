import { SourceError } from '../contract/errors.ts';

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

/** Where a PostgreSQL database is and how to get in. */
export interface PostgresAddress {
  /** Host names, addresses or folders of Unix sockets, tried in this order. */
  hosts: readonly { host: string; port: number }[];
  user: string;
  password: string;
  database: string;
  sslMode: SslMode;
  /** Paths of PEM files on the machine that asks. */
  files: { ca?: string; cert?: string; key?: string };
  keyPassword?: string;
  connectTimeoutSeconds?: number;
  targetSessionAttributes?: string;
  /** Settings of the server for the session, such as `search_path`. */
  session: Readonly<Record<string, string>>;
}

const defaultPort = 5432;

/** Known to libpq or pgx and without a meaning here. */
const withoutMeaning =
  /^(pool_\w+|default_query_exec_mode|statement_cache_\w+|description_cache_capacity|fallback_application_name|passfile|service|servicefile|krbsrvname|gss\w+|channel_binding|keepalives\w*|tcp_user_timeout|load_balance_hosts|require_auth|ssl(sni|compression|crl|crldir|negotiation|_min_protocol_version|_max_protocol_version)|client_encoding|replication|requirepeer)$/;

/**
 * Reads both forms of libpq: `host=… user=…` and `postgres://user:password@host:port/database?sslmode=…`
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING). Throws `SourceError`, which never
 * quotes the string.
 */
export function parsePostgresAddress(connection: string): PostgresAddress {
  const text = connection.trim();
  return addressOf(/^postgres(ql)?:\/\//.test(text) ? urlValues(text) : keywordValues(text));
}

function addressOf(values: ReadonlyMap<string, string>): PostgresAddress {
  const get = (name: string) => values.get(name) || undefined;
  const names = (get('hostaddr') ?? get('host') ?? 'localhost').split(',');
  const ports = (get('port') ?? String(defaultPort)).split(',');
  if (ports.length > 1 && ports.length !== names.length) throw fault('has another number of ports than of hosts');
  const hosts = names.map((host, at) => ({
    host: host.trim() || 'localhost',
    port: portOf(ports[at] ?? ports[0] ?? ''),
  }));
  const user = get('user');
  if (user === undefined) throw fault('has no user');
  const sslMode = sslModes.find((mode) => mode === (get('sslmode') ?? 'prefer'));
  if (sslMode === undefined) throw fault(`has an unknown sslmode; known are ${sslModes.join(', ')}`);
  const [ca, cert, key] = [get('sslrootcert'), get('sslcert'), get('sslkey')];
  const keyPassword = get('sslpassword');
  const attributes = get('target_session_attrs');
  const seconds = Number(get('connect_timeout'));
  return {
    hosts,
    user,
    password: get('password') ?? '',
    database: get('dbname') ?? user,
    sslMode,
    files: {
      ...(ca === undefined || ca === 'system' ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
    ...(keyPassword === undefined ? {} : { keyPassword }),
    ...(attributes === undefined || attributes === 'any' ? {} : { targetSessionAttributes: attributes }),
    ...(seconds > 0 ? { connectTimeoutSeconds: seconds } : {}),
    session: Object.fromEntries([...values].filter(([name]) => !own.has(name) && !withoutMeaning.test(name))),
  };
}

const own = new Set([
  ...['host', 'hostaddr', 'port', 'user', 'password', 'dbname', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'],
  ...['sslpassword', 'connect_timeout', 'target_session_attrs'],
]);

function portOf(text: string): number {
  const port = text.trim() === '' ? defaultPort : Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw fault('has a port that is no number from 1 to 65535');
  return port;
}

function urlValues(text: string): Map<string, string> {
  // Several hosts may be named, which no URL class takes.
  const match = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(text);
  if (!match) throw fault('is not a URL such as postgres://user:password@host:5432/database?sslmode=require');
  const [, credentials = '', authority = '', database = '', query = ''] = match;
  const values = new Map<string, string>();
  const put = (name: string, value: string | undefined) =>
    value !== undefined && value !== '' && values.set(name, value);
  const colon = credentials.indexOf(':');
  put('user', decoded(colon < 0 ? credentials : credentials.slice(0, colon)));
  put('password', colon < 0 ? undefined : decoded(credentials.slice(colon + 1)));
  const places = authority === '' ? [] : authority.split(',').map(hostAndPort);
  put('host', places.map(({ host }) => host).join(','));
  if (places.some(({ port }) => port !== '')) put('port', places.map(({ port }) => port || defaultPort).join(','));
  put('dbname', decoded(database));
  for (const [name, value] of new URLSearchParams(query.replaceAll('+', '%2B'))) put(name, value);
  return values;
}

function hostAndPort(text: string): { host: string; port: string } {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(text);
  if (!match) throw fault('has a host that is not host, host:port or [address]:port');
  const [, bracketed, plain = '', port = ''] = match;
  return { host: decoded(bracketed ?? plain), port };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault('has a % that is not followed by two hexadecimal digits');
  }
}

/** `name = value` with blanks between; values with blanks in single quotes; `\` before a quote or another `\`. */
function keywordValues(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const pair = /\s*([A-Za-z_]\w*)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/gsy;
  let end = 0;
  for (let match = pair.exec(text); match; match = pair.exec(text)) {
    const [, name = '', quoted, plain = ''] = match;
    values.set(name.toLowerCase(), (quoted ?? plain).replace(/\\(.)/gs, '$1'));
    end = pair.lastIndex;
  }
  if (values.size === 0 || text.slice(end).trim() !== '') {
    throw fault(
      'is neither "host=… port=… user=… password=… dbname=… sslmode=…" nor a URL that begins with postgres://',
    );
  }
  return values;
}

function fault(what: string): SourceError {
  return new SourceError('bad-setting', `the connection string ${what}`);
}
