import type { StartStagesSpec } from '@ebb/documents';
import type { CapacityType, Taint } from '../nodes/types.ts';

/** What machine is asked for: a type in a zone under a capacity type. */
export interface OfferingChoice {
  cloud: string;
  region: string;
  /** `*`: whichever zone the provider likes. */
  zone: string;
  instanceType: string;
  capacityType: CapacityType;
}

/** One machine. The id is chosen by the engine and stored before this is asked: asking twice buys one machine. */
export interface NodeLaunch {
  id: string;
  cluster: string;
  /** Key of the pool: `cluster/namespace/name`. */
  pool: string;
  offering: OfferingChoice;
  /** What is expected to be paid; providers that can limit what they pay use it. */
  pricePerHourMicro: number;
  labels: Readonly<Record<string, string>>;
  taints: readonly Taint[];
  startupTaints: readonly Taint[];
  /** Expected times, which a rehearsal takes. */
  startStages: StartStagesSpec;
  /** The engine's clock when it was first asked for. */
  askedAtMs: number;
}

/**
 * `requested`: accepted, no machine yet. `booting`: there is a machine. `running`: it is up and has not joined its cluster.
 * `ready`: replicas may be placed on it. `stopping`: on its way out. `gone`: the last word.
 */
export type NodePhase = 'requested' | 'booting' | 'running' | 'ready' | 'stopping' | 'gone';

/** The cloud's word that it may or will take a machine back. */
export interface NodeNotice {
  kind: 'interruption' | 'rebalance';
  /** When it goes, on Ebb's clock; null: not said. */
  goesAtMs: number | null;
}

/** What a provider knows of one machine that carries the mark of its cluster. */
export interface NodeObservation {
  /** As it was launched; null for a machine that carries the cluster's mark and no id. */
  id: string | null;
  /** The cloud's own name: `i-0a1b…`. Null before there is one. */
  providerId: string | null;
  cluster: string;
  pool: string | null;
  offering: OfferingChoice;
  phase: NodePhase;
  askedAtMs: number | null;
  readyAtMs: number | null;
  notice: NodeNotice | null;
  /** For a person. */
  message: string;
  /** Stable code of why it went or cannot start: `stock-out`, `quota`, `interrupted`, `terminated`, `unreachable`, … */
  failure: string | null;
}

export type NodeEvent =
  | { type: 'node'; node: NodeObservation }
  /** Full list after a (re)connection: what is not in it does not exist. */
  | { type: 'snapshot'; nodes: NodeObservation[] }
  | { type: 'disconnected'; message: string };

/**
 * `stock-out`: the offering cannot be had now; `quota`: the account may not have more; `throttled` and `unavailable`: ask again
 * later, nothing is known to have happened; `refused`: asking again is no use; `unknown-offering`: the provider has no such machine;
 * `stale-epoch`: another control plane has taken over.
 */
export type ProviderErrorCode =
  | 'stock-out'
  | 'quota'
  | 'throttled'
  | 'unavailable'
  | 'refused'
  | 'unknown-offering'
  | 'stale-epoch';

export class ProviderError extends Error {
  readonly code: ProviderErrorCode;
  /** When asking again may help, where the provider says. */
  readonly retryAfterMs: number | null;
  constructor(code: ProviderErrorCode, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ProviderError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** Rents machines for one cluster. At most ten methods. */
export interface Provider {
  readonly name: string;
  /**
   * Resolves when the provider has accepted it. Rejects with `ProviderError`. After `throttled` and `unavailable` it is not known whether
   * there is a machine: asking again with the same id is right, and gives one machine.
   */
  launch(launch: NodeLaunch): Promise<void>;
  /** Ends a machine by the engine's id, or one that has none by the provider's. Unknown ones are fine. */
  terminate(node: { id: string } | { providerId: string }): Promise<void>;
  /** Every machine with the cluster's mark, also such as the engine knows nothing of; ended ones may be left out. */
  list(): Promise<NodeObservation[]>;
  /** Begins with a snapshot; changes and notices follow, by push where the provider can, else by asking now and then. */
  watch(listener: (event: NodeEvent) => void): () => void;
  close(): Promise<void>;
}
