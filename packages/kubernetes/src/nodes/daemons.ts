import {
  meets,
  type NodeReserve,
  noReserve,
  offeringLabels,
  type PlacementPool,
  requirementsOf,
  untolerated,
} from '@ebb/core';
import type { KubernetesObject } from '../client/objects.ts';
import { type JsonObject, objectAt } from '../client/values.ts';
import { hostnameLabel } from './labels.ts';
import { podRequests } from './podRequests.ts';
import { podRules } from './podRules.ts';

/** Of a pool whose document says nothing of `reserved`: kubelet, system, and the memory that a virtual machine hides. */
const usualReserve: NodeReserve = { cpuMilli: 100, memoryBytes: 500 * 1024 * 1024, memoryShare: 0.075, pods: 0 };

/** What a new node of the pool keeps for itself and for the DaemonSets that would come there. */
export function overheadOf(pool: PlacementPool, daemonSets: readonly KubernetesObject[]): NodeReserve {
  const isSaid = pool.reserve.cpuMilli > 0 || pool.reserve.memoryBytes > 0;
  const sum = { ...(isSaid ? noReserve : usualReserve) };
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
function comesTo(pool: PlacementPool, spec: JsonObject, namespace: string): boolean {
  const { requirements, affinityTerms, tolerations } = podRules(spec, namespace);
  if (untolerated(pool.taints, tolerations) !== null) return false;
  const ways = (affinityTerms.length === 0 ? [[]] : affinityTerms).map((term) =>
    requirementsOf([...requirements, ...term].filter(({ key }) => key !== hostnameLabel)),
  );
  const kinds = pool.offerings.map((entry) => offeringLabels(pool, entry));
  return kinds.some((labels) => ways.some((way) => meets(way, labels)));
}
