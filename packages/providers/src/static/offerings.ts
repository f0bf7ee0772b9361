import type { InstanceType, Offering } from '@ebb/core';
import type { MachineSpec, NodePoolSpec } from '@ebb/documents';
import { offeringOf } from './book.ts';

/** Region of machines of one's own, where the Cluster names none. */
export const ownRegion = 'own';
/** The kubelet's default. */
const defaultMaxPods = 110;

/** What a pool's own machines offer: one offering for each kind and zone. How many there are of each is in `ownMachines`. */
export function ownOfferings(pool: NodePoolSpec, region: string | null): Offering[] {
  const offerings = new Map<string, Offering>();
  for (const machine of pool.machines) {
    const { cloud, region: where, zone, instanceType, capacityType } = offeringOf(region ?? ownRegion, machine);
    const id = `${cloud}/${where}/${zone}/${instanceType}/${capacityType}`;
    const type = instanceTypeOf(machine);
    offerings.set(id, {
      id,
      instanceType: type,
      region: where,
      zone,
      capacityType,
      pricePerHourMicro: machine.pricePerHourMicro,
    });
  }
  return [...offerings.values()];
}

/** How many machines of the pool there are of each offering, by its id: no more can be had. */
export function ownMachines(pool: NodePoolSpec, region: string | null): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const machine of pool.machines) {
    const { cloud, region: where, zone, instanceType, capacityType } = offeringOf(region ?? ownRegion, machine);
    const id = `${cloud}/${where}/${zone}/${instanceType}/${capacityType}`;
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

function instanceTypeOf(machine: MachineSpec): InstanceType {
  const { architecture, cpuMilli, gpu, instanceType, memoryBytes } = machine;
  return {
    name: instanceType,
    cloud: 'on-prem',
    architecture,
    cpuMilli,
    memoryBytes,
    gpu: gpu === null ? null : { ...gpu },
    maxPods: defaultMaxPods,
    labels: {
      'kubernetes.io/arch': architecture,
      'kubernetes.io/os': 'linux',
      'node.kubernetes.io/instance-type': instanceType,
      ...(gpu ? { 'ebb.dev/gpu-vendor': gpu.vendor, 'ebb.dev/gpu-model': gpu.model } : {}),
    },
  };
}
