import { ApiError, NotRunningError, UnreachableError } from '@ebb/client';
import { Failure } from './failure.ts';
import { notRunning } from './session.ts';

/** What an error of the client means for the user; null for one that nobody expected. */
export function toFailure(error: unknown): Failure | null {
  if (error instanceof Failure) return error;
  if (error instanceof NotRunningError) return notRunning(error);
  if (error instanceof UnreachableError) {
    return new Failure(
      'unreachable',
      `${error.message}.`,
      ['the control plane may be starting or overloaded: ebb status'],
      {
        cause: error.cause,
      },
    );
  }
  if (!(error instanceof ApiError)) return null;
  const exit = error.status === 400 || error.status === 422 ? 'usage' : 'failed';
  return new Failure(exit, error.message, [], { cause: error });
}
