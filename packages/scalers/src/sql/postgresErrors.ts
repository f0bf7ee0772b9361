import { SourceError, type SourceErrorCode, sourceError } from '../contract/errors.ts';

/** Classes and codes of SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), longest first. */
const codes: readonly [string, SourceErrorCode][] = [
  ['28', 'unauthorized'],
  ['42501', 'unauthorized'],
  ['3D', 'not-found'],
  ['3F', 'not-found'],
  ['42P01', 'not-found'],
  ['42703', 'not-found'],
  ['57014', 'timeout'],
  ['57P', 'unreachable'],
  ['08', 'unreachable'],
  ['53', 'unreachable'],
  ['25006', 'bad-setting'],
  ['42', 'bad-setting'],
];

const clientCodes: Record<string, [SourceErrorCode, string]> = {
  CONNECTION_CLOSED: ['unreachable', 'the connection was broken off'],
  CONNECTION_ENDED: ['unreachable', 'the connection was given up'],
  CONNECTION_DESTROYED: ['unreachable', 'the connection was given up'],
  CONNECT_TIMEOUT: ['timeout', 'no connection within the time'],
  SASL_SIGNATURE_MISMATCH: ['unauthorized', 'the server does not know the password'],
  AUTH_TYPE_NOT_IMPLEMENTED: ['unsupported', 'the server asks for a way to sign in that is not available'],
};

/** What PostgreSQL or its client says, as a `SourceError`. */
export function postgresError(error: unknown, where: string): SourceError {
  if (error instanceof SourceError || !(error instanceof Error)) return sourceError(error, where);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = clientCodes[code];
  if (known) return new SourceError(known[0], `${where}: ${known[1]}`, { cause: error });
  if (error.name !== 'PostgresError') return sourceError(error, where);
  const kind = codes.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'bad-answer';
  const hint = code === '25006' ? '; the query may only read' : '';
  return new SourceError(kind, `${where}: ${error.message} (${code})${hint}`, { cause: error });
}
