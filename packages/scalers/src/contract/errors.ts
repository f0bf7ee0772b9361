export type SourceErrorCode =
  /** Refused user, password, token or certificate. */
  | 'unauthorized'
  /** There is no such queue, topic, stream, table, … */
  | 'not-found'
  /** Nothing listens there, the name does not resolve, or the connection broke. */
  | 'unreachable'
  /** No answer within the time. */
  | 'timeout'
  /** An answer that is not what the source's interface promises. */
  | 'bad-answer'
  /** What is written in the document cannot be used. */
  | 'bad-setting'
  /** This kind of source, sign-in or setting is known and not available here. */
  | 'unsupported';

/** Why a source could not be read. The message is for the user; it never holds a secret. */
export class SourceError extends Error {
  readonly code: SourceErrorCode;
  constructor(code: SourceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SourceError';
    this.code = code;
  }
}

const networkCodes: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was broken off',
  EPIPE: 'the connection was broken off',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host name cannot be resolved now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no connection within the time of the operating system',
};

/**
 * Any failure of a client as a `SourceError` that says where it happened: `where` is `host:port` or a URL without
 * user and password. What is a `SourceError` already stays as it is.
 */
export function sourceError(error: unknown, where: string): SourceError {
  if (error instanceof SourceError) return error;
  const { code, message } = describe(error);
  const known = code === undefined ? undefined : networkCodes[code];
  if (known) return new SourceError('unreachable', `${where}: ${known}`, { cause: error });
  if (code && /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/.test(code)) {
    return new SourceError('unreachable', `${where}: TLS failed (${message})`, { cause: error });
  }
  return new SourceError('unreachable', `${where}: ${message}`, { cause: error });
}

/** Connection errors come in layers: the innermost one with a code says most. */
function describe(error: unknown): { code?: string; message: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code && networkCodes[code]) return { code, message: error.message };
  if (error.cause instanceof Error) return describe(error.cause);
  return code === undefined ? { message: error.message } : { code, message: error.message };
}
