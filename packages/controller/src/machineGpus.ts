import type { AllocationLimits, MachineGpus } from '@ebb/core';
import { type GpusStatus, migAmounts } from '@ebb/documents';

const wholeGpuMilli = 1000;

/** All GPUs of a machine, MIG instances by their part of the compute slices. */
export function gpuMilliOf({ gpus }: Pick<MachineGpus, 'gpus'>): number {
  return gpus.reduce((sum, { mig }) => {
    if (mig === null) return sum + wholeGpuMilli;
    return sum + mig.reduce((part, { profile }) => part + migAmounts(profile, 1).gpuMilli, 0);
  }, 0);
}

/**
 * The limits with no more GPU than the machine has. Where it has none, or nobody knows yet, they stay: the agent then refuses what
 * needs one, and its reason says more than a limit of 0.
 */
export function withinMachine(limits: AllocationLimits, machine: MachineGpus | null): AllocationLimits {
  const there = machine ? gpuMilliOf(machine) : 0;
  if (there === 0) return limits;
  const gpuMilli = Math.min(limits.capacity.gpuMilli ?? there, there);
  return { ...limits, capacity: { ...limits.capacity, gpuMilli } };
}

export function gpusStatus(machine: MachineGpus | null): GpusStatus | null {
  if (!machine) return null;
  const { state, message, driverVersion, sharing, mps, labels } = machine;
  const sharingText = 'replicas' in sharing ? `${sharing.kind} by ${sharing.replicas}` : sharing.kind;
  return { state, message, driverVersion, sharing: sharingText, mps, gpuMilli: gpuMilliOf(machine), labels };
}
