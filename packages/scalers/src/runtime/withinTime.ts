import { SourceError, sourceError } from '../contract/errors.ts';

/**
 * Runs one question to a source and gives up after `timeoutMs`, also when the client ignores the signal. Every failure
 * is a `SourceError`.
 */
export async function withinTime<Result>(
  timeoutMs: number,
  where: string,
  ask: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new SourceError('timeout', `${where}: no answer within ${timeoutMs} ms`));
      controller.abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([ask(controller.signal), timeUp]);
  } catch (error) {
    throw sourceError(error, where);
  } finally {
    clearTimeout(timer);
  }
}
