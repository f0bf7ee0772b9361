import type { GatewayEndpoint } from '@ebb/core';
import type { ScaledObjectSpec, WorkloadStatus } from '@ebb/documents';
import { mostEndpoints } from './endpointSlices.ts';
import type { PathReason } from './serveMode.ts';

/** Sources that say nothing of the load: gateways, which see none of it out of the path, and the calendar. */
const sayNothing = new Set(['http', 'cron']);
const ofPods = new Set(['cpu', 'memory']);

/**
 * Why the gateways have to stay in the path of a workload; null: they need not. What decides on its replicas must be measured where
 * requests go past the gateways, too: their counts would be none, which is not zero demand.
 */
export function blindReason(
  { scaledBy }: Pick<WorkloadStatus, 'scaledBy'>,
  spec: Pick<ScaledObjectSpec, 'modifiers'> | null,
  endpoints: readonly GatewayEndpoint[],
): PathReason | null {
  if (scaledBy?.kind !== 'ScaledObject') {
    const message =
      'what gateways count decides on its replicas: only a ScaledObject with other triggers lets them leave the path';
    return { code: 'DecidedByGateways', message };
  }
  const { name, triggers } = scaledBy;
  if (triggers.every(({ type }) => sayNothing.has(type))) {
    const message = `no trigger of ScaledObject ${name} measures the load but by the gateways`;
    return { code: 'DecidedByGateways', message };
  }
  if (spec?.modifiers && triggers.some(({ type }) => type === 'http')) {
    const message = `the formula of ScaledObject ${name} reads what gateways count`;
    return { code: 'DecidedByGateways', message };
  }
  if (new Set(endpoints.map(({ port }) => port)).size > 1)
    return { code: 'Ports', message: 'its pods listen on different ports, and an EndpointSlice has one' };
  if (endpoints.length > mostEndpoints)
    return { code: 'TooManyPods', message: `an EndpointSlice takes ${mostEndpoints} pods, and it has more` };
  return null;
}

/**
 * Whether a workload may go to zero and nothing that is measured past the gateways asks for a replica. A source that cannot be read
 * may ask for some; cpu and memory ask for none where one replica is enough.
 */
export function isIdle(
  { scaledBy, minReplicas, replicas }: Pick<WorkloadStatus, 'scaledBy' | 'minReplicas' | 'replicas'>,
  spec: Pick<ScaledObjectSpec, 'idleReplicas' | 'forceActivation'> | null,
): boolean {
  if (spec?.forceActivation || (minReplicas > 0 && spec?.idleReplicas !== 0)) return false;
  if (replicas.wanted > Math.max(1, minReplicas)) return false;
  const others = (scaledBy?.triggers ?? []).filter(({ type }) => type !== 'http' && !ofPods.has(type));
  return others.every(({ active }) => active === false);
}
