import type { Json } from '../replicas/types.ts';

/** What a workload's demand was in one closed bucket. */
export interface DemandBucket {
  startMs: number;
  /** Mean and peak demand in slots: requests that would be in service if nobody had waited. */
  mean: number;
  peak: number;
}

/** A bucket with its length, or a longer stretch without demand. It never crosses a quarter of an hour of local time. */
export interface DemandSpan extends DemandBucket {
  lengthMs: number;
}

/** A planned time of other demand: `factor` times what it would have been. */
export interface DatedEvent {
  name: string;
  startMs: number;
  endMs: number;
  factor: number;
}

export interface ForecastSettings {
  /** Length of a bucket; a quarter of an hour is a whole number of them. Default 60 000. */
  bucketMs?: number;
  /** Requests that one replica serves at a time. */
  slots: number;
  /** From ordering a replica until it can serve. */
  coldStartMs: number;
  /** Replica-seconds that one late request is worth. */
  latePriceSeconds: number;
  /** How long a request occupies a slot, on average: turns slot-seconds into requests. Default 1 000. */
  serviceMs?: number;
  /** Local time less UTC now, for hours and days as people live them. Default 0. */
  utcOffsetMs?: number;
  events?: readonly DatedEvent[];
  /** Share that following must save before a forecaster is trusted. Default 0.03. */
  leastSaving?: number;
  /** Who may be followed, where others are only scored. Default: all. */
  followed?: readonly ForecasterName[] | null;
}

/** Settings with every default in place. */
export type ResolvedSettings = Required<ForecastSettings>;

export type ForecasterName =
  | 'last-peak'
  | 'day-profile'
  | 'day-mean'
  | 'week-profile'
  | 'holt-winters'
  | 'fourier'
  | 'envelope'
  | 'dated-events';

/** One way to foresee demand. It learns from closed spans in order and remembers plain JSON. */
export interface Forecaster {
  learn(span: DemandSpan): void;
  /** Largest demand in slots expected in (fromMs, toMs]; null while it cannot tell. `fromMs` is not before what it learnt. */
  peakWithin(fromMs: number, toMs: number): number | null;
  /** The numbers behind that, for a person. */
  because(fromMs: number, toMs: number): Record<string, number>;
  toJson(): Json;
}

export interface ForecasterType {
  name: ForecasterName;
  /** It says what an operator stated: trusted until it is disproved, and silent outside of what was stated. */
  isStated: boolean;
  /** Goes on from `memory`, or starts anew where that is none of its own. */
  open(memory: Json | undefined, settings: ResolvedSettings): Forecaster;
}

/** How one forecaster did in shadow. */
export interface ForecastScore {
  name: ForecasterName | BaselineName;
  /** Decayed replica-seconds of the past week, late requests included, of following the larger of it and the reactive part. */
  costSeconds: number;
  /** Share of demand that would have met too few replicas. */
  lateShare: number;
  trusted: boolean;
  /** The cheapest forecaster; among trusted ones it is the one that is followed. */
  isBest: boolean;
}

export type BaselineName = 'reactive' | 'constant';

export interface ExpectedPeak {
  slots: number;
  forecaster: ForecasterName;
  /** 0..1: how sure it is that following it is cheaper than not. */
  confidence: number;
  because: Record<string, number>;
}
