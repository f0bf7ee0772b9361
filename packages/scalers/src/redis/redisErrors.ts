import { SourceError, sourceError } from '../contract/errors.ts';

/** Redis refuses a command, and not the connection: other commands may work. */
export function isForbidden(error: unknown): boolean {
  return (
    error instanceof Error && /NOPERM|can't run this command|can't access at least one of the keys/.test(error.message)
  );
}

/** A failure of the client or an error answer of Redis as a `SourceError`. */
export function redisError(error: unknown, where: string): SourceError {
  if (error instanceof SourceError) return error;
  const inner =
    error instanceof Error && 'lastNodeError' in error && error.lastNodeError instanceof Error
      ? error.lastNodeError
      : error;
  const message = inner instanceof Error ? inner.message : String(inner);
  if (/WRONGPASS|invalid password|invalid username-password|wrong number of arguments for 'auth'/i.test(message)) {
    return new SourceError('unauthorized', `${where} refused the user or the password`);
  }
  if (/NOAUTH|no password is set|Authentication required/i.test(message)) {
    return new SourceError('unauthorized', `${where} wants a password`);
  }
  if (isForbidden(inner)) return new SourceError('unauthorized', `${where}: ${message}`);
  if (message.startsWith('NOGROUP')) return new SourceError('not-found', `${where}: ${message}`);
  if (/^(WRONGTYPE|ERR unsupported key type)/.test(message))
    return new SourceError('bad-answer', `${where}: ${message}`);
  if (/^LOADING|^CLUSTERDOWN|^MASTERDOWN|^TRYAGAIN/.test(message))
    return new SourceError('unreachable', `${where}: ${message}`);
  if (/^MOVED|^ASK/.test(message)) {
    return new SourceError(
      'bad-setting',
      `${where} is a node of a Redis Cluster: use the type redis-cluster or redis-cluster-streams`,
    );
  }
  if (/^ERR DB index|cluster mode/i.test(message)) return new SourceError('bad-setting', `${where}: ${message}`);
  if (/ETIMEDOUT|timed? ?out/i.test(message)) return new SourceError('timeout', `${where}: no answer within the time`);
  if (/sentinels are unreachable/i.test(message)) {
    const last = /Last error: (.*)$/s.exec(message)?.[1];
    if (last && /WRONGPASS|NOAUTH/.test(last)) return redisError(new Error(last), where);
    return new SourceError('unreachable', `${where}: no sentinel knows the master${last ? ` (${last})` : ''}`);
  }
  return sourceError(inner, where);
}
