import { allocate } from './allocate.ts';
import type { AllocationLimits, AllocationRequest } from './types.ts';

export const noLimits: AllocationLimits = {
  maxReplicas: null,
  capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
  maxPricePerHourMicro: null,
};

/** A workload of one class: half a CPU, 1000 bytes and 0.07 an hour a replica. */
export function request(
  workload: string,
  wanted: number,
  current = 0,
  more: Partial<AllocationRequest> = {},
): AllocationRequest {
  const requests = { cpuMilli: 500, memoryBytes: 1000, gpuMilli: 0 };
  return {
    workload,
    priority: 0,
    minReplicas: 0,
    dependencies: [],
    classes: [{ name: 'default', wanted, current, requests, pricePerHourMicro: 70_000 }],
    ...more,
  };
}

/** Like `request`, with other amounts for one replica. */
export function sized(
  workload: string,
  wanted: number,
  size: { cpuMilli?: number; memoryBytes?: number; gpuMilli?: number; pricePerHourMicro?: number },
  more: Partial<AllocationRequest> = {},
): AllocationRequest {
  const { pricePerHourMicro = 0, ...amounts } = size;
  const requests = { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0, ...amounts };
  const classes = [{ name: 'default', wanted, current: 0, requests, pricePerHourMicro }];
  return request(workload, wanted, 0, { classes, ...more });
}

/** Replicas granted to each, in the order of the requests. */
export const replicas = (requests: AllocationRequest[], limits: AllocationLimits): number[] =>
  allocate(requests, limits, null).grants.map((grant) => grant.replicas);
