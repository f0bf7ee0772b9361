import {
  defaultStartStages,
  type FleetNode,
  type FleetParts,
  fleetPartsOf,
  type FleetSpec,
  type NodeLaunch,
  type Offering,
} from '@ebb/core';
import type { ClusterSpec, NodePoolSpec, WorkloadSpec } from '@ebb/documents';
import type { NodePorts } from './ports.ts';

/** A cluster as its fleet is run. */
export interface FleetDocuments {
  cluster: ClusterSpec;
  pools: readonly NodePoolSpec[];
  parts: FleetParts;
  spec: FleetSpec;
  /** When a disruption budget begins or ends to count; null: none does. */
  changesAtMs: number | null;
}

export interface FleetSources {
  cluster: ClusterSpec;
  pools: readonly NodePoolSpec[];
  workloads: readonly WorkloadSpec[];
  offerings: readonly Offering[];
  isRemoved: boolean;
  isSpent(pool: NodePoolSpec): boolean;
  epoch: number;
  nowMs: number;
}

/** A node is moved for money only when that brings a cent an hour and 2 %, and pays for the move within an hour. */
const gain = { minPerHourMicro: 10_000, minShare: 0.02, paybackMs: 3_600_000 };
const consolidateEveryMs = 10_000;
/** A machine that nobody knows may be one whose answer is on its way. */
const nameOrphansAfterMs = 120_000;

/** What a fleet is run by, from documents and prices. */
export function fleetDocuments(
  sources: FleetSources,
  nodes: Pick<NodePorts, 'currency' | 'window' | 'workUnits' | 'guests'>,
): FleetDocuments {
  const { cluster, pools, workloads, offerings, isRemoved, isSpent, epoch, nowMs } = sources;
  const { guests } = nodes;
  let changesAtMs: number | null = null;
  const parts = fleetPartsOf({
    ...{ cluster, pools, workloads, offerings, isSpent, currency: nodes.currency },
    ...(guests ? { overheadOf: (pool) => guests.overheadOf(pool) } : {}),
    isBudgetOpen(schedule, durationMs) {
      const { isOpen, changesAtMs: atMs } = nodes.window(schedule, durationMs, nowMs);
      if (atMs !== null && (changesAtMs === null || atMs < changesAtMs)) changesAtMs = atMs;
      return isOpen;
    },
  });
  const spec: FleetSpec = {
    cluster: cluster.key.name,
    pools: parts.pools,
    settings: parts.settings,
    gain,
    // Names of machines are short in every cloud.
    idPrefix: `${cluster.key.name.slice(0, 32)}-${epoch}-`,
    knownIdPrefixes: [`${cluster.key.name.slice(0, 32)}-`],
    declaredPods: [...parts.templates.values()],
    seed: 1,
    workUnits: nodes.workUnits,
    consolidateEveryMs,
    nameOrphansAfterMs,
    // Machines that Ebb does not know may be someone's: they are named, and ended by hand.
    endOrphansAfterMs: null,
    isRemoved,
  };
  return { cluster, pools, parts, spec, changesAtMs };
}

/** What the provider is asked for a machine; null: its pool is no more. */
export function launchOf(node: FleetNode, cluster: string, { parts }: FleetDocuments): NodeLaunch | null {
  const pool = parts.pools.find(({ consolidation }) => consolidation.pool.name === node.pool);
  if (!pool) return null;
  const spec = parts.documents.get(node.pool);
  const { instanceType, region, zone, capacityType } = node.offering;
  const offering = { cloud: instanceType.cloud, region, zone, instanceType: instanceType.name, capacityType };
  const { labels, taints } = pool.consolidation.pool;
  return {
    ...{ id: node.id, cluster, pool: node.pool, offering, labels, taints },
    pricePerHourMicro: node.offering.pricePerHourMicro,
    startupTaints: spec?.startupTaints ?? [],
    startStages: spec?.startStages ?? defaultStartStages,
    askedAtMs: node.askedAtMs,
  };
}
