import { type GatewayEndpoint, type GatewayWorkload, onTimeMsOf } from '@ebb/core';
import type { WorkloadSpec } from '@ebb/documents';
import type { Replica } from './replicaSet.ts';

/**
 * What the gateway is to know of a workload. A replica is an endpoint while it is ready, and marked as draining while
 * it drains or its readiness probe says no after it had been routed to: it keeps what it has and gets nothing new.
 * One whose process ended is no endpoint at all. With a single gateway, that one owns all slots (design §3a.9).
 */
export function gatewayWorkload(
  key: string,
  spec: WorkloadSpec,
  replicas: Iterable<Replica>,
  unavailable: GatewayWorkload['unavailable'],
): GatewayWorkload {
  const concurrency = new Map(spec.classes.map((one) => [one.name, one.concurrency]));
  const endpoints: GatewayEndpoint[] = [];
  for (const replica of replicas) {
    const endpoint = replica.seen?.endpoint;
    if (!endpoint || !isRoutable(replica)) continue;
    endpoints.push({
      replica: replica.id,
      class: replica.class,
      host: endpoint.host,
      port: endpoint.port,
      // A class that left the document serves no new requests; one slot keeps its endpoint valid while it drains.
      slots: concurrency.get(replica.class) ?? 1,
      draining: replica.phase !== 'ready',
      drain: replica.drain,
    });
  }
  endpoints.sort((left, right) => (left.replica < right.replica ? -1 : 1));
  return {
    key,
    classes: spec.classes.map(({ name, accepts }) => ({ name, accepts })),
    serving: spec.serving,
    endpoints,
    unavailable,
    onTimeUs: onTimeMsOf(spec.scaling) * 1000,
  };
}

function isRoutable(replica: Replica): boolean {
  if (replica.phase === 'ready') return true;
  if (replica.phase === 'draining') return !replica.drained;
  return replica.phase === 'starting' && replica.routed && replica.seen?.phase === 'unready';
}
