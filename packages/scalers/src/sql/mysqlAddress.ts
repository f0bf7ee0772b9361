import { SourceError } from '../contract/errors.ts';

/** Whether TLS is spoken: `skip-verify` and `preferred` do not check the certificate. */
export type MysqlTls = 'true' | 'false' | 'skip-verify' | 'preferred';

/** Where a MySQL or MariaDB database is and how to get in. */
export interface MysqlAddress {
  /** Without it a Unix socket is meant. */
  host?: string;
  port?: number;
  socketPath?: string;
  user: string;
  password: string;
  database?: string;
  tls: MysqlTls;
  charset?: string;
  connectTimeoutMs?: number;
  /** Variables of the session, set to these SQL expressions. */
  session: Readonly<Record<string, string>>;
}

const defaultPort = 3306;
const tlsModes: readonly MysqlTls[] = ['true', 'false', 'skip-verify', 'preferred'];

/** Settings of Go's driver itself, which have no meaning here. */
const ofGoOnly = new Set([
  ...[
    'allowAllFiles',
    'allowCleartextPasswords',
    'allowFallbackToPlaintext',
    'allowNativePasswords',
    'allowOldPasswords',
  ],
  ...[
    'checkConnLiveness',
    'clientFoundRows',
    'columnsWithAlias',
    'compress',
    'connectionAttributes',
    'interpolateParams',
  ],
  ...['loc', 'maxAllowedPacket', 'multiStatements', 'parseTime', 'readTimeout', 'rejectReadOnly', 'serverPubKey'],
  ...['timeTruncate', 'writeTimeout'],
]);

const form = 'user:password@tcp(host:3306)/database';

/**
 * Reads the form of Go's driver: `user:password@tcp(host:3306)/database?tls=true`
 * (https://github.com/go-sql-driver/mysql#dsn-data-source-name). Throws `SourceError`, which never quotes the string.
 */
export function parseMysqlAddress(connection: string): MysqlAddress {
  const text = connection.trim();
  if (/^(mysql|mariadb|jdbc):/.test(text)) throw fault(`is a URL; write ${form}`);
  const [main, query] = splitAt(text, text.indexOf('?', Math.max(0, text.lastIndexOf('/'))));
  const slash = main.lastIndexOf('/');
  if (slash < 0) throw fault(`has no / before the database; write ${form}`);
  const database = decoded(main.slice(slash + 1));
  const [place, credentials] = lastPart(main.slice(0, slash));
  const colon = credentials.indexOf(':');
  return {
    ...serverOf(place),
    user: colon < 0 ? credentials : credentials.slice(0, colon),
    password: colon < 0 ? '' : credentials.slice(colon + 1),
    ...(database === '' ? {} : { database }),
    ...optionsOf(query),
  };
}

/** What is behind the last `@`, and what is before it. */
function lastPart(text: string): [string, string] {
  const at = text.lastIndexOf('@');
  return at < 0 ? [text, ''] : [text.slice(at + 1), text.slice(0, at)];
}

function splitAt(text: string, at: number): [string, string] {
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function serverOf(text: string): Pick<MysqlAddress, 'host' | 'port' | 'socketPath'> {
  const [, network = '', address = ''] = /^([a-z0-9]*)(?:\((.*)\))?$/.exec(text) ?? [undefined, '?'];
  if (network === 'unix') return { socketPath: address || '/tmp/mysql.sock' };
  if (!/^(tcp[46]?)?$/.test(network)) throw fault(`has another network than tcp or unix; write ${form}`);
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(address) ?? [];
  if (address !== '' && bracketed === undefined && plain === undefined) throw fault(`has no host:port; write ${form}`);
  return { host: bracketed || plain || '127.0.0.1', port: port === undefined ? defaultPort : Number(port) };
}

function optionsOf(query: string): Pick<MysqlAddress, 'tls' | 'charset' | 'connectTimeoutMs' | 'session'> {
  const session: Record<string, string> = {};
  let tls: MysqlTls = 'false';
  let charset: string | undefined;
  let connectTimeoutMs: number | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'tls') {
      const word = /^(1|true)$/i.test(value) ? 'true' : /^(0|false)$/i.test(value) ? 'false' : value.toLowerCase();
      const known = tlsModes.find((mode) => mode === word);
      if (!known) throw fault(`has an unknown tls; known are ${tlsModes.join(', ')}`);
      tls = known;
    } else if (name === 'collation') charset = value;
    else if (name === 'charset') charset ??= value.split(',')[0];
    else if (name === 'timeout') connectTimeoutMs = durationMs(value);
    else if (!ofGoOnly.has(name) && /^[A-Za-z_]\w*$/.test(name)) session[name] = value;
  }
  return {
    tls,
    ...(charset === undefined ? {} : { charset }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    session,
  };
}

function durationMs(text: string): number {
  const [, count, unit = ''] = /^(\d+\.?\d*)(ms|s|m)$/.exec(text) ?? [];
  if (count === undefined) throw fault('has a timeout that is no duration such as 5s');
  return Math.ceil(Number(count) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault('has a % in the name of the database that is not followed by two hexadecimal digits');
  }
}

function fault(what: string): SourceError {
  return new SourceError('bad-setting', `the connection string ${what}`);
}
