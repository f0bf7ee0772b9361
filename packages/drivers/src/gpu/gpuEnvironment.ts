import type { GpuHolding, MachineGpu, MachineGpus } from '@ebb/core';

const mebibyte = 1024 * 1024;

/**
 * The variables that keep a process to its devices: CUDA's (and ROCm's) list of visible ones by id, and, where an MPS daemon
 * runs, the bounds it enforces for a share. Names and formats: CUDA's programming guide and NVIDIA's MPS manual.
 */
export function gpuEnvironment(
  machine: Pick<MachineGpus, 'mps'>,
  vendor: MachineGpu['vendor'],
  { devices, taken }: Omit<GpuHolding, 'env'>,
  host: NodeJS.ProcessEnv,
): Record<string, string> {
  const visible = devices.join(',');
  if (vendor === 'amd') return { ROCR_VISIBLE_DEVICES: visible };
  if (taken.kind !== 'share' || !machine.mps) return { CUDA_VISIBLE_DEVICES: visible };
  const pipes = host['CUDA_MPS_PIPE_DIRECTORY'];
  return {
    CUDA_VISIBLE_DEVICES: visible,
    CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: String(taken.gpuMilli / 10),
    // The only visible device is number 0 to the process.
    CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: `0=${Math.max(1, Math.floor(taken.memoryBytes / mebibyte))}M`,
    ...(pipes ? { CUDA_MPS_PIPE_DIRECTORY: pipes } : {}),
  };
}
