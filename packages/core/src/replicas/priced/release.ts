import { decayed } from './decay.ts';
import { edgeMs, gapBinCount, gapBinOf } from './gapBins.ts';
import { clockTrust, gapFields, lateAfter, type Level, minuteFactor } from './level.ts';
import type { PricedTuning } from './tuning.ts';

/** What a level costs and what its absence costs, in seconds of one replica. */
export interface ReleaseTerms {
  coldStartSeconds: number;
  /** Of a late request. */
  latePriceSeconds: number;
  /** Replicas of the level. */
  width: number;
}

const minuteMs = 60_000;
/** The clock is looked at from so many returns on, and this far ahead. */
const leastReturns = 3;
const steps = 120;
const longestStepMs = 30_000;

// Working columns of one call; nothing in them outlives it.
const hazard = new Float64Array(gapBinCount);
const missPrice = new Float64Array(gapBinCount);
const costOn = new Float64Array(gapBinCount + 1);
const costOff = new Float64Array(gapBinCount + 1);
const bins = {
  keep: new Uint8Array(gapBinCount),
  start: new Uint8Array(gapBinCount),
};
const alive = new Float64Array(steps + 1);
const missed = new Float64Array(steps + 1);
const chance = new Float64Array(steps);
const price = new Float64Array(steps);
const stepOn = new Float64Array(steps + 1);
const stepOff = new Float64Array(steps + 1);

export interface Look {
  on: boolean;
  /** When to look again. */
  atMs: number;
}

/**
 * Whether a level that nobody needs is better on or off, by the cheapest of all ways to go on: keep it, let it go and
 * pay the miss when demand returns, or start it a cold start ahead of an expected return. A backward induction over the
 * length of the gap, with the hazard of a return and the price of a miss learned for each length; where returns keep to
 * minutes of the hour, over the next minutes of the clock as well.
 */
export function lookAtLevel(
  level: Level,
  isOn: boolean,
  nowMs: number,
  terms: ReleaseTerms,
  tuning: PricedTuning,
): Look {
  const ageMs = nowMs - (level.t ?? nowMs);
  valueGaps(level, terms, tuning);
  const bin = gapBinOf(ageMs);
  const nextEdgeMs = (level.t ?? nowMs) + edgeMs(bin + 1);
  if (tuning.clockPrior === 0 || level.n < leastReturns) {
    const on = isOn ? bins.keep[bin] === 1 : bins.start[bin] === 1;
    return { on, atMs: bin === gapBinCount - 1 ? nowMs + minuteMs * 60 : nextEdgeMs };
  }
  return lookAtClock(level, isOn, nowMs, ageMs, terms, tuning);
}

/** For a person: what a miss costs now, seconds of a replica, and how likely the level is needed within a cold start. */
export function worthOfLevel(
  level: Level,
  nowMs: number,
  terms: ReleaseTerms,
  tuning: PricedTuning,
): { missSeconds: number; returns: number } {
  const ageMs = nowMs - (level.t ?? nowMs);
  learnHazards(level, tuning);
  let survives = 1;
  let left = terms.coldStartSeconds;
  let bin = gapBinOf(ageMs);
  for (; left > 0 && bin < gapBinCount; bin++) {
    const length = (edgeMs(bin + 1) - edgeMs(bin)) / 1000;
    survives *= 1 - (hazard[bin] as number) * Math.min(1, left / length);
    left -= length;
  }
  return {
    missSeconds: Math.round(priceOfMiss(level, gapBinOf(ageMs), terms)),
    returns: Math.round(1000 * (1 - survives)) / 1000,
  };
}

/** Price of a miss after a gap of this length, in seconds of a replica. */
function priceOfMiss(level: Level, bin: number, { coldStartSeconds, latePriceSeconds, width }: ReleaseTerms): number {
  return width * coldStartSeconds + latePriceSeconds * lateAfter(level, bin);
}

/** Chance that demand is back within the bin, if it was not before; for each bin. */
function learnHazards(level: Level, tuning: PricedTuning): void {
  let evidence = 0;
  for (let at = 1; at < level.g.length; at += gapFields) evidence += level.g[at] as number;
  const share = tuning.mostEvidence / Math.max(tuning.mostEvidence, evidence);
  hazard.fill(tuning.priorGaps / gapBinCount);
  for (let at = 0; at < level.g.length; at += gapFields) {
    const bin = level.g[at] as number;
    hazard[bin] = (hazard[bin] as number) + (level.g[at + 1] as number) * share;
  }
  let tail = 0;
  for (let bin = gapBinCount - 1; bin >= 0; bin--) {
    tail += hazard[bin] as number;
    hazard[bin] = (hazard[bin] as number) / tail;
  }
}

