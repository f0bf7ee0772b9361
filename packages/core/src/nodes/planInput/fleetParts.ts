import {
  type ClusterSpec,
  keyText,
  type NodePoolSpec,
  revisionOf,
  type StartStagesSpec,
  type WorkloadSpec,
} from '@ebb/documents';
import type { DisruptionBudget } from '../consolidation/types.ts';
import type { FleetPool } from '../fleet/types.ts';
import { noReserve } from '../placement/allocatable.ts';
import type { NodeReserve, PlacementPod, PlacementPool, PlacementSettings } from '../placement/types.ts';
import type { SpotSettings } from '../spot/hedgePool.ts';
import type { Offering } from '../types.ts';
import { placementInputOf } from './placementInputOf.ts';

/** One cluster with everything that its machines are chosen by. */
export interface FleetQuestion {
  cluster: ClusterSpec;
  /** Of the cluster; none: one pool of all that its region sells. */
  pools: readonly NodePoolSpec[];
  /** Whose replicas may come there. */
  workloads: readonly WorkloadSpec[];
  offerings: readonly Offering[];
  /** Of the offerings' prices. */
  currency: string;
  /** Whether a pool has spent what it may this month: it grows no more. Left out: none has. */
  isSpent?(pool: NodePoolSpec): boolean;
  /** What nodes of the pool keep besides what its document says, for daemons. Changes of it replace no node. Left out: nothing. */
  overheadOf?(pool: PlacementPool): NodeReserve;
  /** Whether a budget in time counts now: cron is read outside of core. */
  isBudgetOpen(schedule: string, durationMs: number): boolean;
}

export interface FleetParts {
  pools: readonly FleetPool[];
  /** By a pool's key; a pool of the catalogue has none. */
  documents: ReadonlyMap<string, NodePoolSpec>;
  settings: PlacementSettings;
  /** What a replica asks of a node, by workload and class: `cluster/namespace/name:class`. */
  templates: ReadonlyMap<string, PlacementPod>;
  notes: readonly string[];
  problems: readonly string[];
}

/** Of pools of no document, as a NodePool has them where it says nothing. */
const startTimeoutMs = 15 * 60_000;
const defaultDelayMs = 60_000;
/** A node that is not ready for so long is replaced, as in Karpenter's node repair of most conditions. */
const repairAfterMs = 600_000;
/** Part of the time in which fewer nodes than needed may be ready where spot is hedged. */
const shortfallTarget = 0.003;
const bootMs = 60_000;
export const defaultStartStages: StartStagesSpec = { bootMs, driverMs: 0, imageMs: 0, weightsMs: 0, totalMs: bootMs };

/** Documents and prices as pools of a fleet, and the replicas of its workloads as pods. */
export function fleetPartsOf(question: FleetQuestion): FleetParts {
  const { cluster, pools, workloads, offerings, currency } = question;
  const kinds = workloads.flatMap((spec) => spec.classes.map(({ name }) => `${keyText(spec.key)}:${name}`));
  const answer = placementInputOf({
    ...{ workloads, pools, offerings, currency, clusters: [cluster] },
    replicas: new Map(kinds.map((kind) => [kind, 1])),
    cloud: null,
    region: null,
    namesAreKeys: true,
    isForFleet: true,
  });
  const pods = new Map(answer.input.pods.map((pod) => [pod.id, pod]));
  const templates = new Map<string, PlacementPod>();
  for (const [index, kind] of kinds.entries()) {
    const [id = ''] = answer.groups[index]?.ids ?? [];
    const pod = pods.get(id);
    // One cluster's fleet asks nobody else: where the replica may run besides is not its affair.
    if (pod) templates.set(kind, { ...pod, clusters: null });
  }
  const documents = new Map<string, NodePoolSpec>();
  const fleetPools = answer.input.pools.map((pool) => {
    const spec = pools.find(({ key }) => keyText(key) === pool.name);
    if (spec) documents.set(pool.name, spec);
    return fleetPoolOf(pool, spec ?? null, question);
  });
  const { settings } = answer.input;
  return { pools: fleetPools, documents, settings, templates, notes: answer.notes, problems: answer.problems };
}

function fleetPoolOf(pool: PlacementPool, spec: NodePoolSpec | null, question: FleetQuestion): FleetPool {
  const { labels, taints, sharing, reserve } = pool;
  const revision = revisionOf({ labels, taints, sharing, reserve, startupTaints: spec?.startupTaints ?? [] });
  return {
    consolidation: {
      pool: spec
        ? { ...pool, limits: limitsNow(pool, spec, question), reserve: withOverhead(pool, question) }
        : { ...pool, startMs: defaultStartStages.totalMs },
      policy: spec?.consolidation.policy ?? 'WhenEmptyOrUnderutilized',
      delayMs: spec?.consolidation.delayMs ?? defaultDelayMs,
      delayAfterScaleUpMs: spec?.consolidation.delayAfterScaleUpMs ?? 0,
      utilizationBelow: spec?.consolidation.utilizationBelow ?? null,
      gpuUtilizationBelow: spec?.consolidation.gpuUtilizationBelow ?? null,
      budgets: (spec?.disruptionBudgets ?? []).map((budget) => budgetOf(budget, question)),
      minNodes: spec?.minNodes ?? 0,
      warmSpares: spec?.warmSpares ?? 0,
      isSurgeAllowed: true,
    },
    revision,
    startTimeoutMs: spec?.startTimeoutMs ?? startTimeoutMs,
    expireAfterMs: spec?.expireAfterMs ?? null,
    terminationGraceMs: spec?.terminationGraceMs ?? null,
    weight: spec?.weight ?? 0,
    repairAfterMs,
    spot: spec === null ? null : spotOf(spec, pool),
  };
}

function withOverhead(pool: PlacementPool, { overheadOf }: FleetQuestion): NodeReserve {
  const { reserve } = pool;
  const more = overheadOf?.(pool) ?? noReserve;
  return {
    cpuMilli: reserve.cpuMilli + more.cpuMilli,
    memoryBytes: reserve.memoryBytes + more.memoryBytes,
    memoryShare: Math.min(1, reserve.memoryShare + more.memoryShare),
    pods: reserve.pods + more.pods,
  };
}

function spotOf({ spot }: NodePoolSpec, { startMs }: PlacementPool): SpotSettings | null {
  return spot === null ? null : { ...spot, startMs: Math.max(1000, startMs), shortfallTarget };
}

/** A month's budget is not spread over its hours: a pool may burst while there is something left of it. */
function limitsNow(
  { limits }: PlacementPool,
  spec: NodePoolSpec,
  { currency, isSpent }: FleetQuestion,
): PlacementPool['limits'] {
  const { budget } = spec;
  if (budget.currency !== currency) return limits;
  return { ...limits, pricePerHourMicro: isSpent?.(spec) ? 0 : budget.perHourMicro };
}

function budgetOf(
  { nodes, reasons, schedule, durationMs }: NodePoolSpec['disruptionBudgets'][number],
  { isBudgetOpen }: FleetQuestion,
): DisruptionBudget {
  return {
    nodes: typeof nodes === 'number' ? { kind: 'count', count: nodes } : { kind: 'share', share: nodes.percent / 100 },
    reasons,
    isActive: schedule === null || durationMs === null || isBudgetOpen(schedule, durationMs),
  };
}
