import type { AllocationLimits, Quota, Store } from '@ebb/core';
import { type ClusterSpec, defaultCluster, defaultNamespace, resolveCluster } from '@ebb/documents';
import type { BudgetRule, MoneyRules } from '@ebb/engine';

/** What the document of the local cluster says of bounds and money. */
export interface ClusterRules {
  limits: AllocationLimits;
  money: MoneyRules;
  /** Where alarms are told; null: in the log alone. */
  webhook: string | null;
}

export const noLimits: AllocationLimits = {
  maxReplicas: null,
  capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
  maxPricePerHourMicro: null,
};

const noRules: ClusterRules = { limits: noLimits, money: { budgets: [], idle: null }, webhook: null };

/** Reads the document of the local cluster; without one nothing is limited. */
export async function readClusterRules(store: Pick<Store, 'documents'>): Promise<ClusterRules> {
  const key = { cluster: defaultCluster, namespace: defaultNamespace, name: defaultCluster };
  const stored = await store.documents.get('Cluster', key);
  return stored ? clusterRules(resolveCluster(stored.document)) : noRules;
}

export function clusterRules({ limits, namespaces, budget, alarms }: ClusterSpec): ClusterRules {
  const quotas: Quota[] = namespaces.map(({ name, limits: own }) => ({
    name: `namespace ${name}`,
    scope: { namespace: name },
    ...own,
  }));
  const budgets: BudgetRule[] = [
    ...(budget ? [{ namespace: null, ...budget }] : []),
    ...namespaces.flatMap((one) => (one.budget ? [{ namespace: one.name, ...one.budget }] : [])),
  ];
  const { idleCostAboveMicro, idleForMs, webhook } = alarms;
  const idle = idleCostAboveMicro === null ? null : { costAboveMicro: idleCostAboveMicro, forMs: idleForMs };
  return { limits: quotas.length > 0 ? { ...limits, quotas } : limits, money: { budgets, idle }, webhook };
}
