import type { PlacedPod, PlacementNode, PlacementPod, PlacementPool, PlacementSettings } from '../placement/types.ts';
import type { Offering } from '../types.ts';

/** What disruption budgets count by; drift and expiry are one of them. */
export type DisruptionReason = 'Empty' | 'Underutilized' | 'Drifted';

/** A replica or Job where it runs. */
export interface RunningPod {
  pod: PlacementPod;
  place: PlacedPod;
  /** From its start to its first answer somewhere else. */
  loadMs: number;
  /** Requests and jobs in flight: it goes when they are done. */
  inFlight: number;
  doNotDisrupt: boolean;
}

/** A node with what may be moved off it. */
export interface ConsolidationNode {
  /** As if none of `pods` ran: `free`, `gpuUse` and `pods` count only what never moves, such as daemons. */
  empty: PlacementNode;
  /** Its own price, which may not be today's. */
  offering: Offering;
  interruptionsPerHour: number;
  pods: readonly RunningPod[];
  readyAtMs: number;
  /** Since when no pod came or went. */
  quietSinceMs: number;
  doNotDisrupt: boolean;
  /** On its way out already: it takes no pods and uses up budgets. */
  isGoing: boolean;
  notice: 'interruption' | 'rebalance' | null;
  /** Not as its pool has it any more, or past its lifetime. */
  outdated: 'drift' | 'expiry' | null;
}

/** How many nodes of a pool may be going at once. */
export interface DisruptionBudget {
  /** A share is of the pool's nodes, rounded up. */
  nodes: { kind: 'count'; count: number } | { kind: 'share'; share: number };
  /** Empty: all. */
  reasons: readonly DisruptionReason[];
  /** Whether it counts now: schedules are read by the caller. */
  isActive: boolean;
}

export interface ConsolidationPool {
  /** The pool as it is bought from; its `used` counts all its nodes that are there. */
  pool: PlacementPool;
  policy: 'WhenEmpty' | 'WhenEmptyOrUnderutilized' | 'Never';
  /** How long a node must have been quiet. */
  delayMs: number;
  /** No node goes to save money for so long after one came. */
  delayAfterScaleUpMs: number;
  /** Only nodes with at most this share of CPU and memory taken are emptied; null: any. */
  utilizationBelow: number | null;
  gpuUtilizationBelow: number | null;
  budgets: readonly DisruptionBudget[];
  minNodes: number;
  /** Empty nodes that stay. */
  warmSpares: number;
  /** Whether a replacement may run beside the node that it replaces. */
  isSurgeAllowed: boolean;
}

/** What a move must bring to be made. */
export interface GainRule {
  minPerHourMicro: number;
  /** Of the price of the nodes that go, 0 to 1. */
  minShare: number;
  /** The saving must pay for the move within so long. */
  paybackMs: number;
}

export interface ConsolidationInput {
  nowMs: number;
  nodes: readonly ConsolidationNode[];
  pools: readonly ConsolidationPool[];
  settings: PlacementSettings;
  gain: GainRule;
}

/** Why nodes go. `worth`: for money, and how much it brings. */
export type MoveReason =
  | { kind: 'interruption' | 'rebalance' | 'drift' | 'expiry' | 'empty' }
  | { kind: 'underutilized'; gainShare: number };

export interface Relocation {
  from: string;
  /** A node that is there, or one of `buy` of this move or an earlier one. */
  to: string;
  place: PlacedPod;
  /** Its work in flight is finished before it goes. */
  waitsForWork: boolean;
}

export interface NewNode {
  name: string;
  pool: string;
  offering: string;
}

/** Nodes that go, what is bought for them, and where their pods go. */
export interface ConsolidationMove {
  reason: MoveReason;
  remove: readonly string[];
  buy: readonly NewNode[];
  /** In drain order: pods with work in flight last. */
  relocate: readonly Relocation[];
  /** Pods with no place: only of nodes that are being taken away. */
  stranded: readonly string[];
  /** `ready-first`: pods leave when their new places are ready; `drain-first`: limits or the pool leave no room for both. */
  order: 'ready-first' | 'drain-first';
  /** Prices, node charge, expected interruptions and missed preferences; negative where a node that must go costs more. */
  savingPerHourMicro: number;
  /** Once: loading pods again and starting nodes. */
  costMicro: number;
  /** Until the saving has paid for the move; null: it never does. */
  paybackMs: number | null;
}

export type KeptReason =
  | 'going'
  | 'policy'
  | 'delay'
  | 'delay-after-scale-up'
  | 'utilization'
  | 'do-not-disrupt'
  | 'budget'
  | 'min-nodes'
  | 'warm-spares'
  | 'no-place'
  | 'gain'
  | 'not-tried';

export interface Consolidation {
  /** To be carried out one after the other. */
  moves: readonly ConsolidationMove[];
  /** Nodes that stay, and what kept them. */
  kept: readonly { node: string; reason: KeptReason }[];
  costBeforeMicro: number;
  costAfterMicro: number;
  /** No assignment of these pods costs less an hour, limits apart. */
  lowerBoundMicro: number;
  /** Null where the bound is 0 and the cost is not. */
  gap: number | null;
  /** False: the budget of work ended the search. */
  isComplete: boolean;
  workUnits: number;
}
