import type { Clock } from '@ebb/core';

/** This machine's time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowUs: () => Math.round(performance.now() * 1000),
  at: (atMs, callback) => {
    // A longer wait is one step of several: timers hold 31 bits.
    const longestMs = 2_000_000_000;
    let timer: NodeJS.Timeout;
    const wait = () => {
      const leftMs = Math.max(0, atMs - Date.now());
      timer = setTimeout(leftMs > longestMs ? wait : callback, Math.min(leftMs, longestMs));
    };
    wait();
    return () => clearTimeout(timer);
  },
};
