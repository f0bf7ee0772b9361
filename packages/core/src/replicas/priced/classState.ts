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
 * is not known yet, some more than runs is held until it is. `headroom` 0: no more than that.
 */
export function firstClassState(
  nowMs: number,
  replicas: number,
  running: number,
  { headroom, headroomLate }: Pick<PricedTuning, 'headroom' | 'headroomLate'>,
): ClassState {
  const levels: Level[] = [];
  const found = replicas === 0 ? 0 : levelOfSize(replicas);
  for (let level = 1; level <= found; level++) levels.push({ ...newLevel(), t: nowMs, p: lateOfFound });
  addHeadroom(levels, nowMs, running, { headroom, headroomLate });
  return { replicas, atMs: nowMs, coldStartMs: null, service: emptyService(), arrivals: [], levels, starting: [] };
}

/** Levels above those that run; not above those that were asked for: that is enough to begin with. */
export function addHeadroom(
  levels: Level[],
  nowMs: number,
  running: number,
  { headroom, headroomLate }: Pick<PricedTuning, 'headroom' | 'headroomLate'>,
): void {
  if (running === 0 || headroom === 0) return;
  const runs = levelOfSize(running);
  const held = runs + Math.max(1, Math.round(headroom * runs));
  while (levels.length < held) levels.push({ ...newLevel(), t: nowMs, p: headroomLate });
}
