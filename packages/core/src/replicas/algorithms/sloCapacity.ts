import { type JsonObject, numberOr, shortened } from './storedJson.ts';

/**
 * What a replica can do with every mark kept, learned while it works: the most that has been kept at and the least that
 * has not. It is what the slow loop divides the demand by.
 */
export interface SloCapacity {
  unit: 'requests' | 'tokens';
  /** A second and replica; null: not seen. */
  held: number | null;
  failed: number | null;
  /** Mean length of an answer; null in requests, or not seen. */
  tokensPerRequest: number | null;
  /** Requests a second, smoothed over several windows. */
  slowRequests: number | null;
  slowAtMs: number;
  /** What has been learned from lies before this. */
  learnedAtMs: number;
}

/** Beneath the least that failed, this share of it is taken to be possible until it has been seen. */
const cautiousShare = 0.8;
/** How much of the way one window moves what it contradicts: a hiccup is one window, a change is many. */
const contradictionShare = 0.3;
const lengthShare = 0.1;
/** Windows over which the demand is smoothed for what is kept: minutes, with the usual one. */
const slowWindows = 6;
/** A share of a replica over the count that is not worth one more: arrivals are never even. */
const slack = 0.1;

export function unknownCapacity(nowMs: number): SloCapacity {
  return {
    unit: 'requests',
    held: null,
    failed: null,
    tokensPerRequest: null,
    slowRequests: null,
    slowAtMs: nowMs,
    learnedAtMs: nowMs,
  };
}

/** What a replica is taken to be able to do; null until it has been seen to fail: before that its limit is anybody's guess. */
export function capacityOf({ held, failed }: SloCapacity): number | null {
  return failed === null ? null : Math.max(held ?? 0, failed * cautiousShare);
}

export interface LearnInput {
  nowMs: number;
  /** Done a second and replica over a whole window with these replicas. */
  load: number;
  /** A mark was broken in it. */
  isBroken: boolean;
}

/** One whole window at a constant count, well or badly. */
export function learn(capacity: SloCapacity, { nowMs, load, isBroken }: LearnInput): void {
  if (!(load > 0)) return;
  capacity.learnedAtMs = nowMs;
  const { held, failed } = capacity;
  if (isBroken) {
    const isContradiction = held !== null && load < held;
    const sunk = held !== null && isContradiction ? held - (held - load) * contradictionShare : held;
    capacity.held = sunk === null ? null : shortened(sunk);
    const least = failed === null ? load : Math.max(Math.min(failed, load), failed * (1 - contradictionShare));
    capacity.failed = shortened(Math.max(least, sunk ?? 0));
  } else {
    if (held === null || load > held) capacity.held = shortened(load);
    if (failed !== null && load >= failed) capacity.failed = shortened(load / cautiousShare);
  }
}

/** Follows the length of answers. Once tokens have been counted they are the unit, and what was learned in requests is left. */
export function followLength(capacity: SloCapacity, tokens: number, requests: number): void {
  if (!(tokens > 0) || !(requests > 0)) return;
  if (capacity.unit === 'requests') Object.assign(capacity, { unit: 'tokens', held: null, failed: null });
  const length = tokens / requests;
  const known = capacity.tokensPerRequest;
  capacity.tokensPerRequest = shortened(known === null ? length : known + (length - known) * lengthShare);
}

/** Demand in the capacity's unit: what callers ask for, which does not fall when it gets slow. Null: not known yet. */
function demandIn({ unit, tokensPerRequest }: SloCapacity, requests: number): number | null {
  if (unit === 'requests') return requests;
  return tokensPerRequest === null ? null : requests * tokensPerRequest;
}

/** Smooths the demand over several windows. */
export function followDemand(capacity: SloCapacity, requests: number, nowMs: number, windowMs: number): void {
  const { slowRequests, slowAtMs } = capacity;
  const share = slowRequests === null ? 1 : 1 - Math.exp(-Math.max(0, nowMs - slowAtMs) / (slowWindows * windowMs));
  capacity.slowRequests = shortened((slowRequests ?? 0) + (requests - (slowRequests ?? 0)) * share);
  capacity.slowAtMs = nowMs;
}

export interface Floor {
  /** At least as many, at once. */
  grow: number;
  /** Not fewer than this by shrinking. */
  keep: number;
  capacity: number;
  /** Of the window, and what is kept for, in the unit of the capacity. */
  demand: number;
  kept: number;
}

/**
 * Replicas that the demand needs by what one has been seen to do; null while that is not known. Independent arrivals of a
 * window scatter by the root of their number: growth is for what two such deviations do not explain, and what is kept is
 * for the demand of minutes as well.
 */
export function floorOf(capacity: SloCapacity, requests: number, windowMs: number): Floor | null {
  const each = capacityOf(capacity);
  const demand = demandIn(capacity, requests);
  if (each === null || each <= 0 || demand === null) return null;
  const certain = Math.max(0, requests - 2 * Math.sqrt(requests / Math.max(1, windowMs / 1000)));
  const kept = Math.max(requests, capacity.slowRequests ?? 0);
  const replicas = (rate: number) => Math.ceil((demandIn(capacity, rate) ?? 0) / each - slack);
  return { grow: replicas(certain), keep: replicas(kept), capacity: each, demand, kept: demandIn(capacity, kept) ?? 0 };
}

export function capacityToJson(capacity: SloCapacity): JsonObject {
  return { ...capacity };
}

export function capacityFromJson(json: JsonObject, nowMs: number): SloCapacity {
  const empty = unknownCapacity(nowMs);
  return {
    unit: json.unit === 'tokens' ? 'tokens' : 'requests',
    held: numberOr(json.held, null),
    failed: numberOr(json.failed, null),
    tokensPerRequest: numberOr(json.tokensPerRequest, null),
    slowRequests: numberOr(json.slowRequests, null),
    slowAtMs: numberOr(json.slowAtMs, empty.slowAtMs),
    learnedAtMs: numberOr(json.learnedAtMs, empty.learnedAtMs),
  };
}
