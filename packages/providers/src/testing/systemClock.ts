import type { Clock } from '@ebb/core';

/** The machine's own time. Timers do not keep a process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowUs: () => Math.floor(performance.now() * 1000),
  at(atMs, callback) {
    const timer = setTimeout(callback, Math.max(0, atMs - Date.now())).unref();
    return () => clearTimeout(timer);
  },
};
