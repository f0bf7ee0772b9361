import type { Clock } from '@ebb/core';

export interface LiveClock extends Clock {
  /** Lets time go on from this moment at least: somebody else's time was ahead. */
  raise(floorMs: number): void;
  /** Calls all timers off. */
  close(): void;
}

export interface TimeSource {
  wallMs: () => number;
  /** Monotonic, any origin. */
  steadyUs: () => number;
}

export const machineTime: TimeSource = {
  wallMs: () => Date.now(),
  steadyUs: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1_000_000 + Math.floor(nanoseconds / 1000);
  },
};

/** Where wall time is behind, Ebb's time runs at this share of its speed until they meet. */
const catchUpRate = 0.5;
/** A timer looks at the clock at least this often: wall time may jump ahead, as after a suspended laptop wakes up. */
const longestWaitMs = 30_000;

/**
 * Ebb's time (design §3a.3): wall time that never steps back. Where wall time jumps ahead it follows at once; where wall
 * time is set back it goes on at half speed until the two meet again. `floorMs` is the latest moment known from earlier
 * runs: time begins there if the wall clock was set back in between.
 */
export function liveClock(floorMs: number, source: TimeSource = machineTime): LiveClock {
  let lastSteadyUs = source.steadyUs();
  let currentMs = Math.max(floorMs, source.wallMs());
  const timers = new Set<NodeJS.Timeout>();

  const nowMs = (): number => {
    const steadyUs = source.steadyUs();
    const elapsedMs = Math.max(0, steadyUs - lastSteadyUs) / 1000;
    lastSteadyUs = steadyUs;
    currentMs = Math.max(source.wallMs(), currentMs + elapsedMs * catchUpRate);
    return Math.floor(currentMs);
  };

  return {
    nowMs,
    nowUs: () => source.steadyUs(),
    raise(floorMs) {
      currentMs = Math.max(currentMs, floorMs);
    },
    at(atMs, callback) {
      let timer: NodeJS.Timeout;
      const wait = (): void => {
        const delayMs = Math.min(longestWaitMs, Math.max(0, Math.ceil(atMs - nowMs())));
        timer = setTimeout(() => {
          timers.delete(timer);
          if (nowMs() >= atMs) callback();
          else wait();
        }, delayMs);
        timers.add(timer);
      };
      wait();
      return () => {
        clearTimeout(timer);
        timers.delete(timer);
      };
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
