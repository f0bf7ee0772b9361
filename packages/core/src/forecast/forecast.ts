import { type JsonObject, objectOf } from '../replicas/algorithms/storedJson.ts';
import type { Json } from '../replicas/types.ts';
import { contenderCount, firstForecaster, ForecastCore } from './core.ts';
import { hourMs, quarterMs } from './numbers.ts';
import { forecasterTypes } from './registry.ts';
import { resolveSettings } from './settings.ts';
import { type Floors, Shadow } from './shadow.ts';
import { confidenceOf } from './trust.ts';
import type { ExpectedPeak, ForecastScore, ForecastSettings, ResolvedSettings } from './types.ts';

const version = 1;
/** After so long without demand everything is forgotten: two weeks, the longest season twice. */
const forgottenMs = 336 * hourMs;

/**
 * Cores by the memory they were written to, so that the next decision need not decode four kilobytes, and who took a
 * core last: only that one may change it, and then it is no longer that memory's. Answers never depend on what is here.
 */
const decoded = new WeakMap<object, ForecastCore>();
const owners = new WeakMap<ForecastCore, Forecast>();

/**
 * Opens the forecasters of one workload on what they remember; null, or a memory of another version or bucket length,
 * begins anew. Throws a RangeError for settings that cannot be.
 */
export function openForecast(memory: Json | null, settings: ForecastSettings): Forecast {
  return new Forecast(memory, resolveSettings(settings));
}

/** Forecasters of a workload's demand, scored online in shadow. See README.md. */
export class Forecast {
  readonly #settings: ResolvedSettings;
  #shadow: Shadow;
  #core: ForecastCore;
  /** The core as JSON, while nothing has changed in it. */
  #stored: JsonObject | null;

  constructor(memory: Json | null, settings: ResolvedSettings) {
    const root = objectOf(memory ?? undefined);
    const core = objectOf(root.core);
    const isOurs = root.version === version && root.bucketMs === settings.bucketMs && core.board !== undefined;
    this.#settings = settings;
    this.#stored = isOurs ? core : null;
    this.#shadow = new Shadow(isOurs ? root.now : undefined, settings, contenderCount);
    this.#core = this.#take();
  }

  /** The core of what is stored, as this forecast's own. */
  #take(): ForecastCore {
    const cached = this.#stored && decoded.get(this.#stored);
    const core = cached?.fits(this.#settings) ? cached : new ForecastCore(this.#stored ?? undefined, this.#settings);
    core.settings = this.#settings;
    owners.set(core, this);
    if (this.#stored) decoded.set(this.#stored, core);
    return core;
  }

  /**
   * Takes in demand from now on: requests that would be in service if nobody had waited. Closes buckets that are over.
   * Demand holds until the next call, for one bucket at most: longer gaps were without demand. `reactiveReplicas` is
   * what the reactive part alone would hold now, without any forecast; it holds until it is told anew. Time never steps
   * back, and demand that is no number changes nothing but the time.
   */
  observe(nowMs: number, demandSlots: number, reactiveReplicas?: number): void {
    if (!Number.isFinite(nowMs) || nowMs < 0) return;
    this.#advance(Math.floor(nowMs));
    if (demandSlots >= 0) this.#shadow.tell(demandSlots, reactiveReplicas);
  }

  #advance(nowMs: number): void {
    const shadow = this.#shadow;
    const { bucketMs } = this.#settings;
    if (shadow.startMs < 0) {
      shadow.startMs = Math.floor(nowMs / bucketMs) * bucketMs;
      shadow.nowMs = nowMs;
    }
    if (nowMs - shadow.nowMs > forgottenMs) return this.#forget(nowMs);
    for (let endMs = this.#spanEndMs(nowMs); endMs <= nowMs; ) {
      shadow.advance(endMs, this.#floors);
      const nextEndMs = this.#spanEndMs(nowMs, endMs);
      this.#changeable.close(shadow, nextEndMs - endMs);
      endMs = nextEndMs;
    }
    shadow.advance(nowMs, this.#floors);
  }

  /** End of a bucket, or of a quarter of an hour of silence that is over: weeks of silence are few steps. */
  #spanEndMs(nowMs: number, startMs = this.#shadow.startMs): number {
    const { isSilent, nowMs: reachedMs } = this.#shadow;
    const isQuarter = (startMs + this.#settings.utcOffsetMs) % quarterMs === 0 && reachedMs === startMs;
    return isQuarter && isSilent && startMs + quarterMs <= nowMs
      ? startMs + quarterMs
      : startMs + this.#settings.bucketMs;
  }

  #forget(nowMs: number): void {
    const { bucketMs } = this.#settings;
    this.#stored = null;
    this.#core = this.#take();
    this.#shadow = new Shadow(undefined, this.#settings, contenderCount);
    this.#shadow.startMs = Math.floor(nowMs / bucketMs) * bucketMs;
    this.#shadow.nowMs = nowMs;
  }

  /** The core to read from; another forecast may have gone on with the one that was opened here. */
  get #readable(): ForecastCore {
    if (this.#stored && decoded.get(this.#stored) !== this.#core) this.#core = this.#take();
    return this.#core;
  }

  get #floors(): Floors {
    return this.#readable.board.floors;
  }

