import { type JsonObject, objectOf } from '../replicas/algorithms/storedJson.ts';
import type { Json } from '../replicas/types.ts';
import { Constant } from './constant.ts';
import { hourMs } from './numbers.ts';
import { forecasterTypes } from './registry.ts';
import { leadBuckets, Scoreboard } from './scoreboard.ts';
import { replicasFor, type Shadow } from './shadow.ts';
import type { DatedEvent, Forecaster, ForecastScore, ResolvedSettings } from './types.ts';

const contenders: readonly { name: ForecastScore['name']; isStated: boolean }[] = [
  { name: 'reactive', isStated: false },
  { name: 'constant', isStated: false },
  ...forecasterTypes.map(({ name, isStated }) => ({ name, isStated })),
];
/** Where the forecasters begin among the contenders. */
export const firstForecaster = 2;
export const contenderCount = contenders.length;

/** All that changes when a bucket closes: the forecasters, and their scores. */
export class ForecastCore {
  settings: ResolvedSettings;
  readonly forecasters: Forecaster[];
  readonly board: Scoreboard;
  readonly #constant: Constant;

  constructor(memory: Json | undefined, settings: ResolvedSettings) {
    const stored = objectOf(memory);
    const memories = objectOf(stored.forecasters);
    this.settings = settings;
    this.forecasters = forecasterTypes.map((type) => type.open(memories[type.name], settings));
    this.board = new Scoreboard(stored.board, settings, contenders);
    this.#constant = new Constant(stored.constant);
  }

  /** Whether it works as one opened with these settings would; the others may change between decisions. */
  fits({ coldStartMs, utcOffsetMs, events }: ResolvedSettings): boolean {
    const mine = this.settings;
    const isSameEvent = (event: DatedEvent, index: number): boolean => {
      const other = mine.events[index];
      return (
        other === event ||
        (event.startMs === other?.startMs && event.endMs === other.endMs && event.factor === other.factor)
      );
    };
    return (
      coldStartMs === mine.coldStartMs &&
      utcOffsetMs === mine.utcOffsetMs &&
      (events === mine.events || (events.length === mine.events.length && events.every(isSameEvent)))
    );
  }

  /**
   * Closes the shadow's bucket, or silent stretch: charges it, lets the forecasters learn it, and decides each one's
   * floor for the next span of `nextMs`, a cold start ahead of its end.
   */
  close(shadow: Shadow, nextMs: number): void {
    const { nowMs } = shadow;
    const { utcOffsetMs, bucketMs, slots } = this.settings;
    const { span, area, levels, held, short } = shadow.close();
    this.board.add(this.settings, { held, short, area, lengthMs: span.lengthMs });
    for (const forecaster of this.forecasters) forecaster.learn(span);
    this.#constant.learn(levels, span.lengthMs);
    if ((nowMs + utcOffsetMs) % hourMs === 0) {
      this.board.closeBlock(this.settings.leastSaving);
      this.#constant.choose(this.settings);
    }
    const untilMs = nowMs + nextMs + leadBuckets(this.settings) * bucketMs;
    const decide = (index: number, replicas: number): void =>
      this.board.decide(index, replicas, shadow.isRaisedBy(replicas) ? nextMs / bucketMs : 0);
    decide(1, this.#constant.replicas);
    for (const [index, forecaster] of this.forecasters.entries()) {
      const peak = forecaster.peakWithin(nowMs, untilMs) ?? 0;
      decide(firstForecaster + index, replicasFor(peak, slots));
    }
  }

  toJson(): JsonObject {
    return {
      forecasters: Object.fromEntries(
        forecasterTypes.map(({ name }, index) => [name, this.forecasters[index]?.toJson() ?? null]),
      ),
      board: this.board.toJson(),
      constant: this.#constant.toJson(),
    };
  }
}
