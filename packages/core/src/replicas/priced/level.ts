/**
 * What is remembered of one level: of the replicas that are needed only while demand reaches so high. Names are short
 * because memory is JSON; lists are flat and never changed in place, so that a level that nothing happens to is passed
 * on as it is.
 */
export interface Level {
  /** Last touched at, ms; null: never. */
  t: number | null;
  /** Requests in a bucket that the replicas below the level would drain. */
  q: number;
  /** Replicas that were reached within the level. */
  r: number;
  /** Late requests of all misses, and misses; decayed. */
  s: number;
  c: number;
  /** Late requests that the first miss was taken to cost; null: not yet. */
  p: number | null;
  /** Sum of the weights in `h`. */
  n: number;
  /** Gaps longer than two cold starts; decayed. */
  f: number;
  /** How well two views of the clock foretold the minutes: sums of logarithms against "any minute"; decayed. */
  k: readonly [soft: number, sharp: number];
  /** On until its next look, was it on then, and when that is; null: it must be looked at. */
  l: Verdict | null;
  /** Misses that are followed: `at ms, bin of the gap or -1, queue if the level were off, late requests`, oldest first. */
  o: readonly number[];
  /** Gaps: `bin, weight, late requests`. */
  g: readonly number[];
  /** Returns by minute of the hour: `minute, weight`. */
  h: readonly number[];
}

export interface Verdict {
  on: boolean;
  was: boolean;
  atMs: number;
}

/** Numbers in each entry of `o`, `g` and `h`. */
export const openFields = 4;
export const gapFields = 3;
export const minuteFields = 2;

const nothing: readonly number[] = [];
const unclocked: readonly [number, number] = [0, 0];

export function newLevel(): Level {
  return {
    t: null,
    q: 0,
    r: 0,
    s: 0,
    c: 0,
    p: null,
    n: 0,
    f: 0,
    k: unclocked,
    l: null,
    o: nothing,
    g: nothing,
    h: nothing,
  };
}

/** Numbers are kept to a thousandth: far finer than anything that is decided by them. */
export const kept = (value: number): number => Math.round(value * 1000) / 1000;

/** Below this a decayed weight is nothing. */
const leastWeight = 0.02;
/** Bins that are kept for a level, so that memory has a bound: the lightest goes first. */
const mostBins = 30;
const clockDecay = 0.99;
const scoreDecay = 0.97;
const anyPrior = 0.4;
const softPrior = 0.4;
const sharpPrior = 0.2;

/** A gap of this bin ended, and being off would have cost so many late requests. */
export function rememberGap(level: Level, bin: number, late: number, decay: number): void {
  const gaps: number[] = [];
  let isKnown = false;
  for (let at = 0; at < level.g.length; at += gapFields) {
    const known = level.g[at] as number;
    const isIt = known === bin;
    isKnown ||= isIt;
    const weight = (level.g[at + 1] as number) * decay + (isIt ? 1 : 0);
    if (weight < leastWeight) continue;
    gaps.push(known, kept(weight), kept((level.g[at + 2] as number) * decay + (isIt ? late : 0)));
  }
  if (!isKnown) {
    if (gaps.length >= gapFields * mostBins) dropLightest(gaps);
    gaps.push(bin, 1, kept(late));
  }
  level.g = gaps;
}

/** It came back after a while, in this minute of the hour. */
export function rememberMinute(level: Level, minute: number, priors: ClockPriors): void {
  const [soft, sharp] = level.k;
  // Told before it is learned, so that a view cannot praise itself for what it has just seen.
  level.k = [
    kept(soft * scoreDecay + Math.log(minuteFactor(level, minute, priors.soft))),
    kept(sharp * scoreDecay + Math.log(minuteFactor(level, minute, priors.sharp))),
  ];
  const minutes: number[] = [];
  let isKnown = false;
  for (let at = 0; at < level.h.length; at += minuteFields) {
    const known = level.h[at] as number;
    const isIt = known === minute;
    isKnown ||= isIt;
    const weight = (level.h[at + 1] as number) * clockDecay + (isIt ? 1 : 0);
    if (weight >= leastWeight) minutes.push(known, kept(weight));
  }
  if (!isKnown) minutes.push(minute, 1);
  level.h = minutes;
  level.n = kept(level.n * clockDecay + 1);
}

/** Weights of "any minute is as good" against the minutes seen, of a cautious view and of a bold one. */
export interface ClockPriors {
  soft: number;
  sharp: number;
}

/** How much likelier a return is in this minute of the hour than in the mean; 1 where nothing is known. */
export function minuteFactor({ h, n }: Level, minute: number, prior: number): number {
  let near = 0;
  for (let at = 0; at < h.length; at += minuteFields) {
    const apart = Math.abs((h[at] as number) - minute);
    if (apart === 0) near += 0.5 * (h[at + 1] as number);
    else if (apart === 1 || apart === 59) near += 0.25 * (h[at + 1] as number);
  }
  return (60 * near + prior) / (n + prior);
}

/** Shares of trust in "any minute", the cautious and the bold view of the clock, by how well they foretold. */
export function clockTrust({ k }: Level): readonly [any: number, soft: number, sharp: number] {
  const [soft, sharp] = k;
  const best = Math.max(0, soft, sharp);
  const weights = [anyPrior * Math.exp(-best), softPrior * Math.exp(soft - best), sharpPrior * Math.exp(sharp - best)];
  const [any = 0, cautious = 0, bold = 0] = weights;
  const sum = any + cautious + bold;
  return [any / sum, cautious / sum, bold / sum];
}

function dropLightest(gaps: number[]): void {
  let lightest = 0;
  for (let at = gapFields; at < gaps.length; at += gapFields) {
    if ((gaps[at + 1] as number) < (gaps[lightest + 1] as number)) lightest = at;
  }
  gaps.splice(lightest, gapFields);
}

/** Late requests that a miss costs in the mean of all that were seen, the prior among them. */
export function meanLate({ s, c, p }: Level): number {
  return (s + (p ?? 1)) / (c + 1);
}

/** Late requests that a miss after a gap of this bin costs. */
export function lateAfter(level: Level, bin: number): number {
  for (let at = 0; at < level.g.length; at += gapFields) {
    if (level.g[at] !== bin) continue;
    return ((level.g[at + 2] as number) + meanLate(level)) / ((level.g[at + 1] as number) + 1);
  }
  return meanLate(level);
}