  /** The core to change: from here on it is not what is stored. */
  get #changeable(): ForecastCore {
    if (this.#stored && (decoded.get(this.#stored) !== this.#core || owners.get(this.#core) !== this)) {
      decoded.delete(this.#stored);
      this.#core = this.#take();
    }
    if (this.#stored) decoded.delete(this.#stored);
    this.#stored = null;
    return this.#core;
  }

  /**
   * The largest demand in slots that is expected in (nowMs, nowMs + horizonMs], by the cheapest forecaster that is
   * trusted, or by a dated event if that says more; null where none is trusted, or can tell. Observe first, so that
   * nothing is left to learn before `nowMs`. It is a floor's business: a forecast may raise what is held, never lower it.
   */
  expectedPeak(nowMs: number, horizonMs: number): ExpectedPeak | null {
    const { board, forecasters } = this.#readable;
    const { followed } = this.#settings;
    let best: { index: number; slots: number } | null = null;
    let bestCost = Number.POSITIVE_INFINITY;
    let stated: { index: number; slots: number } | null = null;
    for (const [index, forecaster] of forecasters.entries()) {
      const { isTrusted, isStated, costWeek } = board.evidence(firstForecaster + index);
      const name = forecasterTypes[index]?.name;
      if (!isTrusted || !name || (followed && !followed.includes(name))) continue;
      if (!isStated && costWeek >= bestCost) continue;
      const slots = forecaster.peakWithin(nowMs, nowMs + horizonMs);
      if (slots === null) continue;
      if (isStated) stated = { index, slots };
      else {
        best = { index, slots };
        bestCost = costWeek;
      }
    }
    const chosen = stated && stated.slots > (best?.slots ?? 0) ? stated : best;
    return chosen && this.#explain(chosen, nowMs, horizonMs);
  }

  #explain({ index, slots }: { index: number; slots: number }, nowMs: number, horizonMs: number): ExpectedPeak | null {
    const { board, forecasters } = this.#core;
    const type = forecasterTypes[index];
    const forecaster = forecasters[index];
    if (!type || !forecaster) return null;
    const evidence = board.evidence(firstForecaster + index);
    return {
      slots,
      forecaster: type.name,
      confidence: confidenceOf(evidence),
      because: {
        ...forecaster.because(nowMs, nowMs + horizonMs),
        costSeconds: evidence.costWeek,
        reactiveCostSeconds: evidence.reactiveWeek,
        constantCostSeconds: evidence.constantWeek,
        raises: evidence.raises,
      },
    };
  }

  /** How every forecaster did in shadow over about a week, and the two references: the reactive part and a constant. */
  scores(): ForecastScore[] {
    const { board } = this.#readable;
    const hasEvents = this.#settings.events.length > 0;
    const rows = board.contenders
      .map(({ name }, index) => ({ name, ...board.evidence(index) }))
      .filter((row) => hasEvents || !row.isStated);
    const candidates = rows.slice(firstForecaster).filter((row) => !row.isStated);
    const trusted = candidates.filter((row) => row.isTrusted);
    const [best] = (trusted.length > 0 ? trusted : candidates).toSorted((a, b) => a.costWeek - b.costWeek);
    return rows.map((row) => ({
      name: row.name,
      costSeconds: row.costWeek,
      lateShare: row.lateShare,
      trusted: row.isTrusted,
      isBest: row === best,
    }));
  }

  /** Plain JSON of at most 6 KB. The part that changes with buckets only is the same object until one closes. */
  toMemory(): Json {
    if (this.#stored === null) {
      this.#stored = this.#core.toJson();
      decoded.set(this.#stored, this.#core);
    }
    const core = this.#stored;
    return { version, bucketMs: this.#settings.bucketMs, core, now: this.#shadow.toJson() };
  }
}
