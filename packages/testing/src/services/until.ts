import { setTimeout as delay } from 'node:timers/promises';

const pollEveryMs = 20;

/** Asks an outside process again and again until it says yes. A check that throws counts as a no. */
export async function until(
  check: () => boolean | Promise<boolean>,
  { withinMs, what }: { readonly withinMs: number; readonly what: () => string },
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  let lastError: unknown;
  do {
    try {
      if (await check()) return;
      lastError = undefined;
    } catch (error) {
      if (error instanceof GaveUp) throw error;
      lastError = error;
    }
    await delay(pollEveryMs);
  } while (performance.now() < deadlineMs);
  const reason = lastError instanceof Error ? `: ${lastError.message}` : '';
  throw new Error(`${what()} did not happen within ${withinMs} ms${reason}`);
}

/** Thrown by a check when asking again cannot help. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';
}
