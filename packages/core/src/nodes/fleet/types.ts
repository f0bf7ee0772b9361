import type { NodeObservation, ProviderErrorCode } from '../../ports/provider.ts';
import type { ConsolidationPool, GainRule, KeptReason, MoveReason } from '../consolidation/types.ts';
import type { SpotSettings } from '../spot/hedgePool.ts';
import type { SpotDecision, SpotReason } from '../spot/types.ts';
import type {
  PlacedPod,
  PlacementNode,
  PlacementPod,
  PlacementSettings,
  UnplaceableReason,
} from '../placement/types.ts';
import type { Offering } from '../types.ts';

/** A pool as the fleet keeps it: what may be bought and how its nodes go, and how its machines are started. */
export interface FleetPool {
  /** Its `pool.name` is the key by which nodes, offerings and ledger rows name it; `used` in it is reckoned here. */
  consolidation: ConsolidationPool;
  /** Hash of what nodes are made from: labels, taints, sharing, instance types. A node with another one has drifted. */
  revision: string;
  /** A node that is not ready after this is given up. */
  startTimeoutMs: number;
  /** Null: never. */
  expireAfterMs: number | null;
  /** Longest time to empty a node that goes; null: as long as its replicas take. */
  terminationGraceMs: number | null;
  /** Pools with more weight are tried first. */
  weight: number;
  /** A node that was ready and is not is replaced after this; null: never. */
  repairAfterMs: number | null;
  /** How nodes are kept when spot is taken away; null: spot and on demand as prices have it. */
  spot: SpotSettings | null;
}

/** A replica or Job that has or wants a place. */
export interface FleetPod {
  pod: PlacementPod;
  /** Where it is bound; null: it waits for a place. */
  bound: { node: string; place: PlacedPod } | null;
  /** On its way out: it keeps its place until it is gone, and is moved nowhere. */
  isLeaving: boolean;
  loadMs: number;
  inFlight: number;
  doNotDisrupt: boolean;
}

/** One machine in the fleet's book. Stored before the provider is asked for it. */
export interface FleetNode {
  id: string;
  pool: string;
  /** At the price at which it was bought. */
  offering: Offering;
  revision: string;
  /**
   * `asked`: the provider has not answered. `starting`: accepted or seen, not ready. `ready`. `draining`: its replicas are leaving.
   * `ending`: the provider is asked to end it, until it is gone.
   */
  phase: 'asked' | 'starting' | 'ready' | 'draining' | 'ending';
  askedAtMs: number;
  /** When the provider said yes or first showed it; null: neither yet. */
  acceptedAtMs: number | null;
  /** Whether the provider has shown it: one that was shown and is so no more is lost. */
  isSeen: boolean;
  readyAtMs: number | null;
  /** Since when no pod came or went. */
  quietSinceMs: number;
  /** Tells whether other pods are there than last time. */
  podsKey: string;
  /** Nodes that it was bought to replace: it is kept until their pods have left. */
  replaces: readonly string[];
  /** Since when it drains or ends, and why; when its pods are ended, and since when they are. */
  going: { sinceMs: number; reason: GoingReason; untilMs: number | null; evictedAtMs: number | null } | null;
  notice: { kind: 'interruption' | 'rebalance'; goesAtMs: number | null } | null;
  /** Answers `throttled` or `unavailable` so far (or times it was told to end), and when that is asked again; the same id. */
  attempts: number;
  askAgainAtMs: number | null;
  doNotDisrupt: boolean;
  /** Since when a ready node is shown as not ready; null or left out: it is ready. */
  unreadySinceMs?: number | null;
}

/** `unready`: not ready for too long. `spot-ready`: of a hedged pool, and spot that is ready stands in its place. */
export type GoingReason =
  | MoveReason
  | { kind: 'pool-removed' | 'start-timeout' | 'not-needed' | 'cluster-removed' | 'unready' | 'spot-ready' };

/** The spot hedge of the machines of one size in one pool. */
export interface FleetHedge {
  pool: string;
  size: string;
  /** Tells whether what was decided on is still so. */
  key: string;
  /** Nodes that pods need. */
  needed: number;
  decision: SpotDecision;
}

/** Of one cluster; JSON-safe. */
export interface FleetMemory {
  version: 1;
  nodes: FleetNode[];
  /**
   * Offerings that could not be had, and until when they are not asked for; the delay doubles with each failure in a row. A quota
   * holds in all zones: its offering has `*` in place of the zone.
   */
  backedOff: { offering: string; untilMs: number; failures: number; code: ProviderErrorCode }[];
  /** Numbers new ids. */
  nextNumber: number;
  /** Spot machines lost lately, by zone and type: where hedges are needed and which offerings are shunned. */
  losses: { offering: string; atMs: number }[];
  /** Machines that the provider has and the book has not: since when. */
  orphans: {
    providerId: string;
    id: string | null;
    sinceMs: number;
    pricePerHourMicro: number | null;
    /** When it is told again to end. */
    askAgainAtMs: number | null;
  }[];
  /** When the last whole search for savings was made. */
  consolidatedAtMs: number | null;
  /** What that search saw, so that it is not made again of the same, and the bound that it found. */
  consolidated: { key: string; lowerBoundMicro: number } | null;
  /** What was seen when pods last found no place, and why they had none. */
  unplaced: { key: string; pods: { reason: UnplaceableReason; pods: readonly string[] }[] } | null;
  /** By pool with spares: the largest pod seen there lately. */
  largest: { pool: string; pod: PlacementPod; seenAtMs: number }[];
  /** Since when the provider is there, or away, and whether its list was ever seen: nothing is bought before. */
  provider: { isAway: boolean; sinceMs: number; isSeen: boolean };
  /** Another control plane has taken over from the one that gives ids this prefix: it acts no more. */
  staleIdPrefix: string | null;
  /** Of pools with `spot`; left out: none was ever hedged. */
  hedges?: FleetHedge[];
}

