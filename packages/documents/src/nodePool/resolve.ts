import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { type RequirementSpec, resolveRequirements } from '../nodes/requirement.ts';
import { type GpuSharingSpec, resolveGpuSharing } from './gpuSharing.ts';
import { type NodePoolDocument, nodePoolKind } from './nodePool.ts';
import { type PriceFactorSpec, resolvePriceFactors } from './priceFactors.ts';
import { type AwsPoolSpec, resolveAws } from './providers/aws.ts';
import { type AzurePoolSpec, resolveAzure } from './providers/azure.ts';
import { type GcpPoolSpec, resolveGcp } from './providers/gcp.ts';
import type { KarpenterPoolSpec } from './providers/karpenter.ts';
import { type MachineSpec, resolveMachines } from './providers/static.ts';
import { type PoolSpotSpec, resolveSpot } from './spot.ts';
import { resolveStartStages, type StartStagesSpec } from './startStages.ts';

type Spec = NodePoolDocument['spec'];

export interface NodePoolSpec {
  key: ObjectKey;
  /** Of the pool itself. */
  labels: Record<string, string>;
  annotations: Record<string, string>;
  instanceTypes: string[];
  capacityTypes: Spec['capacityTypes'];
  requirements: RequirementSpec[];
  minNodes: number;
  /** Null, here and below: no limit. */
  maxNodes: number | null;
  warmSpares: number;
  weight: number;
  limits: { cpuMilli: number | null; memoryBytes: number | null; gpuMilli: number | null };
  nodeLabels: Record<string, string>;
  taints: Spec['taints'];
  startupTaints: Spec['taints'];
  /** Replicas of one node; null: what machine and cloud allow. */
  maxPods: number | null;
  /** Of each node, for its own system. */
  reserved: { cpuMilli: number; memoryBytes: number };
  consolidation: {
    policy: Spec['consolidation']['policy'];
    delayMs: number;
    delayAfterScaleUpMs: number;
    /** Share of processors and memory set aside, at most; null: any. */
    utilizationBelow: number | null;
    gpuUtilizationBelow: number | null;
  };
  /** `nodes` is a count or a share of the pool; without reasons it counts for all. */
  disruptionBudgets: {
    nodes: number | { percent: number };
    reasons: Spec['disruptionBudgets'][number]['reasons'];
    schedule: string | null;
    durationMs: number | null;
  }[];
  /** Null: never. */
  expireAfterMs: number | null;
  /** Null: as long as replicas take. */
  terminationGraceMs: number | null;
  startStages: StartStagesSpec;
  startTimeoutMs: number;
  gpuSharing: GpuSharingSpec;
  /** Null: no hedge. */
  spot: PoolSpotSpec | null;
  priceFactors: PriceFactorSpec[];
  budget: { perHourMicro: number | null; perMonthMicro: number | null; currency: string };
  /** One's own; empty in a cloud. */
  machines: MachineSpec[];
  /** How each cloud makes its machines; null: nothing is said. */
  aws: AwsPoolSpec | null;
  gcp: GcpPoolSpec | null;
  azure: AzurePoolSpec | null;
  karpenter: KarpenterPoolSpec | null;
}

/** A NodePool with defaults and core units. Throws `InvalidDocumentError` when the document is not valid. */
export function resolveNodePool(document: unknown): NodePoolSpec {
  const read = readDocument(nodePoolKind, document);
  const { metadata, spec } = read;
  return {
    key: nodePoolKind.keyOf(read),
    labels: metadata.labels,
    annotations: metadata.annotations,
    instanceTypes: spec.instanceTypes,
    capacityTypes: spec.capacityTypes,
    requirements: resolveRequirements(spec.requirements),
    minNodes: spec.minNodes,
    maxNodes: spec.maxNodes ?? null,
    warmSpares: spec.warmSpares,
    weight: spec.weight,
    limits: {
      cpuMilli: spec.limits.cpu ?? null,
      memoryBytes: spec.limits.memory ?? null,
      gpuMilli: spec.limits.gpu ?? null,
    },
    nodeLabels: spec.labels,
    taints: spec.taints,
    startupTaints: spec.startupTaints,
    maxPods: spec.maxPods ?? null,
    reserved: { cpuMilli: spec.reserved.cpu, memoryBytes: spec.reserved.memory },
    consolidation: resolveConsolidation(spec.consolidation),
    disruptionBudgets: spec.disruptionBudgets.map(({ nodes, reasons, schedule, duration }) => ({
      nodes: typeof nodes === 'number' ? nodes : { percent: Number.parseInt(nodes, 10) },
      reasons,
      schedule: schedule ?? null,
      durationMs: duration ?? null,
    })),
    expireAfterMs: spec.expireAfter ?? null,
    terminationGraceMs: spec.terminationGrace ?? null,
    startStages: resolveStartStages(spec.startStages),
    startTimeoutMs: spec.startTimeout,
    gpuSharing: resolveGpuSharing(spec.gpuSharing),
    spot: spec.spot === undefined ? null : resolveSpot(spec.spot),
    priceFactors: resolvePriceFactors(spec.priceFactors),
    budget: {
      perHourMicro: spec.budget.perHour ?? null,
      perMonthMicro: spec.budget.perMonth ?? null,
      currency: spec.budget.currency,
    },
    machines: resolveMachines(spec.machines),
    aws: resolveAws(spec.aws),
    gcp: resolveGcp(spec.gcp),
    azure: resolveAzure(spec.azure),
    karpenter: spec.karpenter ?? null,
  };
}

function resolveConsolidation(consolidation: Spec['consolidation']): NodePoolSpec['consolidation'] {
  return {
    policy: consolidation.policy,
    delayMs: consolidation.delay,
    delayAfterScaleUpMs: consolidation.delayAfterScaleUp,
    utilizationBelow: consolidation.utilizationBelow ?? null,
    gpuUtilizationBelow: consolidation.gpuUtilizationBelow ?? null,
  };
}
