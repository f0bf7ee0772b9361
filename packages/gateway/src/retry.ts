import type { RequestHead, UpstreamFailure } from './exchange.ts';
import { limits } from './limits.ts';

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * Whether a request that failed before any byte of its answer may be given to a replica again: always when no byte
 * of it left; when a kept connection broke, only if the method allows a repetition, the client marked it as
 * repeatable (`Idempotency-Key`), or the connection was plainly being closed as the request was written.
 */
export function mayRetry(
  failure: UpstreamFailure,
  head: Pick<RequestHead, 'method' | 'fields'>,
  sent: { sentAgoUs: number; replayable: boolean; repetitions: number },
): boolean {
  if (!sent.replayable) return false;
  // Each replica is tried once until the set of replicas changes, and the time to wait bounds it as a whole.
  if (failure.stage === 'connect') return true;
  if (failure.stage !== 'head' || !failure.reused || sent.repetitions >= limits.repetitions) return false;
  return (
    idempotent.has(head.method) ||
    head.fields['idempotency-key'] !== undefined ||
    sent.sentAgoUs <= limits.staleConnectionUs
  );
}
