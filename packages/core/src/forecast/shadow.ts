import { objectOf } from '../replicas/algorithms/storedJson.ts';
import type { Json } from '../replicas/types.ts';
import type { LevelTimes } from './constant.ts';
import { at, storedNumbers } from './numbers.ts';
import { Supply } from './supply.ts';
import type { DemandSpan, ResolvedSettings } from './types.ts';

/** What each contender orders by its forecast: the replicas held for it, and those of them that are started. */
export interface Floors {
  held: Float64Array;
  usable: Float64Array;
}

export interface ClosedBucket {
  span: DemandSpan;
  /** Demand × time in slot-milliseconds, and how long demand needed how many replicas. */
  area: number;
  levels: LevelTimes;
  held: Float64Array;
  short: Float64Array;
}

/** Largest demand that is taken in; more is taken as this. It bounds the memory. */
const mostSlots = 99_900;

export const replicasFor = (slots: number, perReplica: number): number =>
  Math.max(0, Math.ceil(slots / perReplica - 1e-9));

/**
 * The open bucket: demand, and in shadow what following each contender costs, from one call to the next. Contender i
 * holds max(reactive, floor i) replicas; those can serve that the reactive part has had for a cold start, or the floor
 * for as long. Demand told holds until the next call, for a bucket's length at most.
 */
export class Shadow {
  readonly #settings: ResolvedSettings;
  readonly #supply: Supply;
  /** Replica-milliseconds held and slot-milliseconds of demand above what can serve, by contender. */
  readonly held: Float64Array;
  readonly short: Float64Array;
  startMs = -1;
  nowMs = 0;
  #demand = 0;
  #demandUntilMs = 0;
  /** Until when the stand-in of a reactive part keeps what it holds; −1: a real one tells. */
  #keptUntilMs = -1;
  #seenMs = 0;
  #area = 0;
  #peak = 0;
  #levels: LevelTimes = new Map();

  constructor(memory: Json | undefined, settings: ResolvedSettings, contenders: number) {
    this.#settings = settings;
    const stored = objectOf(memory);
    const held = storedNumbers(stored.held, contenders);
    const short = storedNumbers(stored.short, contenders);
    const state = storedNumbers(stored.state, 8);
    const levels = storedNumbers(stored.levels, Array.isArray(stored.levels) ? stored.levels.length : 0);
    const isWhole = held !== null && short !== null && state !== null && levels !== null;
    this.held = isWhole ? held : new Float64Array(contenders);
    this.short = isWhole ? short : new Float64Array(contenders);
    this.#supply = new Supply(isWhole ? stored.supply : undefined, settings.coldStartMs);
    if (!isWhole) return;
    [this.startMs = -1, this.nowMs = 0, this.#demand = 0, this.#demandUntilMs = 0, this.#keptUntilMs = -1] = state;
    [this.#seenMs = 0, this.#area = 0, this.#peak = 0] = state.subarray(5);
    for (let index = 0; index + 1 < levels.length; index += 2)
      this.#levels.set(at(levels, index), at(levels, index + 1));
  }

  /** Demand from now on; `reactive` is what the reactive part holds. */
  tell(demand: number, reactive: number | undefined): void {
    const slots = Math.min(mostSlots, Math.max(0, Math.round(demand * 1_000) / 1_000));
    this.#demand = slots;
    this.#demandUntilMs = this.nowMs + this.#settings.bucketMs;
    this.#peak = Math.max(this.#peak, slots);
    if (reactive === undefined) this.#standIn(replicasFor(slots, this.#settings.slots));
    else if (reactive >= 0) {
      this.#keptUntilMs = -1;
      this.#supply.hold(this.nowMs, Math.min(mostSlots, Math.ceil(reactive)));
    }
  }

  /** Where no reactive part is told of: what demand needs, kept for a cold start longer (the break-even time). */
  #standIn(needed: number): void {
    const isKept = needed < this.#supply.held && this.nowMs < this.#keptUntilMs;
    if (isKept) return;
    this.#supply.hold(this.nowMs, needed);
    this.#keptUntilMs = this.nowMs + this.#settings.coldStartMs;
  }

  get isSilent(): boolean {
    return this.#demand === 0 || this.nowMs >= this.#demandUntilMs;
  }

  /** Brings the integrals up to `toMs`. */
  advance(toMs: number, floors: Floors): void {
    while (this.nowMs < toMs) {
      if (this.isSilent) this.#demand = 0;
      const restsAtMs = this.#rest();
      const { replicas, changesAtMs } = this.#supply.usable(this.nowMs);
      const demandEndsMs = this.#demand > 0 ? this.#demandUntilMs : Number.POSITIVE_INFINITY;
      const untilMs = Math.min(toMs, changesAtMs, demandEndsMs, restsAtMs);
      this.#integrate(untilMs - this.nowMs, replicas, floors);
      this.nowMs = untilMs;
    }
  }

  /** Sets the stand-in to 0 when demand has been gone for long enough; else tells when that will be. */
  #rest(): number {
    if (this.#keptUntilMs < 0 || this.#demand > 0 || this.#supply.held === 0) return Number.POSITIVE_INFINITY;
    if (this.nowMs < this.#keptUntilMs) return this.#keptUntilMs;
    this.#supply.hold(this.nowMs, 0);
    return Number.POSITIVE_INFINITY;
  }

  #integrate(lengthMs: number, usable: number, floors: Floors): void {
    const { slots } = this.#settings;
    for (let contender = 0; contender < this.held.length; contender += 1) {
      const held = Math.max(this.#supply.held, at(floors.held, contender));
      this.held[contender] = at(this.held, contender) + held * lengthMs;
      if (this.#demand === 0) continue;
      const excess = this.#demand - slots * Math.max(usable, at(floors.usable, contender));
      if (excess > 0) this.short[contender] = Math.round(at(this.short, contender) + excess * lengthMs);
    }
    this.#seenMs += lengthMs;
    this.#area = Math.round(this.#area + this.#demand * lengthMs);
    this.#peak = Math.max(this.#peak, this.#demand);
    const level = replicasFor(this.#demand, slots);
    this.#levels.set(level, (this.#levels.get(level) ?? 0) + lengthMs);
  }

  /** Whether contender's floor asks for more than the reactive part holds at this moment. */
  isRaisedBy(floor: number): boolean {
    return floor > this.#supply.held;
  }

  /** Ends the bucket or silent stretch at the present moment, and begins the next. */
  close(): ClosedBucket {
    const lengthMs = this.nowMs - this.startMs;
    const mean = this.#seenMs > 0 ? this.#area / this.#seenMs : 0;
    const closed = {
      span: { startMs: this.startMs, lengthMs, mean, peak: this.#peak },
      area: this.#area,
      levels: this.#levels,
      held: this.held.slice(),
      short: this.short.slice(),
    };
    this.startMs = this.nowMs;
    this.#seenMs = 0;
    this.#area = 0;
    this.#peak = 0;
    this.#levels = new Map();
    this.held.fill(0);
    this.short.fill(0);
    return closed;
  }

  toJson(): Json {
    return {
      state: [
        this.startMs,
        this.nowMs,
        this.#demand,
        this.#demandUntilMs,
        this.#keptUntilMs,
        this.#seenMs,
        this.#area,
        this.#peak,
      ],
      held: [...this.held],
      short: [...this.short],
      levels: [...this.#levels].flat(),
      supply: this.#supply.toJson(),
    };
  }
}
