import { resolveSettings } from './settings.ts';
import type { Forecaster, ForecasterType, ForecastSettings, ResolvedSettings } from './types.ts';

export const minute = 60_000;
export const hour = 3_600_000;
export const day = 86_400_000;
/** A Monday at midnight, UTC. */
export const monday = 2_862 * 7 * day + 4 * day;

/** A request of two seconds that is late costs as much as two minutes of a replica. */
export const settings: ForecastSettings = { slots: 8, coldStartMs: minute, latePriceSeconds: 120, serviceMs: 2_000 };

export const resolved = (more: Partial<ForecastSettings> = {}): ResolvedSettings =>
  resolveSettings({ ...settings, ...more });

export interface Fed {
  forecaster: Forecaster;
  /** End of what it has learnt. */
  endMs: number;
}

/** A forecaster that has learnt one bucket of a minute after the other, mean and peak alike, from `startMs` on. */
export function fed(
  type: ForecasterType,
  peaks: readonly number[],
  { startMs = monday, using = resolved() }: { startMs?: number; using?: ResolvedSettings } = {},
): Fed {
  const forecaster = type.open(undefined, using);
  let endMs = startMs;
  for (const peak of peaks) {
    forecaster.learn({ startMs: endMs, lengthMs: minute, mean: peak, peak });
    endMs += minute;
  }
  return { forecaster, endMs };
}

/** A minute's demand for each minute of so many hours. */
export const hourly = (hours: number, demandOf: (hourNumber: number) => number): number[] =>
  Array.from({ length: hours * 60 }, (_, index) => demandOf(Math.floor(index / 60)));

/** Seeded [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A Poisson number (Knuth's product of uniforms; for small means). */
export function poissonOf(mean: number, random: () => number): number {
  const bound = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > bound; product *= random()) count += 1;
  return count;
}
