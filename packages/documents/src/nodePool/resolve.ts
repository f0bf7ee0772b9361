import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { type NodePoolDocument, nodePoolKind } from './nodePool.ts';

type Spec = NodePoolDocument['spec'];

export interface NodePoolSpec {
  key: ObjectKey;
  /** Of the pool itself. */
  labels: Record<string, string>;
  annotations: Record<string, string>;
  instanceTypes: string[];
  capacityTypes: Spec['capacityTypes'];
  minNodes: number;
  /** Null, here and below: no limit. */
  maxNodes: number | null;
  warmSpares: number;
  weight: number;
  limits: { cpuMilli: number | null; memoryBytes: number | null; gpuMilli: number | null };
  nodeLabels: Record<string, string>;
  taints: Spec['taints'];
  consolidation: { policy: Spec['consolidation']['policy']; delayMs: number };
  /** `nodes` is a count or a share of the pool. */
  disruptionBudgets: { nodes: number | { percent: number }; schedule: string | null; durationMs: number | null }[];
  /** Null: never. */
  expireAfterMs: number | null;
  gpuSharing: Spec['gpuSharing'];
  budget: { perHourMicro: number | null; perMonthMicro: number | null; currency: string };
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
    consolidation: { policy: spec.consolidation.policy, delayMs: spec.consolidation.delay },
    disruptionBudgets: spec.disruptionBudgets.map(({ nodes, schedule, duration }) => ({
      nodes: typeof nodes === 'number' ? nodes : { percent: Number.parseInt(nodes, 10) },
      schedule: schedule ?? null,
      durationMs: duration ?? null,
    })),
    expireAfterMs: spec.expireAfter ?? null,
    gpuSharing: spec.gpuSharing,
    budget: {
      perHourMicro: spec.budget.perHour ?? null,
      perMonthMicro: spec.budget.perMonth ?? null,
      currency: spec.budget.currency,
    },
  };
}
