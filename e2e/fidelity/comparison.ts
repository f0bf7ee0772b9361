import { areaSeconds, type Curve, curveOf, differenceOf } from './curve.ts';
import type { Load } from './load.ts';
import type { LiveRun } from './recording.ts';
import { onTimeMs, type Rehearsal } from './rehearsal.ts';

/** How far a number of the rehearsal may be from the live one: a part that does not depend on it and a share of it. */
interface Bound {
  plus: number;
  share: number;
}

/**
 * Argued in docs/fidelity.md. Live numbers of a loaded machine differ from run to run by about half of these; a rehearsal
 * with half or twice the cold start, without keep-alive or with another number of slots is beyond several of them.
 */
export const bounds = {
  /** Curves: area between them as a share of the live area. */
  betweenShare: 0.2,
  /** Longest time without a break in which the curves differ: a decision that was taken a look later, and a cold start. */
  apartMs: 3000,
  replicaSeconds: { plus: 2, share: 0.1 },
  coldStarts: { plus: 2, share: 0.1 },
  waitP50: { plus: 50, share: 0.1 },
  waitTail: { plus: 250, share: 0.15 },
  onTimeShare: { plus: 0.05, share: 0 },
} satisfies Record<string, Bound | number>;

export interface Row {
  name: string;
  unit: '' | 's' | 'ms' | '%';
  /** Null: the number is of both together. */
  live: number | null;
  rehearsal: number | null;
  difference: number;
  mostDifference: number;
  isWithin: boolean;
}

export interface Comparison {
  policy: string;
  rows: Row[];
  /** Replicas over time, ms from the beginning of the load. */
  curves: { live: CurvePair; rehearsal: CurvePair };
}

export interface CurvePair {
  /** Asked for and not yet stopped. */
  billed: Curve;
  ready: Curve;
}

/** Every number of a live run beside that of its rehearsal, and whether they are near enough. */
export function compareRun({ spanMs, requests }: Load, live: LiveRun, rehearsal: Rehearsal): Comparison {
  const pair = ({ lives }: LiveRun | Rehearsal): CurvePair => ({
    billed: curveOf(lives, 'askedMs', spanMs),
    ready: curveOf(lives, 'readyMs', spanMs),
  });
  const curves = { live: pair(live), rehearsal: pair(rehearsal) };
  const begun = ({ lives }: LiveRun | Rehearsal) => lives.filter(({ askedMs }) => askedMs >= 0).length;
  const onTime = live.waitsMs.filter((ms) => ms <= onTimeMs).length / requests.length;
  const wait = (share: number) => quantile(live.waitsMs, share);
  const { p50, p95, p99 } = rehearsal.waitMs;
  const both = (name: string, unit: Row['unit'], of: number, other: number, bound: Bound) =>
    row(name, unit, of, other, bound);
  return {
    policy: live.policy,
    curves,
    rows: [
      both(
        'replica-seconds paid',
        's',
        areaSeconds(curves.live.billed, spanMs),
        areaSeconds(curves.rehearsal.billed, spanMs),
        bounds.replicaSeconds,
      ),
      both('cold starts', '', begun(live), begun(rehearsal), bounds.coldStarts),
      both('wait p50', 'ms', wait(0.5), p50, bounds.waitP50),
      both('wait p95', 'ms', wait(0.95), p95, bounds.waitTail),
      both('wait p99', 'ms', wait(0.99), p99, bounds.waitTail),
      both(`on time (${onTimeMs} ms)`, '%', onTime, rehearsal.onTimeShare, bounds.onTimeShare),
      ...curveRows('paid', curves.live.billed, curves.rehearsal.billed, spanMs),
      ...curveRows('usable', curves.live.ready, curves.rehearsal.ready, spanMs),
    ],
  };
}

function row(name: string, unit: Row['unit'], live: number, rehearsal: number, { plus, share }: Bound): Row {
  const difference = rehearsal - live;
  const mostDifference = plus + share * Math.abs(live);
  return { name, unit, live, rehearsal, difference, mostDifference, isWithin: Math.abs(difference) <= mostDifference };
}

function curveRows(name: string, live: Curve, rehearsal: Curve, spanMs: number): Row[] {
  const { seconds, most, longestMs } = differenceOf(live, rehearsal, spanMs);
  const share = seconds / Math.max(1, areaSeconds(live, spanMs));
  const between = { live: null, rehearsal: null };
  return [
    {
      ...between,
      name: `${name}: between the curves`,
      unit: '%',
      difference: share,
      mostDifference: bounds.betweenShare,
      isWithin: share <= bounds.betweenShare,
    },
    {
      ...between,
      name: `${name}: apart, by up to ${most}, for`,
      unit: 'ms',
      difference: longestMs,
      mostDifference: bounds.apartMs,
      isWithin: longestMs <= bounds.apartMs,
    },
  ];
}

/** The smallest value that this share of all values does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
