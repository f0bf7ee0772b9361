import { SourceError } from '../contract/errors.ts';

/** One who gives up waiting for a shared answer does not take it away from the others. Rejects with a time-out then. */
export async function untilAborted<Answer>(
  answer: Promise<Answer>,
  signal: AbortSignal,
  where: string,
): Promise<Answer> {
  const givenUp = Promise.withResolvers<never>();
  const giveUp = () => givenUp.reject(new SourceError('timeout', `${where}: no answer within the time`));
  // Whoever still waits hears of a failure; one that came too late is nobody's.
  answer.catch(() => {});
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([answer, givenUp.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
