/**
 * Words of the node layer (design §2). Units: `cpuMilli`, `memoryBytes`; prices are whole micro-units of one currency an
 * hour; times are milliseconds.
 */

export type CapacityType = 'on-demand' | 'spot' | 'reserved';
export type GpuVendor = 'nvidia' | 'amd' | 'intel' | 'google' | 'aws';

/** GPUs of a machine, all alike. */
export interface GpuKind {
  vendor: GpuVendor;
  /** As the vendor's discovery labels it: `A10G`, `H100-SXM-80GB`. */
  model: string;
  count: number;
  /** Of one device. */
  memoryBytes: number;
  /** Each is a fixed slice of a card: so many thousandths of one. Left out: whole cards. */
  sliceMilli?: number;
}

/** A kind of machine that a cloud rents. */
export interface InstanceType {
  /** The cloud's name: `g5.xlarge`. */
  name: string;
  cloud: string;
  architecture: 'amd64' | 'arm64';
  cpuMilli: number;
  memoryBytes: number;
  gpu: GpuKind | null;
  /** Most pods of one node, where the cloud or the node's software limits them. */
  maxPods: number;
  labels: Readonly<Record<string, string>>;
}

/** What can be bought: a type in a zone under a capacity type, at a price. */
export interface Offering {
  /** `cloud/region/zone/type/capacityType`. */
  id: string;
  instanceType: InstanceType;
  region: string;
  /** `*`: the price holds in every zone of the region. */
  zone: string;
  capacityType: CapacityType;
  pricePerHourMicro: number;
}

export interface NodeResources {
  cpuMilli: number;
  memoryBytes: number;
  pods: number;
}

/** How a workload uses GPUs: none, whole ones, a part of one by share or memory, or a MIG instance. */
export type GpuNeed =
  | { kind: 'whole'; count: number; vendor: GpuVendor | null; minMemoryBytes: number }
  | { kind: 'share'; gpuMilli: number; memoryBytes: number; vendor: GpuVendor | null }
  | { kind: 'mig'; profile: string; count: number };

/** How the GPUs of a pool's nodes are shared. */
export type GpuSharing =
  | { kind: 'none' }
  | { kind: 'time-slicing'; replicas: number }
  | { kind: 'mps'; replicas: number }
  | { kind: 'fraction' }
  | { kind: 'mig' };

export interface Taint {
  key: string;
  value: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface Toleration {
  key: string | null;
  operator: 'Equal' | 'Exists';
  value: string;
  effect: Taint['effect'] | null;
}

/** One rule on a label, as in Kubernetes' node affinity. */
export interface Requirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  values: readonly string[];
}
