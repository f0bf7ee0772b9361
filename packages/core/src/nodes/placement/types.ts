import type { MigInstance } from '../gpu/migLayout.ts';
import type {
  GpuKind,
  GpuNeed,
  GpuSharing,
  NodeResources,
  Offering,
  Requirement,
  Taint,
  Toleration,
} from '../types.ts';

/** Zones are found under this label, nodes' own names under the other one. */
export const zoneLabel = 'topology.kubernetes.io/zone';
export const regionLabel = 'topology.kubernetes.io/region';
export const capacityTypeLabel = 'ebb.dev/capacity-type';
export const poolLabel = 'ebb.dev/pool';
export const clusterLabel = 'ebb.dev/cluster';

export type TopologyKey = 'zone' | 'hostname';

/** Pods whose labels have all of these. An empty one matches every pod. */
export type PodSelector = Readonly<Record<string, string>>;

/** No pod that the selector matches may be in the same zone, or on the same node. */
export interface AntiAffinity {
  topology: TopologyKey;
  selector: PodSelector;
}

/**
 * Pods that the selector matches are spread: the fullest zone has at most `maxSkew` more than the emptiest of those where
 * the pod may run; a node has at most `maxSkew` (a new, empty node can always be had).
 */
export interface TopologySpread {
  topology: TopologyKey;
  maxSkew: number;
  selector: PodSelector;
}

/** What one pod (a replica or a Job) needs of a node. */
export interface PlacementPod {
  id: string;
  workload: string;
  labels: Readonly<Record<string, string>>;
  cpuMilli: number;
  memoryBytes: number;
  gpu: GpuNeed | null;
  /** Node selector and what all terms share. */
  requirements: readonly Requirement[];
  /** Terms of the required node affinity, of which one must hold; empty: no more than `requirements`. */
  affinityTerms: readonly (readonly Requirement[])[];
  /** Nodes liked better: what is missed costs `weight` times `preferencePriceMicro`. */
  preferred: readonly { weight: number; requirements: readonly Requirement[] }[];
  tolerations: readonly Toleration[];
  spread: readonly TopologySpread[];
  antiAffinity: readonly AntiAffinity[];
  /** Where it may run; null: anywhere. */
  clusters: readonly string[] | null;
  regions: readonly string[] | null;
  pools: readonly string[] | null;
  /** Whether it may be interrupted, and so run on spot. */
  interruptible: boolean;
  /** What one interruption costs: start-up and lost work, in micro-units. */
  interruptionPriceMicro: number;
  /** Larger goes first where limits leave pods out. */
  priority: number;
}

/** What is used of one GPU of an existing node. */
export interface NodeGpuUse {
  /** Whole, or by replicas of time-slicing and MPS: the places taken. */
  places: number;
  gpuMilli: number;
  memoryBytes: number;
  /** MIG instances, by their profile and first memory slice. */
  instances: readonly MigInstance[];
}

/** A pod that runs already: it counts for spreads and keeps away what its anti-affinity names. */
export interface BoundPod {
  workload: string;
  labels: Readonly<Record<string, string>>;
  antiAffinity: readonly AntiAffinity[];
}

/** A node that is there. */
export interface PlacementNode {
  name: string;
  pool: string;
  labels: Readonly<Record<string, string>>;
  taints: readonly Taint[];
  zone: string;
  region: string;
  cluster: string;
  capacityType: Offering['capacityType'];
  /** What pods may still take. */
  free: NodeResources;
  gpu: GpuKind | null;
  sharing: GpuSharing;
  /** One for each GPU. */
  gpuUse: readonly NodeGpuUse[];
  pods: readonly BoundPod[];
}

/** Most that all nodes together may be; null: no limit. */
export interface NodeLimits {
  nodes: number | null;
  cpuMilli: number | null;
  memoryBytes: number | null;
  gpus: number | null;
  /** Budget: money, by list prices. */
  pricePerHourMicro: number | null;
}

/** What nodes keep for themselves: kubelet, system, daemons, and the part of memory that the machine hides. */
export interface NodeReserve {
  cpuMilli: number;
  memoryBytes: number;
  /** Part of the machine's memory, 0 to 1. */
  memoryShare: number;
  pods: number;
}

