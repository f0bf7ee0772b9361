/** Names of labels, as Ebb, Karpenter and NVIDIA's discovery write them on nodes. */
export const clusterLabel = 'ebb.dev/cluster';
export const nodeLabel = 'ebb.dev/node';
export const poolLabel = 'ebb.dev/pool';
export const capacityLabel = 'ebb.dev/capacity-type';
export const zoneLabel = 'topology.kubernetes.io/zone';
export const regionLabel = 'topology.kubernetes.io/region';
export const hostnameLabel = 'kubernetes.io/hostname';
export const instanceTypeLabel = 'node.kubernetes.io/instance-type';
/** `time-slicing` or `mps` where GPUs are shown several times. */
export const sharingLabel = 'nvidia.com/gpu.sharing-strategy';
/** Names the part of the device plugin's configuration that a node runs by. */
export const pluginConfigLabel = 'nvidia.com/device-plugin.config';
/** Names the layout that NVIDIA's MIG manager cuts the cards of a node into. */
export const migConfigLabel = 'nvidia.com/mig.config';

/** A pool's key as the value of a label: those have no slash, and names no underscore. */
export function poolLabelValue(pool: string): string {
  return pool.replaceAll('/', '_');
}
