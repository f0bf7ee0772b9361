import type { RequestHead, UpstreamFailure } from './exchange.ts';
import { limits } from './limits.ts';

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * Whether a request that failed before any byte of its answer may be given to a replica again: always when no byte of
 * it left; after that if the method allows a repetition or the client marked it as repeatable (`Idempotency-Key`);
 * any other only when a kept connection was plainly being closed as the request was written.
 */
export function mayRetry(
  failure: UpstreamFailure,
  head: Pick<RequestHead, 'method' | 'fields'>,
  sent: { sentAgoUs: number; replayable: boolean; repetitions: number },
): boolean {
  if (!sent.replayable) return false;
  // Each replica is tried once until the set of replicas changes, and the time to wait bounds it as a whole.
  if (failure.stage === 'connect') return true;
  if (failure.stage !== 'head' || sent.repetitions >= limits.repetitions) return false;
  const repeatable = idempotent.has(head.method) || head.fields['idempotency-key'] !== undefined;
  return (repeatable && failure.closed) || (failure.reused && sent.sentAgoUs <= limits.staleConnectionUs);
}
