import type { Pace } from '../contract/source.ts';

/** Also a pace of 0 leaves the source in peace for this long. */
const smallestIntervalMs = 50;
/** A woken round that failed is run again after this long: what woke it will not wake it once more. */
const wokenAgainAfterMs = 1000;

export interface Rounds {
  /** Runs one round out of turn as soon as possible. */
  wake(): void;
  stop(): void;
}

/**
 * Runs rounds at a pace that is looked up for each, on a grid of whole intervals, so that triggers of one pace ask
 * together; never two at a time. `round` says whether it could read, and must not reject.
 */
export function startRounds(
  round: (kind: 'poll' | 'woken') => Promise<boolean>,
  pace: Pace,
  nowMs: () => number,
): Rounds {
  let timer: NodeJS.Timeout | undefined;
  let againTimer: NodeJS.Timeout | undefined;
  let isRunning = false;
  let isStopped = false;
  let isDue = true;
  let isWoken = false;
  const run = async () => {
    if (isRunning) return;
    isRunning = true;
    while (isDue || isWoken) {
      const kind = isDue ? 'poll' : 'woken';
      const wasWoken = isWoken;
      if (isDue) schedule();
      isDue = false;
      isWoken = false;
      const isRead = await round(kind);
      if (!isRead && wasWoken && !isStopped) againTimer = setTimeout(wake, wokenAgainAfterMs);
    }
    isRunning = false;
  };
  const schedule = () => {
    const intervalMs = Math.max(smallestIntervalMs, pace.intervalMs);
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        isDue = true;
        void run();
      },
      intervalMs - (nowMs() % intervalMs),
    );
  };
  const wake = () => {
    if (isStopped) return;
    clearTimeout(againTimer);
    isWoken = true;
    void run();
  };
  void run();
  return {
    wake,
    stop: () => {
      isStopped = true;
      isDue = false;
      isWoken = false;
      clearTimeout(timer);
      clearTimeout(againTimer);
    },
  };
}
