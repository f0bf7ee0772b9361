import type { ApplyInput } from '@ebb/engine';
import type { WorldModel } from '../contract/model.ts';
import type { Trace } from '../contract/trace.ts';
import type { SimulateOptions } from '../run/simulate.ts';
import type { TraceOptions } from '../traces/options.ts';

/** A file or text, read by each thread for itself, or a trace that is at hand, which is packed into shared memory. */
export type TraceToCompare = (
  | { input: string | { name: string; text: string }; options?: TraceOptions }
  | { trace: Trace }
) & {
  /** Rehearses at least so long: single requests do not say how long nothing came after the last. Left out: their span. */
  spanMs?: number;
};

export interface PolicyToCompare {
  name: string;
  /** A function where they depend on the smallest constant count of replicas that keeps the on-time share: hindsight. */
  documents: readonly ApplyInput[] | ((staticPeak: number) => readonly ApplyInput[]);
}

export interface CompareProgress {
  /** Runs and bounds that are done, of all. */
  done: number;
  total: number;
  /** Of the whole work, those under way included. */
  share: number;
  /** What was done last, for a person; null: nothing yet. */
  last: string | null;
}

export interface CompareOptions {
  traces: readonly TraceToCompare[];
  policies: readonly PolicyToCompare[];
  /** Whole numbers. A seed draws the world, and the moments of requests where a trace has counts only. */
  seeds: readonly number[];
  model: WorldModel;
  /** Clusters and NodePools, which hold for every policy. */
  places?: readonly ApplyInput[];
  /** Micro-units of the currency for an hour of one replica; null: as the documents have it. */
  price?: number | null;
  startReplicas?: SimulateOptions['startReplicas'];
  /** Worker threads at once. Left out: as many as the machine has cores to run on. */
  threads?: number;
  /**
   * URL of a module that each thread imports for what cannot be handed to a thread: it may export `scheduleScaler`,
   * `targetOf` and `nodes` as `simulate` takes them.
   */
  worldModule?: string;
  onProgress?: (progress: CompareProgress) => void;
  /** Ends all threads; the comparison is then rejected with the reason. */
  signal?: AbortSignal;
}
