import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { type ClusterDocument, clusterKind } from './cluster.ts';

/** Bounds in the core's units; null: no limit. */
export interface ClusterLimits {
  maxReplicas: number | null;
  capacity: { cpuMilli: number | null; memoryBytes: number | null; gpuMilli: number | null };
  maxPricePerHourMicro: number | null;
}

/** Money for a calendar month. */
export interface MonthBudget {
  limitMicro: number;
  currency: string;
  mode: 'warn' | 'stopGrowing';
}

export interface ClusterSpec {
  key: ObjectKey;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  type: ClusterDocument['spec']['type'];
  cloud: ClusterDocument['spec']['cloud'];
  provisioner: ClusterDocument['spec']['provisioner'];
  region: string | null;
  /** The Secret that has the token, in the cluster's namespace; null: none is needed. */
  tokenSecretRef: { name: string; key: string } | null;
  limits: ClusterLimits;
  /** Of all nodes together; null: no limit. */
  nodeLimits: { nodes: number | null; cpuMilli: number | null; memoryBytes: number | null; gpuMilli: number | null };
  budget: MonthBudget | null;
  namespaces: { name: string; limits: ClusterLimits; budget: MonthBudget | null }[];
  /** `idleCostAboveMicro` null: no alarm. */
  alarms: { idleCostAboveMicro: number | null; idleForMs: number; webhook: string | null };
}

/** A Cluster with defaults and core units. Throws `InvalidDocumentError` when the document is not valid. */
export function resolveCluster(document: unknown): ClusterSpec {
  const read = readDocument(clusterKind, document);
  const { metadata, spec } = read;
  return {
    key: clusterKind.keyOf(read),
    labels: metadata.labels,
    annotations: metadata.annotations,
    type: spec.type,
    cloud: spec.cloud,
    provisioner: spec.provisioner,
    region: spec.region ?? null,
    tokenSecretRef: spec.tokenSecretRef ?? null,
    nodeLimits: {
      nodes: spec.nodeLimits.nodes ?? null,
      cpuMilli: spec.nodeLimits.cpu ?? null,
      memoryBytes: spec.nodeLimits.memory ?? null,
      gpuMilli: spec.nodeLimits.gpu ?? null,
    },
    limits: limitsOf(spec.limits),
    budget: budgetOf(spec.budget),
    namespaces: spec.namespaces.map(({ name, budget, ...limits }) => ({
      name,
      limits: limitsOf(limits),
      budget: budgetOf(budget),
    })),
    alarms: {
      idleCostAboveMicro: spec.alarms.idleCostAbove ?? null,
      idleForMs: spec.alarms.idleFor,
      webhook: spec.alarms.webhook ?? null,
    },
  };
}

function limitsOf(limits: ClusterDocument['spec']['limits']): ClusterLimits {
  return {
    maxReplicas: limits.maxReplicas ?? null,
    capacity: {
      cpuMilli: limits.cpu ?? null,
      memoryBytes: limits.memory ?? null,
      gpuMilli: limits.gpu ?? null,
    },
    maxPricePerHourMicro: limits.maxPricePerHour ?? null,
  };
}

function budgetOf(budget: ClusterDocument['spec']['budget']): MonthBudget | null {
  return budget ? { limitMicro: budget.perMonth, currency: budget.currency, mode: budget.mode } : null;
}
