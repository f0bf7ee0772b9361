import type { GpuSharing, GpuVendor } from '../nodes/types.ts';

/** One GPU of this machine as its driver tells. */
export interface MachineGpu {
  /** The driver's own number of it. */
  index: number;
  vendor: GpuVendor;
  /** `NVIDIA A100-SXM4-40GB`. */
  model: string;
  memoryBytes: number;
  /** What the vendor's libraries choose it by: `GPU-8d3c…`, or the index as text. */
  id: string;
  /** Its MIG instances; null: it is not in MIG mode. */
  mig: { profile: string; id: string }[] | null;
}

/** What is known of the GPUs of a machine. */
export interface MachineGpus {
  /** `broken`: there is a driver and it does not answer as it should, so that no GPU can be given out. */
  state: 'none' | 'ok' | 'broken';
  /** For a person: `8 × NVIDIA H100 80GB HBM3`, `none`, what the driver said. */
  message: string;
  driverVersion: string | null;
  /** An MPS daemon runs: parts of GPUs are kept to their bounds. */
  mps: boolean;
  /** How those that are not in MIG mode are shared. */
  sharing: GpuSharing;
  gpus: MachineGpu[];
  /** As NVIDIA's GPU feature discovery writes them. */
  labels: Record<string, string>;
}

/** The devices that a replica or a run of a Job has, from its first start to its end. */
export interface GpuHolding {
  /** `id` of each GPU or MIG instance, in order. */
  devices: string[];
  /** What is taken of each. */
  taken: { kind: 'whole' } | { kind: 'share'; gpuMilli: number; memoryBytes: number } | { kind: 'mig' };
  /** What the process is told by. */
  env: Record<string, string>;
}
