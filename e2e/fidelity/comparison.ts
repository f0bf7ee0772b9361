import { areaSeconds, type Curve, curveOf, differenceOf } from './curve.ts';
import type { Load } from './load.ts';
import type { LiveRun } from './recording.ts';
import { onTimeMs, type Rehearsal } from './rehearsal.ts';

/** How far a number of the rehearsal may be from the live one: a part that does not depend on it and a share of it. */
interface Bound {
  plus: number;
  share: number;
}

export interface Bounds {
  /** Area between the curves as a share of the live area. */
  betweenShare: number;
  /** Longest time without a break in which the curves differ. */
  apartMs: number;
  replicaSeconds: Bound;
  coldStarts: Bound;
  waitP50: Bound;
  waitTail: Bound;
  onTimeShare: Bound;
}

/**
 * Argued in docs/fidelity.md: live numbers of a loaded machine differ from run to run by about half of these. A wrong cold start,
 * another number of slots, or a keep-alive that is not kept is beyond them; the tests beside this file make sure of it.
 */
const usualBounds: Bounds = {
  betweenShare: 0.2,
  // One look at moving means, which is taken once a second, and the difference of two starts.
  apartMs: 3000,
  replicaSeconds: { plus: 2, share: 0.1 },
  coldStarts: { plus: 2, share: 0.1 },
  // Half of all requests wait and half do not, so the median stands on a steep slope.
  waitP50: { plus: 150, share: 0.1 },
  waitTail: { plus: 250, share: 0.15 },
  onTimeShare: { plus: 0.08, share: 0 },
};

/** Knative's tick of 2 s cannot be shortened: a panic that begins a tick apart keeps its count for a stable window of 6 s. */
const boundsOf: Readonly<Record<string, Bounds>> = {
  knative: { ...usualBounds, betweenShare: 0.3, apartMs: 9000 },
};

export interface Row {
  name: string;
  unit: '' | 's' | 'ms' | '%';
  /** Null: the number is of both together. */
  live: number | null;
  rehearsal: number | null;
  difference: number;
  /** Null: shown and not bound. */
  mostDifference: number | null;
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
  const bounds = boundsOf[live.policy] ?? usualBounds;
  return {
    policy: live.policy,
    curves,
    rows: [
      row(
        'replica-seconds paid',
        's',
        areaSeconds(curves.live.billed, spanMs),
        areaSeconds(curves.rehearsal.billed, spanMs),
        bounds.replicaSeconds,
      ),
      row('cold starts', '', begun(live), begun(rehearsal), bounds.coldStarts),
      row('wait p50', 'ms', wait(0.5), p50, bounds.waitP50),
      row('wait p95', 'ms', wait(0.95), p95, bounds.waitTail),
      row('wait p99', 'ms', wait(0.99), p99, bounds.waitTail),
      row(`on time (${onTimeMs} ms)`, '%', onTime, rehearsal.onTimeShare, bounds.onTimeShare),
      ...curveRows(curves, spanMs, bounds),
    ],
  };
}

function row(name: string, unit: Row['unit'], live: number, rehearsal: number, { plus, share }: Bound): Row {
  const difference = rehearsal - live;
  const mostDifference = plus + share * Math.abs(live);
  return { name, unit, live, rehearsal, difference, mostDifference, isWithin: Math.abs(difference) <= mostDifference };
}

function curveRows({ live, rehearsal }: Comparison['curves'], spanMs: number, bounds: Bounds): Row[] {
  const share = (curve: keyof CurvePair) => {
    const { seconds } = differenceOf(live[curve], rehearsal[curve], spanMs);
    return seconds / Math.max(1, areaSeconds(live[curve], spanMs));
  };
  const { most, mostMs, longestMs } = differenceOf(live.ready, rehearsal.ready, spanMs);
  return [
    between('between the curves, paid', '%', share('billed'), bounds.betweenShare),
    between('between the curves, usable', '%', share('ready'), bounds.betweenShare),
    between('usable replicas: longest apart', 'ms', longestMs, bounds.apartMs),
    between('usable replicas: furthest apart', '', most, null),
    between('usable replicas: as far apart for', 'ms', mostMs, null),
  ];
}

function between(name: string, unit: Row['unit'], difference: number, mostDifference: number | null): Row {
  const isWithin = mostDifference === null || difference <= mostDifference;
  return { name, unit, live: null, rehearsal: null, difference, mostDifference, isWithin };
}

/** The smallest value that this share of all values does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
