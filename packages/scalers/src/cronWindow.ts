import { Cron } from 'croner';

export interface CronWindow {
  isOpen: boolean;
  /** When that changes, wall time; null: never. */
  changesAtMs: number | null;
}

/** Windows begin at most this often within one another; what goes on further back is found all the same by the oldest of them. */
const mostBegins = 1000;

/**
 * Whether a window is open that begins by cron (UTC) and lasts so long, and when that changes. Windows that overlap are one. The
 * expression was validated with its document; a wrong one throws.
 */
export function cronWindow(schedule: string, durationMs: number, nowMs: number): CronWindow {
  const cron = new Cron(schedule, { timezone: 'Etc/UTC', paused: true });
  // The reference itself is not among the previous ones.
  const begins = cron.previousRuns(1, new Date(nowMs + 1));
  const lastMs = begins[0]?.getTime();
  const nextMs = cron.nextRun(new Date(nowMs))?.getTime() ?? null;
  if (lastMs === undefined || lastMs + durationMs <= nowMs) return { isOpen: false, changesAtMs: nextMs };
  let untilMs = lastMs + durationMs;
  let beginMs = nextMs;
  for (let count = 0; beginMs !== null && beginMs <= untilMs; count++) {
    // It begins anew before it ends, again and again: open for good.
    if (count === mostBegins) return { isOpen: true, changesAtMs: null };
    untilMs = beginMs + durationMs;
    beginMs = cron.nextRun(new Date(beginMs))?.getTime() ?? null;
  }
  return { isOpen: true, changesAtMs: untilMs };
}
