import type { FleetNode, Offering } from '@ebb/core';

const gib = 1024 ** 3;

export const g5: Offering = {
  id: 'aws/us-east-1/us-east-1a/g5.xlarge/on-demand',
  instanceType: {
    name: 'g5.xlarge',
    cloud: 'aws',
    architecture: 'amd64',
    cpuMilli: 4000,
    memoryBytes: 16 * gib,
    gpu: { vendor: 'nvidia', model: 'A10G', count: 1, memoryBytes: 24 * gib },
    maxPods: 110,
    labels: { 'kubernetes.io/arch': 'amd64' },
  },
  region: 'us-east-1',
  zone: 'us-east-1a',
  capacityType: 'on-demand',
  pricePerHourMicro: 1_006_000,
};

/** A node of the book, ready unless told otherwise. */
export function fleetNode(id: string, change: Partial<FleetNode> = {}): FleetNode {
  return {
    ...{ id, pool: 'prod/default/gpu', offering: g5, revision: 'r', phase: 'ready', askedAtMs: 0, acceptedAtMs: 0 },
    ...{ isSeen: true, readyAtMs: 0, quietSinceMs: 0, podsKey: '', replaces: [], going: null, notice: null },
    ...{ attempts: 0, askAgainAtMs: null, doNotDisrupt: false },
    ...change,
  };
}
