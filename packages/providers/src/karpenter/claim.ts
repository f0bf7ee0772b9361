import type { NodeLaunch, Taint } from '@ebb/core';
import type { KarpenterPoolSpec, NodePoolSpec } from '@ebb/documents';
import type { ApiObject } from './nodeClaims.ts';

export const clusterMark = 'ebb.dev/cluster';
export const nodeMark = 'ebb.dev/node';
export const poolMark = 'ebb.dev/pool';
const capacityMark = 'ebb.dev/capacity-type';
export const offeringNote = 'ebb.dev/offering';
export const askedNote = 'ebb.dev/asked-at';

/** Values of labels have no slash, and names of pools no underscore. */
export function poolLabelValue(pool: string): string {
  return pool.replaceAll('/', '_');
}

/**
 * The NodeClaim of a launch: its name is the id, so that asking twice makes one. It belongs to no NodePool of Karpenter's:
 * Karpenter makes the machine and ends it, and neither moves nor replaces it.
 */
export function claimOf(
  launch: NodeLaunch,
  { nodeClassRef }: KarpenterPoolSpec,
  { terminationGraceMs }: Pick<NodePoolSpec, 'terminationGraceMs'>,
): ApiObject {
  const { id, cluster, pool, offering, taints, startupTaints } = launch;
  const { cloud, region, zone, instanceType, capacityType } = offering;
  const isIn = (key: string, value: string) => ({ key, operator: 'In', values: [value] });
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: {
      name: id,
      labels: {
        ...launch.labels,
        [clusterMark]: cluster,
        [nodeMark]: id,
        [poolMark]: poolLabelValue(pool),
        [capacityMark]: capacityType,
      },
      annotations: {
        [poolMark]: pool,
        [offeringNote]: [cloud, region, zone, instanceType, capacityType].join('/'),
        [askedNote]: new Date(launch.askedAtMs).toISOString(),
        // What runs on a machine of Ebb's is moved by Ebb.
        'karpenter.sh/do-not-disrupt': 'true',
      },
    },
    spec: {
      nodeClassRef: { ...nodeClassRef },
      requirements: [
        isIn('node.kubernetes.io/instance-type', instanceType),
        isIn('karpenter.sh/capacity-type', capacityType),
        ...(zone === '*' ? [] : [isIn('topology.kubernetes.io/zone', zone)]),
      ],
      ...(taints.length > 0 ? { taints: taints.map(written) } : {}),
      ...(startupTaints.length > 0 ? { startupTaints: startupTaints.map(written) } : {}),
      // Ebb replaces what is too old.
      expireAfter: 'Never',
      ...(terminationGraceMs === null ? {} : { terminationGracePeriod: `${Math.ceil(terminationGraceMs / 1000)}s` }),
    },
  };
}

function written({ key, value, effect }: Taint): Record<string, string> {
  return value === '' ? { key, effect } : { key, value, effect };
}
