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

/** Of what would be late, each speed tells so much. */
const partOfSpeed = 1 / 3;
const mostSpread = 0.15;

/**
 * Shares of the full speed at which a queue is taken to be worked off: three quantiles of what the next burst may be, apart
 * by `drainSpread` for each minute of the cold start. Whether a queue builds up at all hangs on a few per cent, and a
 * single speed would say "nothing" or "everybody".
 */
export function drainSpeeds(
  { drainSpeed, drainSpread }: Pick<PricedTuning, 'drainSpeed' | 'drainSpread'>,
  coldStartSeconds: number,
): readonly [fast: number, usual: number, slow: number] {
  const spread = Math.min(mostSpread, (drainSpread * coldStartSeconds) / 60);
  return [drainSpeed * (1 + spread), drainSpeed, drainSpeed * (1 - spread)];
}

/** A miss that begins now: with this queue, and with late requests if there is nothing below the level. */
export function openMiss(atMs: number, bin: number, queue: number, slots: number): readonly number[] {
  return [atMs, bin, slots === 0 ? 1 : 0, queue, queue, queue];
}

/**
 * Follows what would have happened without the level: how many requests would have begun late until a replica that was
 * asked for at the touch had started. `slots` are those of the replicas below the level.
 */
export function followMisses(level: Level, slots: number, terms: MissTerms, speeds: readonly number[]): void {
  if (level.o.length === 0) return;
  const { nowMs, arrivals, seconds, serviceSeconds, coldStartSeconds, onTimeSeconds } = terms;
  const lateForMs = 1000 * (coldStartSeconds - onTimeSeconds);
  const open = level.o.slice();
  for (let at = 0; at < open.length; at += openFields) {
    if (nowMs - (open[at] as number) >= lateForMs) continue;
    let share = slots === 0 ? 1 : 0;
    for (let speed = 0; slots > 0 && speed < speeds.length; speed++) {
      const drain = ((speeds[speed] as number) * slots) / serviceSeconds;
      const queue = Math.max(0, (open[at + 3 + speed] as number) + arrivals - seconds * drain);
      open[at + 3 + speed] = kept(queue);
      if ((queue - slots) / drain > onTimeSeconds) share += partOfSpeed;
    }
    if (share > 0) open[at + 2] = kept((open[at + 2] as number) + share * arrivals);
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
      const [atMs = 0, bin = -1, missed = 0] = level.o;
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
    if (Math.abs((above.o[at] as number) - atMs) < burstMs) return above.o[at + 2] as number;
  }
  return 0;
}
