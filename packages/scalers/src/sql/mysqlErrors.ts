import { SourceError, type SourceErrorCode, sourceError } from '../contract/errors.ts';

/** Numbers of MySQL and MariaDB (https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html). */
const kinds = new Map<number, SourceErrorCode>([
  // Access denied: to the server, the database, a table, a column, a routine; a password that is over or locked.
  ...[1044, 1045, 1142, 1143, 1370, 1698, 1227, 1820, 1862, 3118].map((number) => [number, 'unauthorized'] as const),
  // No such database, table, column.
  ...[1049, 1146, 1054, 1109].map((number) => [number, 'not-found'] as const),
  // It took too long: MySQL's limit, MariaDB's, killed, a lock.
  ...[3024, 1969, 1317, 1205].map((number) => [number, 'timeout'] as const),
  // Too many connections, being shut down.
  ...[1040, 1203, 1226, 1053, 1129].map((number) => [number, 'unreachable'] as const),
  // Syntax, or a query that writes.
  ...[1064, 1065, 1305, 1792, 1836].map((number) => [number, 'bad-setting'] as const),
]);

/** MySQL's "cannot execute statement in a READ ONLY transaction". */
const writesNumber = 1792;

/** What MySQL or its client says, as a `SourceError`. */
export function mysqlError(error: unknown, where: string): SourceError {
  if (error instanceof SourceError || !(error instanceof Error)) return sourceError(error, where);
  const number = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const said = `${where}: ${error.message}`;
  // Numbers of the operating system are negative.
  if (number > 0) {
    const hint = number === writesNumber ? '; the query may only read' : '';
    return new SourceError(kinds.get(number) ?? 'bad-answer', `${said} (${number})${hint}`, { cause: error });
  }
  if (code === 'ETIMEDOUT')
    return new SourceError('timeout', `${where}: no connection within the time`, { cause: error });
  if (code === 'PROTOCOL_CONNECTION_LOST' || /closed state/.test(error.message)) {
    return new SourceError('unreachable', `${where}: the connection was broken off`, { cause: error });
  }
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT')
    return new SourceError('unreachable', `${where}: the server has no TLS`, { cause: error });
  if (code === 'HANDSHAKE_SSL_ERROR')
    return new SourceError('unreachable', `${where}: TLS failed (${error.message})`, { cause: error });
  if (/auth/i.test(code)) return new SourceError('unsupported', said, { cause: error });
  return sourceError(error, where);
}
