import type { ArrivalsMemory } from './arrivals.ts';
import { type Level, newLevel } from './level.ts';
import { levelOfSize } from './levelSizes.ts';
import type { PricedTuning } from './tuning.ts';
import { emptyService, type ServiceMemory } from './serviceTime.ts';

/** What is remembered of one class. */
export interface ClassState {
  /** Replicas decided last. */
  replicas: number;
  /** Last look, ms. */
  atMs: number;
  /** Cold start as it was last told, ms; null: not yet. */
  coldStartMs: number | null;
  service: ServiceMemory;
  arrivals: ArrivalsMemory;
  /** From the lowest. */
  levels: Level[];
  /** Starts under way: `[asked at, replicas]`. */
  starting: [number, number][];
}

/** Late requests that the absence of what was found running is taken to cost. */
const lateOfFound = 10;

/**
 * The beginning. What is found running, or asked for to begin with, counts as needed now; and as the demand on what runs
 * is not known yet, some more is held until it is.
 */
export function firstClassState(
  nowMs: number,
  replicas: number,
  running: number,
  { headroom, headroomLate }: Pick<PricedTuning, 'headroom' | 'headroomLate'>,
): ClassState {
  const levels: Level[] = [];
  const found = replicas === 0 ? 0 : levelOfSize(replicas);
  const more = running === 0 || headroom === 0 ? 0 : Math.max(1, Math.round(headroom * levelOfSize(running)));
  for (let level = 1; level <= found + more; level++) {
    levels.push({ ...newLevel(), t: nowMs, p: level <= found ? lateOfFound : headroomLate });
  }
  return { replicas, atMs: nowMs, coldStartMs: null, service: emptyService(), arrivals: [], levels, starting: [] };
}
