import { kept, type Level, openFields, rememberGap } from './level.ts';
import type { PricedTuning } from './tuning.ts';

export interface MissTerms {
  nowMs: number;
  /** Requests that arrived since the last look, and how long ago that was, seconds. */
  arrivals: number;
  seconds: number;
  serviceSeconds: number;
  coldStartSeconds: number;
  onTimeSeconds: number;
}

/** Misses of neighbouring levels that began within this belong to one burst. */
const burstMs = 10_000;

/**
 * Follows what would have happened without the level: how many requests would have begun late until a replica that was
 * asked for at the touch had started. `slots` are those of the replicas below the level.
 */
export function followMisses(level: Level, slots: number, terms: MissTerms, drainSpeed: number): void {
  if (level.o.length === 0) return;
  const { nowMs, arrivals, seconds, serviceSeconds, coldStartSeconds, onTimeSeconds } = terms;
  const lateForMs = 1000 * (coldStartSeconds - onTimeSeconds);
  const drain = (drainSpeed * slots) / serviceSeconds;
  const open = level.o.slice();
  for (let at = 0; at < open.length; at += openFields) {
    if (nowMs - (open[at] as number) >= lateForMs) continue;
    let isLate = slots === 0;
    if (!isLate) {
      const queue = Math.max(0, (open[at + 2] as number) + arrivals - seconds * drain);
      open[at + 2] = kept(queue);
      isLate = (queue - slots) / drain > onTimeSeconds;
    }
    if (isLate) open[at + 3] = (open[at + 3] as number) + arrivals;
  }
  level.o = open;
}

/**
 * Ends the misses whose cold start would be over. A level answers for what its absence adds to that of the levels above
 * it: what is late without it, less what is late without the next one.
 */
export function endMisses(
  levels: readonly Level[],
  nowMs: number,
  coldStartSeconds: number,
  tuning: PricedTuning,
): void {
  for (const [index, level] of levels.entries()) {
    while (level.o.length > 0 && nowMs - (level.o[0] as number) > 1000 * coldStartSeconds) {
      const [atMs = 0, bin = -1, , missed = 0] = level.o;
      level.o = level.o.slice(openFields);
      const late = Math.max(0, missed - lateAbove(levels[index + 1], atMs));
      level.s = kept(level.s * tuning.memory + late);
      level.c = kept(level.c * tuning.memory + 1);
      if (bin >= 0) rememberGap(level, bin, late, tuning.memory);
      level.l = null;
    }
  }
}

function lateAbove(above: Level | undefined, atMs: number): number {
  if (!above) return 0;
  for (let at = 0; at < above.o.length; at += openFields) {
    if (Math.abs((above.o[at] as number) - atMs) < burstMs) return above.o[at + 3] as number;
  }
  return 0;
}
