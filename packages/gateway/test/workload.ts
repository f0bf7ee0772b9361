import type { GatewayEndpoint, GatewayWorkload } from '@ebb/core';
import type { RouteSpec, ServingSpec } from '@ebb/documents';

interface Changes {
  routes?: Partial<RouteSpec>[];
  timeouts?: Partial<ServingSpec['timeouts']>;
  buffer?: Partial<ServingSpec['buffer']>;
  affinity?: ServingSpec['affinity'];
  deferrable?: ServingSpec['deferrable'];
  coldStartMs?: number;
  onTimeUs?: number;
  endpoints?: GatewayEndpoint[];
  classes?: GatewayWorkload['classes'];
  unavailable?: GatewayWorkload['unavailable'];
}

/** A workload as a control plane would describe it: one class, routed by `/NAME`, generous limits. */
export function gatewayWorkload(name: string, changes: Changes = {}): GatewayWorkload {
  return {
    key: `local/default/${name}`,
    classes: changes.classes ?? [{ name: 'default', accepts: null }],
    serving: {
      routes: (changes.routes ?? [{ pathPrefix: `/${name}` }]).map((route) => ({
        host: null,
        pathPrefix: null,
        headers: {},
        model: null,
        ...route,
      })),
      timeouts: { holdMs: 10_000, responseMs: 10_000, requestMs: 0, idleMs: 10_000, ...changes.timeouts },
      buffer: {
        maxRequests: 10_000,
        maxBodyBytes: 8 * 1024 * 1024,
        maxTotalBytes: 64 * 1024 * 1024,
        ...changes.buffer,
      },
      balancing: 'leastConnections',
      affinity: changes.affinity ?? null,
      deferrable: changes.deferrable ?? null,
      drainMs: 10_000,
    },
    endpoints: changes.endpoints ?? [],
    unavailable: changes.unavailable ?? null,
    ...(changes.coldStartMs === undefined ? {} : { coldStartMs: changes.coldStartMs }),
    ...(changes.onTimeUs === undefined ? {} : { onTimeUs: changes.onTimeUs }),
  };
}

export function endpointAt(replica: string, port: number, changes: Partial<GatewayEndpoint> = {}): GatewayEndpoint {
  return { replica, class: 'default', host: '127.0.0.1', port, slots: 0, draining: false, ...changes };
}