/** Where nodes may be bought, and how they will look. */
export interface PlacementPool {
  name: string;
  cluster: string;
  offerings: readonly PoolOffering[];
  /** Labels of its nodes, beside those of the instance type and the offering. */
  labels: Readonly<Record<string, string>>;
  taints: readonly Taint[];
  sharing: GpuSharing;
  reserve: NodeReserve;
  limits: NodeLimits;
  /** What its nodes are already, for the limits. */
  used: { nodes: number; cpuMilli: number; memoryBytes: number; gpus: number; pricePerHourMicro: number };
  /** From buying to ready. */
  startMs: number;
}

export interface PoolOffering {
  offering: Offering;
  /** After a stock-out it is not asked for again until then. */
  backedOffUntilMs: number | null;
  /** How many there are, for reserved capacity; null: no limit is known. */
  stock: number | null;
  /** Interruptions of one node that are expected in an hour. */
  interruptionsPerHour: number;
}

export interface PlacementSettings {
  /** Added to each new node's price per hour: daemons, image pulls, blast radius; more means fewer, larger nodes. */
  nodeChargeMicro: number;
  /** How long a new node will be kept: its start-up is paid for over this time. */
  nodeLifeMs: number;
  /** What a missed preference costs an hour for each point of weight. */
  preferencePriceMicro: number;
  /** Most pods of a node, whatever it could hold; null: no cap. */
  maxPodsPerNode: number | null;
  /** Largest part of one workload's pods on one node, 0 to 1; one pod is always allowed. 1: no cap. */
  maxWorkloadShare: number;
  /** Of all pools together. */
  limits: NodeLimits;
}

export interface PlacementInput {
  /** For back-off: what is shunned until later than this is not bought. */
  nowMs: number;
  pods: readonly PlacementPod[];
  nodes: readonly PlacementNode[];
  pools: readonly PlacementPool[];
  settings: PlacementSettings;
}

/** Where a pod is, and on which of the node's GPUs. */
export interface PlacedPod {
  id: string;
  /** Index of each GPU used; one twice where two instances of one GPU are. */
  gpus: readonly number[];
  /** MIG instances, one for each entry of `gpus`; empty otherwise. */
  instances: readonly MigInstance[];
}

export interface PlannedNode {
  pool: string;
  offering: string;
  zone: string;
  /** List price, which limits and budgets count. */
  pricePerHourMicro: number;
  pods: readonly PlacedPod[];
}

export type UnplaceableReason =
  | { kind: 'contradiction'; label: string }
  | { kind: 'nowhere'; what: 'cluster' | 'region' | 'pool'; allowed: readonly string[]; offered: readonly string[] }
  | { kind: 'label'; label: string; offered: readonly string[] }
  | { kind: 'taint'; pool: string; taint: Taint }
  | { kind: 'interruption'; offered: readonly string[] }
  | { kind: 'gpu-kind'; need: GpuNeed; offered: readonly string[] }
  | { kind: 'gpu-memory'; needBytes: number; largestBytes: number }
  | { kind: 'gpu-count'; need: number; largest: number }
  | { kind: 'gpu-sharing'; need: GpuNeed; offered: readonly GpuSharing['kind'][] }
  | { kind: 'cpu'; needMilli: number; largestMilli: number }
  | { kind: 'memory'; needBytes: number; largestBytes: number }
  /** Null: there are no more of them. */
  | { kind: 'stock-out'; offerings: readonly string[]; untilMs: number | null }
  | { kind: 'topology'; topology: TopologyKey }
  | { kind: 'limit'; pool: string | null; limit: keyof NodeLimits; max: number }
  /** Nodes that would do are full, and nothing is for sale. */
  | { kind: 'full'; nodes: number }
  | { kind: 'no-supply' };

export interface Plan {
  buy: readonly PlannedNode[];
  /** Pods onto nodes that are there. */
  bind: readonly { node: string; pods: readonly PlacedPod[] }[];
  unplaceable: readonly { reason: UnplaceableReason; pods: readonly string[] }[];
  /** List price of what is bought. */
  pricePerHourMicro: number;
  /** What the plan minimises: price, start-up, node charge, expected interruptions, missed preferences. */
  costPerHourMicro: number;
  /** No plan that places these pods costs less. */
  lowerBoundMicro: number;
  /** Cost above the bound, as a part of the bound; null where the bound is 0 and the cost is not. */
  gap: number | null;
  /** What one more pod like this would add to the bound, by pods that are alike. */
  podPrices: readonly { pods: readonly string[]; pricePerHourMicro: number }[];
  /** Which step found it. */
  foundBy: 'greedy' | 'fill' | 'master' | 'local';
  /** The solver that gave prices, or null where they were guessed. */
  solver: string | null;
  workUnits: number;
}