/** What came of asking the provider. */
export type FleetOutcome =
  | { type: 'accepted'; id: string }
  | { type: 'refused'; id: string; code: ProviderErrorCode; message: string; retryAfterMs: number | null };

export interface FleetObservation {
  nowMs: number;
  /** The provider's full list; null: it is away, and nothing is concluded from its silence. */
  machines: readonly NodeObservation[] | null;
  /** Answers since the last call. */
  outcomes: readonly FleetOutcome[];
  pods: readonly FleetPod[];
  /** Nodes of others that have room: pods may come there, and nothing else is done with them. */
  others?: readonly PlacementNode[];
  /** Ids of nodes that are left alone as long as they are named here. Left out: what was said of it before holds. */
  doNotDisrupt?: readonly string[];
}

export interface FleetSpec {
  cluster: string;
  pools: readonly FleetPool[];
  settings: PlacementSettings;
  gain: GainRule;
  /** Begins the ids of new nodes; unlike any earlier leader's, so that ids are never used twice. */
  idPrefix: string;
  /** Ids that begin with one of these are of this cluster's engines, now or earlier: such machines are taken back when forgotten. */
  knownIdPrefixes: readonly string[];
  seed: number;
  /** Work for one plan and for one search for savings. */
  workUnits: number;
  /** Least time between two searches for savings. */
  consolidateEveryMs: number;
  /** A machine that nobody knows is named after this, and ended after `endOrphansAfterMs` (null: never). */
  nameOrphansAfterMs: number;
  endOrphansAfterMs: number | null;
  /** The document of the cluster is gone: everything goes. */
  isRemoved: boolean;
  /** One pod of each workload that may come, whether it runs or not: warm spares are chosen to hold the largest. */
  declaredPods: readonly PlacementPod[];
}

export type FleetAction =
  /** Ask the provider; the node is in the memory already, which is stored first. */
  | { type: 'launch'; node: FleetNode; forPods: readonly string[] }
  /** This pod runs there, as soon as the node is ready. */
  | { type: 'bind'; pod: string; node: string; place: PlacedPod }
  /** The pod's place is no more (its node is given up): it waits for another. */
  | { type: 'unbind'; pod: string; node: string; reason: UnbindReason }
  /** Nothing new comes there; its pods are to be replaced elsewhere and leave. `order` as in a consolidation's move. */
  | { type: 'drain'; node: string; reason: GoingReason; order: 'ready-first' | 'drain-first' }
  /** It is wanted again before it had ended. */
  | { type: 'keep'; node: string }
  /** Grace is over, or the machine is about to be taken: its pods end now. */
  | { type: 'evict'; node: string; pods: readonly string[] }
  | { type: 'terminate'; node: string; reason: GoingReason }
  /** By the id where it has one, as `Provider.terminate` wants it. */
  | { type: 'terminate-orphan'; providerId: string; id: string | null; reason: 'unknown' | 'pool-removed' };

/** `refused`: the provider does not give the node; `lost`: it has it no more, or the book has not; `going`: ended before it was ready. */
export type UnbindReason = 'refused' | 'lost' | 'start-timeout' | 'going';

/** Typed reasons with the numbers that led to them; `sentence` functions are in `explain.ts`. */
export type FleetReason =
  | {
      code: 'bought';
      node: string;
      pool: string;
      offering: string;
      pricePerHourMicro: number;
      pods: number;
      gap: number | null;
    }
  | {
      code: 'warm-spare' | 'min-nodes' | 'hedge';
      node: string;
      pool: string;
      offering: string;
      pricePerHourMicro: number;
    }
  | { code: 'bound'; pods: number; nodes: number }
  | { code: 'unplaceable'; pods: readonly string[]; reason: UnplaceableReason }
  | { code: 'backed-off'; offering: string; cause: ProviderErrorCode; untilMs: number }
  | { code: 'asked-again'; node: string; cause: ProviderErrorCode; attempts: number; atMs: number }
  | { code: 'going'; node: string; reason: GoingReason; savingPerHourMicro: number | null }
  | { code: 'kept'; node: string; why: KeptReason | 'hedge' }
  | { code: 'notice'; node: string; kind: 'interruption' | 'rebalance'; goesAtMs: number | null }
  | { code: 'lost'; node: string; message: string }
  | { code: 'start-timeout'; node: string; waitedMs: number }
  | { code: 'orphan'; providerId: string; id: string | null; sinceMs: number; pricePerHourMicro: number | null }
  | { code: 'adopted'; node: string; pool: string; pricePerHourMicro: number }
  | { code: 'refused'; node: string; offering: string; cause: ProviderErrorCode; message: string }
  /** Nodes of `minNodes`, `warmSpares` or the spot hedge that cannot be bought now. */
  | { code: 'short'; pool: string; what: 'min-nodes' | 'warm-spare' | 'hedge'; missing: number }
  | { code: 'spot'; pool: string; reason: SpotReason }
  | { code: 'stale-epoch' }
  | { code: 'provider-away' };

export interface FleetDecision {
  actions: readonly FleetAction[];
  reasons: readonly FleetReason[];
  /** Price of all machines that are there or asked for, and the least that these pods could cost. */
  pricePerHourMicro: number;
  lowerBoundMicro: number | null;
  /** When it wants to be asked again though nothing happens; null: only when something does. */
  revisitAtMs: number | null;
  workUnits: number;
}
