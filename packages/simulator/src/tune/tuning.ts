import type { ApplyInput } from '@ebb/engine';
import type { WorldModel } from '../contract/model.ts';
import type { RunResult } from '../contract/result.ts';
import type { CompareOptions, TraceToCompare } from '../compare/options.ts';
import type { Edit } from './edit.ts';
import type { TuningSpace } from './space.ts';

/** What a late request costs: money in micro-units, or so long a life of one replica. */
export type LatenessPrice = { micro: number } | { replicaSeconds: number };

export interface TuneOptions
  extends Pick<CompareOptions, 'startReplicas' | 'threads' | 'worldModule' | 'onProgress' | 'signal'> {
  trace: TraceToCompare;
  space: TuningSpace;
  model: WorldModel;
  /** Draws the world and the points that the search begins with. */
  seed: number;
  /** Share of the trace's time that is searched on; the rest only judges. */
  split: number;
  /** Rehearsals of the training part, at least 4; the two of the other part come on top. */
  runs: number;
  /** No rehearsal is begun later than this after the start. Makes the outcome depend on the machine. Left out: no limit. */
  timeMs?: number;
  /** Micro-units of the currency for an hour of one replica; null: as the documents have it. */
  price?: number | null;
  /** With it the least sum of cost and lateness is sought; left out: the least cost that keeps the on-time share. */
  lateness?: LatenessPrice | null;
  /** Rehearses every setting to the end of the part, those as well that cannot be the best any more. Left out: no. */
  toTheEnd?: boolean;
}

/** One rehearsal of one setting on one part of the trace. */
export interface TuningRun {
  /** By name of the parameter, as the document writes it. */
  values: Record<string, string | number>;
  requests: number;
  late: number;
  onTimeShare: number;
  /** The promise was kept. */
  qualifies: boolean;
  replicaSeconds: number;
  costMicro: string | null;
  currency: string | null;
  /** What the search makes small: micro-units or replica-seconds, with the price of lateness where there is one. */
  amount: number;
  coldStarts: number;
  waitMs: RunResult['waitMs'];
  digest: string;
}

/** A setting whose rehearsal was ended because it could not be the best any more. */
export interface StoppedSetting {
  values: Record<string, string | number>;
  /** How far it came, of the time of the training part. */
  share: number;
  /** Until then; all would only have grown. */
  late: number;
  replicaSeconds: number;
  costMicro: string | null;
}

export interface TuningPart {
  fromMs: number;
  toMs: number;
  requests: number;
}

/** A setting on both parts of the trace. */
export interface TuningPair {
  training: TuningRun;
  validation: TuningRun;
}

/** One parameter that the proposal changes. */
export interface TuningChange {
  name: string;
  kind: Edit['kind'];
  path: string;
  from: string | number;
  to: string | number;
}

export type TuningVerdict =
  /** Holds on the part that was not searched on: here is a proposal. */
  | 'better'
  /** The search found nothing that is better than what is there. */
  | 'present-is-best'
  /** Not even on the training part. */
  | 'nothing-keeps-the-promise'
  /** Kept on the training part, missed on the other: overfit. */
  | 'promise-broken'
  /** Cheaper on the training part, not on the other: overfit. */
  | 'gain-lost';

export interface Tuning {
  trace: string;
  description: string;
  policy: string;
  seed: number;
  model: WorldModel;
  lateness: LatenessPrice | null;
  split: number;
  parts: { training: TuningPart; validation: TuningPart };
  /** Rehearsals of the training part. */
  runs: number;
  /** Time ended the search before its runs were used up. */
  outOfTime: boolean;
  /** The documents as they are. */
  present: TuningPair;
  /** The best on the training part. */
  tuned: TuningPair;
  /** Every setting that was rehearsed to the end, in the order of the search; the first is the present one. */
  tried: TuningRun[];
  /** Those that were ended on the way, in the order of the search. */
  stopped: StoppedSetting[];
  /** Time that was rehearsed of the training part, of what all its runs would have come to. */
  rehearsedShare: number;
  /** Those for which no other is at once cheaper and less late, by cost. */
  front: TuningRun[];
  verdict: TuningVerdict;
  /** Share of the cost that is saved on each part; null where the present documents miss the promise there. */
  gain: { training: number | null; validation: number | null };
  /** Of the best on the training part; a proposal only where the verdict is `better`. */
  changes: TuningChange[];
  /** The same as fields of the documents; empty unless the verdict is `better`. */
  edits: Edit[];
  /** The documents with these edits; null unless the verdict is `better`. */
  documents: ApplyInput[] | null;
}
