import type { Clock } from '@ebb/core';

/** Resolves after so many milliseconds of the clock. */
export function later(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.at(clock.nowMs() + delayMs, resolve));
}
