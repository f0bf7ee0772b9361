import type { ClassObservation, FlowObservation } from '../types.ts';
import { addArrivals, arrivalsWithin, rateWindowMs } from './arrivals.ts';
import { addForBacklog } from './backlog.ts';
import type { ClassState } from './classState.ts';
import { demandNow } from './demand.ts';
import { gapBinOf, leastGapMs } from './gapBins.ts';
import { kept, lateAfter, type Level, newLevel, openFields, rememberGap, rememberMinute } from './level.ts';
import { sizeOfLevel } from './levelSizes.ts';
import { endMisses, followMisses, type MissTerms } from './misses.ts';
import { lookAtLevel, worthOfLevel } from './release.ts';
import { learnService, meanService } from './serviceTime.ts';
import type { PricedTuning } from './tuning.ts';

/** What a class is decided from, beside its memory. */
export interface ClassTerms {
  nowMs: number;
  seen: ClassObservation;
  flow: FlowObservation;
  slots: number;
  coldStartSeconds: number;
  onTimeSeconds: number;
  latePriceSeconds: number;
  /** Nobody asks for more than this. */
  mostReplicas: number;
  tuning: PricedTuning;
}

/** What the class asks for, with the numbers that led to it. */
export interface ClassAnswer {
  replicas: number;
  lookAgainAtMs: number | null;
  serviceSeconds: number;
  /** Requests that would be in service had nobody waited. */
  demand: number;
  /** Replicas that are needed now, without anything that is held or waits. */
  needed: number;
  /** Added for what waits. */
  backlog: number;
  /** Highest level that is held or started though nobody needs it now; null: none. */
  idle: IdleLevel | null;
}

export interface IdleLevel {
  /** Replicas with it. */
  replicas: number;
  idleMs: number;
  /** Started before it is needed again. */
  ahead: boolean;
  /** What a request late for it costs in all, in seconds of a replica, and the chance that it is needed within the next cold start. */
  missSeconds: number;
  returns: number;
}

/** A level that returned after this has kept away long enough to say something about the clock. */
const clockGapMs = 120_000;
/** While anything is here the next look is not later than this, so that what is touched all the time shows no gaps. */
const lookMs = 4_000;

/** One look at a class: takes what is new, says how many replicas it asks for. Changes `state`. */
export function stepClass(state: ClassState, terms: ClassTerms): ClassAnswer {
  const { nowMs, seen, flow, slots, coldStartSeconds, onTimeSeconds, tuning } = terms;
  const seconds = Math.max(0, nowMs - state.atMs) / 1000;
  state.atMs = nowMs;
  learnService(state.service, flow, seen.inFlight, seconds);
  const serviceSeconds = meanService(state.service);
  const spanMs = Math.round(1000 * Math.max(serviceSeconds, 3));
  addArrivals(state.arrivals, nowMs, flow.arrivals, Math.max(rateWindowMs, spanMs));
  const recent = arrivalsWithin(state.arrivals, nowMs, rateWindowMs);
  const demand = demandNow(seen, flow, {
    serviceSeconds,
    recent: arrivalsWithin(state.arrivals, nowMs, spanMs),
    spanSeconds: spanMs / 1000,
  });
  const calmSeconds = onTimeSeconds / 2;
  const isCalm = seen.ready > 0 && flow.oldestHeldMs <= 1000 * calmSeconds;
  // The longer a start takes, the dearer a misjudged excess.
  const shorter = Math.min(1, 60 / coldStartSeconds);
  const mayBear = (shorter * tuning.tolerance * calmSeconds) / serviceSeconds;
  const bears = isCalm ? 1 + Math.min(Math.sqrt(shorter) * tuning.mostTolerance, mayBear) : 1;
  const inSystem = seen.inFlight + seen.held;
  const missTerms: MissTerms = {
    nowMs,
    arrivals: flow.arrivals,
    seconds,
    serviceSeconds,
    coldStartSeconds,
    onTimeSeconds,
  };

  let wanted = state.replicas;
  let touched = 0;
  let needed = 0;
  if (flow.arrivals > 0 || inSystem > 0) {
    let top = state.levels.length;
    for (let number = 1; number <= Math.max(top, touched) + 1; number++) {
      const level = levelAt(state.levels, number);
      const below = sizeOfLevel(number - 1) * slots;
      const isTouched = fill(level, below, demand, bears, missTerms);
      followMisses(level, below, missTerms, tuning.drainSpeed);
      if (!isTouched) {
        if (number > top) state.levels.length = top;
        continue;
      }
      touched = number;
      top = Math.max(top, number);
      const reached = Math.min(sizeOfLevel(number), Math.max(sizeOfLevel(number - 1) + 1, Math.ceil(demand / slots)));
      touch(level, below, demand, recent / (rateWindowMs / 1000), missTerms, tuning);
      level.r = Math.max(reached, nowMs - (level.t ?? 0) < leastGapMs ? level.r : 0);
      level.t = nowMs;
      level.l = null;
      wanted = Math.max(wanted, reached);
      needed = Math.max(needed, reached);
    }
  }
  endMisses(state.levels, nowMs, coldStartSeconds, tuning);

  state.starting = seen.starting === 0 ? [] : state.starting.filter(([atMs]) => nowMs - atMs < 1000 * coldStartSeconds);
  const backlog =
    tuning.backlog === 0
      ? 0
      : addForBacklog({
          nowMs,
          held: seen.held,
          recent,
          windowSeconds: rateWindowMs / 1000,
          slots,
          serviceSeconds,
          coldStartSeconds,
          latePriceSeconds: terms.latePriceSeconds,
          mostExtra: tuning.backlog,
          ready: seen.ready,
          wanted: state.replicas,
          starting: state.starting,
        });
  wanted = Math.max(wanted, backlog > 0 ? state.replicas + backlog : 0);

  const held = holdLevels(state, terms);
  const keeps = Math.max(held.replicas, inSystem > 0 ? 1 : 0);
  // What waits is worked off before anything goes.
  let replicas = wanted > state.replicas ? Math.max(wanted, keeps) : keeps;
  if (replicas < state.replicas && seen.held > 0) replicas = state.replicas;
  replicas = Math.min(replicas, terms.mostReplicas);
  return {
    replicas,
    lookAgainAtMs: lookAgain(held.nextAtMs, inSystem, nowMs),
    serviceSeconds,
    demand,
    needed,
    backlog,
    idle: held.idle,
  };
}

