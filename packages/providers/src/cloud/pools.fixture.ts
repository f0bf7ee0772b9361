import type { NodeLaunch } from '@ebb/core';
import { type NodePoolSpec, resolveNodePool } from '@ebb/documents';
import { nodeLaunch } from '@ebb/testing';
import { realClock } from './fakeServer.fixture.ts';

/** A pool of the cluster; `spec` says how a cloud makes its machines. */
export function cloudPool(cluster: string, name: string, spec: object): NodePoolSpec {
  return resolveNodePool({
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'NodePool',
    metadata: { name },
    spec: { cluster, ...spec },
  });
}

type Offering = NodeLaunch['offering'];

/** Launches of machines of the pool `general`, on demand where nothing else is said. */
export function launchesOf(usual: Omit<Offering, 'capacityType'>) {
  return (id: string, cluster = 'conformance', change: Partial<Offering> = {}): NodeLaunch => ({
    ...nodeLaunch(id, { cluster, askedAtMs: realClock.nowMs() }),
    pool: `${cluster}/default/general`,
    offering: { ...usual, capacityType: 'on-demand', ...change },
  });
}
