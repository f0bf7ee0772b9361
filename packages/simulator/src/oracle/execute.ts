import { earliest, type OnInterval } from './assignment.ts';
import type { OracleRequests } from './model.ts';

export interface Execution {
  /** Billed time, with a cold start for each replica. */
  costUs: number;
  late: number;
  replicas: number;
}

interface Level {
  intervals: readonly OnInterval[];
  /** The interval in which its slots are filled now. */
  at: number;
  freeUs: Float64Array;
  /** Used time: begin and end of each stretch without a gap longer than a cold start. */
  used: OnInterval[];
}

/**
 * Serves requests in order of arrival on replicas that are usable in the given intervals: each by the lowest level that can begin it on
 * time and end it before its replica stops. Others are late, and are served where slots are over, or at last by a replica that
 * stays on for them. What is paid is what was used: a replica begins with its first service and ends after its last one.
 */
export function execute(
  { atUs, serviceUs }: OracleRequests,
  plan: readonly (readonly OnInterval[])[],
  { slots, onTimeUs, coldStartUs, ready }: { slots: number; onTimeUs: number; coldStartUs: number; ready: number },
): Execution {
  const levels = plan.map((intervals): Level => ({ intervals, at: 0, freeUs: new Float64Array(slots), used: [] }));
  const lateOnes: number[] = [];
  let nextLate = 0;
  for (let index = 0; index < atUs.length; index++) {
    const at = atUs[index] ?? 0;
    const service = serviceUs[index] ?? 0;
    if (!levels.some((level) => place(level, at, at + onTimeUs, service, coldStartUs))) lateOnes.push(index);
    const late = lateOnes[nextLate];
    if (late === undefined || (atUs[late] ?? 0) + onTimeUs >= at) continue;
    if (levels.some((level) => isIdle(level, at) && place(level, at, at, serviceUs[late] ?? 0, coldStartUs)))
      nextLate++;
  }
  const left = lateOnes.slice(nextLate);
  if (left.length > 0) serveAtLast(levels, left, { atUs, serviceUs }, { slots, coldStartUs });
  let costUs = 0;
  let replicas = 0;
  for (const [number, { used }] of levels.entries()) {
    for (const [index, { fromUs, toUs }] of used.entries()) {
      replicas++;
      const startUs = number < ready && index === 0 ? Math.min(coldStartUs, fromUs) : coldStartUs;
      costUs += toUs - fromUs + startUs;
    }
  }
  return { costUs, late: lateOnes.length, replicas };
}

/** Puts a service on a level if it can begin from `at` until `latest`. */
function place(level: Level, at: number, latest: number, service: number, coldStartUs: number): boolean {
  const { intervals, freeUs } = level;
  while (level.at < intervals.length && (intervals[level.at]?.toUs ?? 0) < at) level.at++;
  const slot = earliest(freeUs);
  for (let one = level.at; one < intervals.length; one++) {
    const { fromUs, toUs } = intervals[one] ?? { fromUs: 0, toUs: 0 };
    const begin = Math.max(at, freeUs[slot] ?? 0, fromUs);
    if (begin > latest) return false;
    if (begin + service > toUs) continue;
    freeUs[slot] = begin + service;
    use(level, begin, begin + service, coldStartUs);
    return true;
  }
  return false;
}

/** Half of its slots are free, and it has been used before. */
function isIdle({ intervals, at, freeUs }: Level, nowUs: number): boolean {
  if ((intervals[at]?.fromUs ?? Number.POSITIVE_INFINITY) > nowUs) return false;
  let free = 0;
  for (const one of freeUs) if (one <= nowUs) free++;
  return free * 2 > freeUs.length && free > 1;
}

function use({ used }: Level, fromUs: number, toUs: number, coldStartUs: number): void {
  const last = used.at(-1);
  if (last && fromUs - last.toUs <= coldStartUs) {
    last.toUs = Math.max(last.toUs, toUs);
    last.fromUs = Math.min(last.fromUs, fromUs);
  } else used.push({ fromUs, toUs });
}

/** The replica that ends last stays on for them, or one is started where that costs less. */
function serveAtLast(
  levels: Level[],
  left: readonly number[],
  { atUs, serviceUs }: OracleRequests,
  { slots, coldStartUs }: { slots: number; coldStartUs: number },
): void {
  let last = levels[0];
  for (const level of levels) {
    if ((level.used.at(-1)?.toUs ?? -1) > (last?.used.at(-1)?.toUs ?? -1)) last = level;
  }
  if (!last) {
    last = { intervals: [], at: 0, freeUs: new Float64Array(slots), used: [] };
    levels.push(last);
  }
  // They have all come by then.
  const beginUs = Math.max(last.used.at(-1)?.toUs ?? 0, atUs[left.at(-1) ?? 0] ?? 0);
  for (const index of left) {
    const slot = earliest(last.freeUs);
    const fromUs = Math.max(beginUs, last.freeUs[slot] ?? 0);
    const toUs = fromUs + (serviceUs[index] ?? 0);
    last.freeUs[slot] = toUs;
    use(last, fromUs, toUs, coldStartUs);
  }
}
