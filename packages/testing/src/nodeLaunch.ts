import type { NodeLaunch } from '@ebb/core';

/** A launch that is right in itself, with what a test cares about in place of the usual. */
export function nodeLaunch(id: string, change: Partial<NodeLaunch> = {}): NodeLaunch {
  const cluster = change.cluster ?? 'local';
  return {
    id,
    cluster,
    pool: `${cluster}/default/general`,
    offering: {
      cloud: 'aws',
      region: 'us-east-1',
      zone: 'us-east-1a',
      instanceType: 'm7i.large',
      capacityType: 'on-demand',
    },
    pricePerHourMicro: 100_800,
    labels: { 'example.com/team': 'vision' },
    taints: [],
    startupTaints: [],
    startStages: { bootMs: 60_000, driverMs: 0, imageMs: 0, weightsMs: 0, totalMs: 60_000 },
    askedAtMs: 0,
    ...change,
  };
}
