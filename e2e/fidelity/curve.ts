import type { ReplicaLife } from './recording.ts';

/** A count that holds from its moment to the next one's; the first is at 0. */
export type Curve = readonly { atMs: number; count: number }[];

/** Replicas that are paid for (`askedMs` on) or usable (`readyMs` on), over the span. */
export function curveOf(lives: readonly ReplicaLife[], from: 'askedMs' | 'readyMs', spanMs: number): Curve {
  const changes: { atMs: number; by: number }[] = [{ atMs: 0, by: 0 }];
  for (const life of lives) {
    const beganMs = life[from];
    const endedMs = Math.min(spanMs, life.endedMs ?? spanMs);
    if (beganMs === null || beganMs >= endedMs) continue;
    changes.push({ atMs: Math.max(0, beganMs), by: 1 }, { atMs: endedMs, by: -1 });
  }
  changes.sort((a, b) => a.atMs - b.atMs);
  const curve: { atMs: number; count: number }[] = [];
  let count = 0;
  for (const { atMs, by } of changes) {
    count += by;
    const last = curve.at(-1);
    if (last?.atMs === atMs) last.count = count;
    else curve.push({ atMs, count });
  }
  return curve;
}

/** Replica-seconds under the curve. */
export function areaSeconds(curve: Curve, spanMs: number): number {
  let area = 0;
  for (const [index, { atMs, count }] of curve.entries()) {
    area += count * ((curve[index + 1]?.atMs ?? spanMs) - atMs);
  }
  return area / 1000;
}

export interface CurveDifference {
  /** Replica-seconds between both curves, whichever is above. */
  seconds: number;
  /** Largest difference, and how long it lasted in all. */
  most: number;
  mostMs: number;
  /** Longest time without a break in which they differ at all. */
  longestMs: number;
}

export function differenceOf(one: Curve, other: Curve, spanMs: number): CurveDifference {
  const moments = [...new Set([...one, ...other].map(({ atMs }) => atMs))].sort((a, b) => a - b);
  let areaMs = 0;
  let most = 0;
  let mostMs = 0;
  let longestMs = 0;
  let differsMs = 0;
  for (const [index, atMs] of moments.entries()) {
    const lengthMs = (moments[index + 1] ?? spanMs) - atMs;
    const difference = Math.abs(countAt(one, atMs) - countAt(other, atMs));
    areaMs += difference * lengthMs;
    if (difference > most) mostMs = 0;
    most = Math.max(most, difference);
    if (difference === most && most > 0) mostMs += lengthMs;
    differsMs = difference === 0 ? 0 : differsMs + lengthMs;
    longestMs = Math.max(longestMs, differsMs);
  }
  return { seconds: areaMs / 1000, most, mostMs, longestMs };
}

function countAt(curve: Curve, atMs: number): number {
  return curve.findLast((step) => step.atMs <= atMs)?.count ?? 0;
}
