import type { ApplyInput } from '@ebb/engine';
import type { CompareOptions, TraceToCompare } from '../compare/options.ts';
import type { PolicyBase } from '../compare/policies.ts';
import type { WorldModel } from '../contract/model.ts';
import type { RunResult } from '../contract/result.ts';
import type { Spread } from './blocks.ts';
import type { LoadFacts } from './facts.ts';

/** Saving less than this share of the cost is nothing: it is not worth a cold start, nor another class. */
export const leastGain = 0.02;

export interface AdviseOptions
  extends Pick<CompareOptions, 'startReplicas' | 'threads' | 'worldModule' | 'onProgress' | 'signal'> {
  trace: TraceToCompare;
  /** What the candidates are made from. */
  base: PolicyBase;
  /** The documents as they are; null: there are none to compare with. */
  present: readonly ApplyInput[] | null;
  model: WorldModel;
  seed: number;
  /** Micro-units of the currency for an hour of one replica; null: as the documents have it. */
  price?: number | null;
  /** The classes of the Workload, each by itself; the advice says which to use. Left out, or only one: there is no choice. */
  classes?: readonly AdvisedClass[];
}

/** A class as if there were no other. */
export interface AdvisedClass {
  name: string;
  /** The Workload with this class only. */
  base: PolicyBase;
  /** The world with the class's own lengths of service and start. */
  model: WorldModel;
  /** 0: none is known. */
  pricePerHourMicro: number;
  /** Whether it is known how long a service takes on it; false: taken to be as on the others. */
  hasOwnService: boolean;
}

/** One way to run the workload, as it was rehearsed on the whole trace. */
export interface Candidate {
  /** Policy as `ebb rehearse` knows it; `ebb`: the documents as they are. */
  policy: string;
  /** For a person. */
  title: string;
  /** Null: as the documents say. */
  minReplicas: number | null;
  /** How long a replica is kept after it was last needed; null: for ever, or as the documents say. */
  keepAliveMs: number | null;
  qualifies: boolean;
  requests: number;
  late: number;
  onTimeShare: number;
  waitMs: RunResult['waitMs'];
  coldStarts: number;
  mostReplicas: number;
  replicaSeconds: number;
  /** Of a month of 730 hours like the trace. */
  replicaHoursAMonth: number;
  microAMonth: number | null;
  currency: string | null;
}

/** The best way to run the load on one class alone. */
export interface ClassChoice {
  name: string;
  candidate: Candidate;
  coldStartMs: number;
  pricePerHourMicro: number;
  /** Null: no class has a price. */
  microAMonth: number | null;
  /**
   * Price of an hour, micro-units, at which the answer flips: for the class that costs least the price from which on another
   * one costs less, for the others the price below which they do. Null: no price would, one of the two misses the promise,
   * or no class has a price.
   */
  breakEvenMicro: number | null;
  hasOwnService: boolean;
}

export interface ClassesAdvice {
  /** The cheapest class that keeps the promise alone; null: none does. */
  best: string | null;
  /** The one that would be next; null: no other keeps the promise. */
  second: string | null;
  /** The documents with all their classes are as good, and stay. */
  staysMixed: boolean;
  classes: ClassChoice[];
  /** All classes as documented; null: it was not rehearsed. */
  mix: Candidate | null;
  /** Share of the resamples in which the class keeps the promise and no other, nor the mix, is cheaper by 2 %; null: too short to say. */
  confidence: number | null;
  currency: string | null;
}

/** A figure that was measured, and how far it may be off. Null: the trace is too short to say. */
export interface Sure {
  value: number;
  spread: Spread | null;
}

export type AdviceVerdict = 'scale-to-zero' | 'keep-some' | 'always-on';
export type WhyNotZero = 'no-gaps' | 'short-gaps' | 'too-late' | 'no-gain';

export interface Advice {
  trace: string;
  description: string;
  model: WorldModel;
  coldStartMs: number;
  facts: LoadFacts;
  /** Fewest constant replicas that keep the promise. */
  staticPeak: number;
  /** D + 2 D × late requests of a cold start: what a miss costs, so what keeping may cost. */
  breakEvenMs: number;
  latePerColdStart: number;
  candidates: Candidate[];
  chosen: Candidate;
  alwaysOn: Candidate;
  present: Candidate | null;
  verdict: AdviceVerdict;
  /** Null where zero is advised. */
  whyNotZero: WhyNotZero | null;
  /** The cheapest that goes to zero and keeps the promise; where none does, the one with the fewest late requests. */
  zero: Candidate | null;
  /** Money a month (micro-units), or replica-hours where no price is known. */
  unit: 'micro' | 'hours';
  savesAgainstAlwaysOn: Sure;
  savesAgainstPresent: Sure | null;
  lateShare: Sure;
  /** Parts of the trace that the spreads come from. */
  blocks: { count: number; ms: number; areDays: boolean };
  /** Share of the resamples in which the chosen one keeps the promise and is the cheapest that does; null: too short to say. */
  confidence: number | null;
  /** `spec.scaling` of the chosen one; null: nothing to change. */
  scaling: Record<string, unknown> | null;
  /** Which class to use; all else is then of that class alone. Null: there is one only. */
  classes: ClassesAdvice | null;
}