/** Remembers what was decided, and how many of it are new. */
export function settleClass(state: ClassState, nowMs: number, replicas: number): void {
  if (replicas > state.replicas) state.starting.push([nowMs, replicas - state.replicas]);
  if (state.starting.length > 16) state.starting.splice(0, state.starting.length - 16);
  state.replicas = replicas;
}

function levelAt(levels: Level[], number: number): Level {
  const known = levels[number - 1];
  if (known) return known;
  const level = newLevel();
  levels.push(level);
  return level;
}

/** Whether the level is needed: demand is above what is below it, or a queue builds up there. */
function fill(level: Level, below: number, demand: number, bears: number, terms: MissTerms): boolean {
  if (below === 0) return true;
  const rate = below / terms.serviceSeconds;
  level.q = kept(Math.max(0, level.q + terms.arrivals - terms.seconds * rate));
  const most = below + (terms.onTimeSeconds / 2) * rate;
  const isTouched = level.q >= most || demand > bears * below;
  if (isTouched) level.q = kept(most);
  return isTouched;
}

/** The end of a gap: what its length says, and what it would cost to have been off. */
function touch(
  level: Level,
  below: number,
  demand: number,
  rate: number,
  { nowMs, serviceSeconds, coldStartSeconds, onTimeSeconds }: MissTerms,
  tuning: PricedTuning,
): void {
  const gapMs = level.t === null ? null : nowMs - level.t;
  if (level.p === null) {
    const exposed = 0.6 * rate * Math.max(0, coldStartSeconds - onTimeSeconds);
    const share = below === 0 || rate === 0 ? 1 : Math.max(0, 1 - below / (rate * serviceSeconds));
    level.p = kept(Math.max(1, exposed * share));
  }
  if (tuning.clockPrior > 0 && (gapMs === null || gapMs >= clockGapMs)) {
    rememberMinute(level, Math.floor(nowMs / 60_000) % 60, { soft: tuning.clockPrior, sharp: tuning.clockSharp });
  }
  if (gapMs !== null && gapMs > 2000 * coldStartSeconds) level.f = kept(level.f * tuning.memory + 1);
  if (gapMs !== null && gapMs < leastGapMs) return;
  const bin = gapMs === null ? -1 : gapBinOf(gapMs);
  if (level.o.length >= openFields * tuning.mostOpen) {
    // Not followed for itself: it is taken to have cost what such gaps do.
    if (bin >= 0) rememberGap(level, bin, lateAfter(level, bin), tuning.memory);
    return;
  }
  level.o = [...level.o, nowMs, bin, kept(Math.max(level.q, demand)), below === 0 ? 1 : 0];
}

interface Held {
  replicas: number;
  nextAtMs: number | null;
  idle: ClassAnswer['idle'];
}

/** The levels that are on though their demand is over, and those that are started before it is back. */
function holdLevels(state: ClassState, terms: ClassTerms): Held {
  const { nowMs, coldStartSeconds, tuning } = terms;
  const latePriceSeconds = tuning.missPrice * terms.latePriceSeconds;
  const held: Held = { replicas: 0, nextAtMs: null, idle: null };
  for (let number = state.levels.length; number >= 1; number--) {
    const level = state.levels[number - 1];
    if (!level || level.t === null) continue;
    const below = sizeOfLevel(number - 1);
    const size = level.r > below ? level.r : sizeOfLevel(number);
    const ageMs = nowMs - level.t;
    const wasOn = state.replicas > below;
    let on = true;
    let atMs = level.t + leastGapMs;
    if (ageMs >= leastGapMs) {
      if (!level.l || nowMs >= level.l.atMs || level.l.was !== wasOn) {
        const width = size - below;
        const look = lookAtLevel(level, wasOn, nowMs, { coldStartSeconds, latePriceSeconds, width }, tuning);
        level.l = { on: look.on, was: wasOn, atMs: look.atMs };
      }
      on = level.l.on;
      atMs = level.l.atMs;
    }
    if (on && size > held.replicas) {
      held.replicas = size;
      const width = size - below;
      held.idle =
        ageMs < leastGapMs
          ? null
          : {
              replicas: size,
              idleMs: ageMs,
              ahead: !wasOn,
              ...worthOfLevel(level, nowMs, { coldStartSeconds, latePriceSeconds, width }, tuning),
            };
    }
    if (atMs > nowMs && (held.nextAtMs === null || atMs < held.nextAtMs)) held.nextAtMs = atMs;
  }
  return held;
}

function lookAgain(nextAtMs: number | null, inSystem: number, nowMs: number): number | null {
  if (inSystem === 0) return nextAtMs;
  return Math.min(nextAtMs ?? nowMs + lookMs, nowMs + lookMs);
}