function valueGaps(level: Level, terms: ReleaseTerms, tuning: PricedTuning): void {
  const { coldStartSeconds, latePriceSeconds, width } = terms;
  learnHazards(level, tuning);
  const usual = lateAfter(level, -1);
  missPrice.fill(width * coldStartSeconds + latePriceSeconds * usual);
  for (let at = 0; at < level.g.length; at += gapFields) {
    const bin = level.g[at] as number;
    missPrice[bin] = priceOfMiss(level, bin, terms);
  }
  const mayStart = tuning.leastLongGaps > 0 && level.f >= tuning.leastLongGaps;
  costOn[gapBinCount] = 0;
  costOff[gapBinCount] = 0;
  for (let bin = gapBinCount - 1; bin >= 0; bin--) {
    const seconds = (edgeMs(bin + 1) - edgeMs(bin)) / 1000;
    const returns = hazard[bin] as number;
    const miss = missPrice[bin] as number;
    const wait = returns * miss + (1 - returns) * (costOff[bin + 1] as number);
    const stay = width * seconds * (1 - returns / 2) + (1 - returns) * (costOn[bin + 1] as number);
    const go = mayStart ? costOfStart(bin, terms, tuning) : Number.POSITIVE_INFINITY;
    const off = Math.min(wait, go);
    costOff[bin] = off;
    costOn[bin] = Math.min(stay, off);
    bins.keep[bin] = stay < off ? 1 : 0;
    bins.start[bin] = go < wait ? 1 : 0;
  }
}

/** A start at the begin of the bin: paid, too late for what returns meanwhile, then on for the rest of the bin it ends in. */
function costOfStart(from: number, { coldStartSeconds, width }: ReleaseTerms, tuning: PricedTuning): number {
  let left = coldStartSeconds;
  let survives = 1;
  let missing = 0;
  let bin = from;
  let rest = 1;
  while (left > 0 && bin < gapBinCount) {
    const length = (edgeMs(bin + 1) - edgeMs(bin)) / 1000;
    const part = Math.min(1, left / length);
    const returns = (hazard[bin] as number) * part;
    missing += survives * returns * tuning.halfMiss * (missPrice[bin] as number);
    survives *= 1 - returns;
    left -= length;
    rest = 1 - part;
    if (left >= 0) bin++;
  }
  let then = 0;
  if (bin < gapBinCount) {
    const length = (edgeMs(bin + 1) - edgeMs(bin)) / 1000;
    const full = hazard[bin] as number;
    const returns = (full * rest) / Math.max(1e-9, 1 - full * (1 - rest));
    const stay = width * length * rest * (1 - returns / 2) + (1 - returns) * (costOn[bin + 1] as number);
    then = bin === from ? stay : Math.min(stay, costOn[bin] as number);
  }
  return width * coldStartSeconds + missing + survives * then;
}

/** The same over the next steps of the clock, with the gaps' values at their end. */
function lookAtClock(
  level: Level,
  isOn: boolean,
  nowMs: number,
  ageMs: number,
  { coldStartSeconds, width }: ReleaseTerms,
  tuning: PricedTuning,
): Look {
  const stepMs = Math.min(longestStepMs, Math.max(1000, Math.round(500 * coldStartSeconds)));
  const seconds = stepMs / 1000;
  const ahead = Math.max(1, Math.round(coldStartSeconds / seconds));
  const trust = clockTrust(level);
  let factor = 1;
  let minuteBefore = -1;
  alive[0] = 1;
  missed[0] = 0;
  for (let step = 0; step < steps; step++) {
    const middleMs = (step + 0.5) * stepMs;
    const bin = gapBinOf(ageMs + middleMs);
    const length = (edgeMs(bin + 1) - edgeMs(bin)) / 1000;
    const returns = hazard[bin] as number;
    const rate = returns / (length * Math.max(0.02, 1 - returns / 2));
    const minute = Math.floor((nowMs + middleMs) / minuteMs) % 60;
    if (minute !== minuteBefore) {
      minuteBefore = minute;
      factor =
        trust[0] +
        trust[1] * minuteFactor(level, minute, tuning.clockPrior) +
        trust[2] * minuteFactor(level, minute, tuning.clockSharp);
    }
    const likely = rate * seconds * factor;
    const within = 1 - decayed(likely);
    chance[step] = within;
    price[step] = missPrice[bin] as number;
    const before = alive[step] as number;
    alive[step + 1] = before * (1 - within);
    missed[step + 1] = (missed[step] as number) + before * within * tuning.halfMiss * (price[step] as number);
  }
  const last = gapBinOf(ageMs + steps * stepMs);
  stepOn[steps] = costOn[last] as number;
  stepOff[steps] = costOff[last] as number;
  const mayStart = tuning.leastLongGaps > 0 && level.f >= tuning.leastLongGaps;
  let keep = false;
  let start = false;
  for (let step = steps - 1; step >= 0; step--) {
    const within = chance[step] as number;
    const wait = within * (price[step] as number) + (1 - within) * (stepOff[step + 1] as number);
    const stay = width * seconds * (1 - within / 2) + (1 - within) * (stepOn[step + 1] as number);
    let go = Number.POSITIVE_INFINITY;
    if (mayStart && step + ahead <= steps) {
      const now = alive[step] as number;
      const then = alive[step + ahead] as number;
      const lost = ((missed[step + ahead] as number) - (missed[step] as number)) / now;
      go = width * coldStartSeconds + lost + (then / now) * (stepOn[step + ahead] as number);
    }
    const off = Math.min(wait, go);
    stepOff[step] = off;
    stepOn[step] = Math.min(stay, off);
    keep = stay <= off;
    start = go < wait;
  }
  return { on: isOn ? keep : start, atMs: nowMs + stepMs };
}
