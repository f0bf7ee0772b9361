import type { NodeReserve, PlacementPool } from '@ebb/core';
import type { KubernetesObject } from '../client/objects.ts';
import { objectAt } from '../client/values.ts';
import { hostnameLabel } from './labels.ts';
import { podRequests } from './podRequests.ts';
import { podRules, tolerationsOf } from './podRules.ts';

/** Of a pool whose document says nothing of `reserved`: kubelet, system, and the memory that a virtual machine hides. */
const usualReserve: NodeReserve = { cpuMilli: 100, memoryBytes: 500 * 1024 * 1024, memoryShare: 0.075, pods: 0 };

/** What a new node of the pool keeps for itself and for the DaemonSets that would come there. */
export function overheadOf(pool: PlacementPool, daemonSets: readonly KubernetesObject[]): NodeReserve {
  const isSaid = pool.reserve.cpuMilli > 0 || pool.reserve.memoryBytes > 0;
  const sum = isSaid ? { cpuMilli: 0, memoryBytes: 0, memoryShare: 0, pods: 0 } : { ...usualReserve };
  for (const daemonSet of daemonSets) {
    const spec = objectAt(daemonSet.body, 'spec', 'template', 'spec');
    if (!comesTo(pool, spec, daemonSet.namespace)) continue;
    const { cpuMilli, memoryBytes } = podRequests(spec);
    sum.cpuMilli += cpuMilli;
    sum.memoryBytes += memoryBytes;
    sum.pods += 1;
  }
  return sum;
}

/** Whether its pods would run on some node of the pool. What cannot be known of a node that is not there is taken for true. */
function comesTo(pool: PlacementPool, spec: Readonly<Record<string, unknown>>, namespace: string): boolean {
  const tolerations = tolerationsOf(spec);
  const isTolerated = pool.taints.every(
    (taint) =>
      taint.effect === 'PreferNoSchedule' ||
      tolerations.some(
        ({ key, operator, value, effect }) =>
          (key === null || key === taint.key) &&
          (operator === 'Exists' || value === taint.value) &&
          (effect === null || effect === taint.effect),
      ),
  );
  if (!isTolerated) return false;
  const { requirements, affinityTerms } = podRules(spec, namespace);
  const points = pool.offerings.map(({ offering }) => ({
    ...offering.instanceType.labels,
    'topology.kubernetes.io/zone': offering.zone,
    'topology.kubernetes.io/region': offering.region,
    ...pool.labels,
  }));
  const meets = (labels: Readonly<Record<string, string>>) => {
    const holds = (rules: typeof requirements) =>
      rules.every(({ key, operator, values }) => {
        const found = labels[key];
        if (found === undefined) return operator === 'DoesNotExist' || operator === 'NotIn' || key === hostnameLabel;
        if (operator === 'In') return values.includes(found);
        if (operator === 'NotIn') return !values.includes(found);
        if (operator === 'Gt') return Number(found) > Number(values[0]);
        if (operator === 'Lt') return Number(found) < Number(values[0]);
        return operator === 'Exists';
      });
    return holds(requirements) && (affinityTerms.length === 0 || affinityTerms.some(holds));
  };
  return points.some(meets);
}
