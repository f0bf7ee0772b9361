import type { InstanceType } from '../types.ts';
import type { NodeReserve } from './types.ts';

export const noReserve: NodeReserve = { cpuMilli: 0, memoryBytes: 0, memoryShare: 0, pods: 0 };

/** What a machine of the type has for pods, once it keeps what it needs itself. */
export function allocatableOf(
  { cpuMilli, memoryBytes }: Pick<InstanceType, 'cpuMilli' | 'memoryBytes'>,
  reserve: NodeReserve,
): { cpuMilli: number; memoryBytes: number } {
  return {
    cpuMilli: Math.max(0, cpuMilli - reserve.cpuMilli),
    memoryBytes: Math.max(0, Math.floor(memoryBytes * (1 - reserve.memoryShare)) - reserve.memoryBytes),
  };
}
