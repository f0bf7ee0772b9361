/** What is remembered of a replica's earlier lives, to decide when it may start again. */
export interface CrashHistory {
  /** Crashes since it last stayed ready for `steadyAfterMs`. */
  crashesInARow: number;
  starts: number;
  everReady: boolean;
}

export const newHistory: CrashHistory = { crashesInARow: 0, starts: 0, everReady: false };

const firstBackoffMs = 500;
const longestBackoffMs = 60_000;
/** A replica that was ready this long has earned a quick restart again. */
const steadyAfterMs = 60_000;
/** A replica that ended this often before it was ever ready is given up. */
export const maxStartsWithoutReady = 5;

/**
 * What follows a crash: how long to wait before the next start (500 ms, doubling to 60 s), or null to give up.
 * `readyForMs` is how long the life that just ended had been ready, null when it never was.
 */
export function afterCrash(
  history: CrashHistory,
  readyForMs: number | null,
): { history: CrashHistory; delayMs: number | null } {
  const everReady = history.everReady || readyForMs !== null;
  const steady = readyForMs !== null && readyForMs >= steadyAfterMs;
  const crashesInARow = steady ? 1 : history.crashesInARow + 1;
  const next = { ...history, crashesInARow, everReady };
  if (!everReady && history.starts >= maxStartsWithoutReady) return { history: next, delayMs: null };
  return { history: next, delayMs: Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(30, crashesInARow - 1)) };
}
