import type { GpuKind, InstanceType, Offering } from '@ebb/core';
import type { FleetStatus, NodeStatus } from '@ebb/documents';
import { z } from 'zod';
import { component, count } from './component.ts';

const gpuKind = component<GpuKind>(
  'GpuKind',
  z.strictObject({
    vendor: z.enum(['nvidia', 'amd', 'intel', 'google', 'aws']),
    model: z.string(),
    count: z.int().min(1),
    memoryBytes: count,
    sliceMilli: count.exactOptional(),
  }),
);

const instanceType = component<InstanceType>(
  'InstanceType',
  z.strictObject({
    name: z.string(),
    cloud: z.string(),
    architecture: z.enum(['amd64', 'arm64']),
    cpuMilli: count,
    memoryBytes: count,
    gpu: gpuKind.nullable(),
    maxPods: count,
    labels: z.record(z.string(), z.string()),
  }),
);

export const offeringsSchema = component<{ currency: string; items: Offering[] }>(
  'Offerings',
  z.strictObject({
    currency: z.string(),
    items: z.array(
      z.strictObject({
        id: z.string(),
        instanceType,
        region: z.string(),
        zone: z.string(),
        capacityType: z.enum(['on-demand', 'spot', 'reserved']),
        pricePerHourMicro: count,
      }),
    ),
  }),
);

const amounts = z.strictObject({ cpuMilli: count, memoryBytes: count, gpuMilli: count });
const nodeStatus = component<NodeStatus>(
  'Node',
  z.strictObject({
    id: z.string(),
    providerId: z.string().nullable(),
    cluster: z.string(),
    pool: z.string(),
    cloud: z.string(),
    region: z.string(),
    zone: z.string(),
    instanceType: z.string(),
    capacityType: z.enum(['on-demand', 'spot', 'reserved']),
    phase: z.enum(['asked', 'starting', 'ready', 'draining', 'ending']),
    pricePerHourMicro: count,
    currency: z.string(),
    askedAt: z.int(),
    readyAt: z.int().nullable(),
    allocatable: amounts,
    setAside: amounts,
    replicas: z.array(z.string()),
    message: z.string(),
  }),
);

export const fleetsSchema = component<{ items: FleetStatus[] }>(
  'Fleets',
  z.strictObject({
    items: z.array(
      z.strictObject({
        cluster: z.string(),
        provider: z.string(),
        problem: z.string().nullable(),
        nodes: z.array(nodeStatus),
        waiting: count,
        pricePerHourMicro: count,
        lowerBoundMicro: count.nullable(),
        currency: z.string(),
        reasons: z.array(z.strictObject({ code: z.string(), sentence: z.string() })),
        notes: z.array(z.string()),
      }),
    ),
  }),
);
