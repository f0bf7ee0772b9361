import type { GatewayWorkload } from '@ebb/core';
import { keyText } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import { isServedOrStarting, type WorkloadState } from './workloadState.ts';

const pausedRetryMs = 60_000;
const missingRetryMs = 10_000;

/**
 * Why no replica can be had, for the requests that wait: the gateway refuses held and new ones with it at once. Null
 * while something serves or starts, and again as soon as a next attempt may be made.
 */
export function unavailableReason(context: EngineContext, state: WorkloadState): GatewayWorkload['unavailable'] {
  if (isServedOrStarting(state)) return null;
  const nowMs = context.ports.clock.nowMs();
  const { name } = state.objectKey;
  if (context.quiescing) {
    return { code: 'shutting-down', message: 'Ebb is being shut down', retryAfterMs: pausedRetryMs };
  }
  const { paused, maxReplicas } = state.spec.scaling;
  if (paused?.replicas === 0 || maxReplicas === 0) {
    return { code: 'paused', message: `workload ${name} is paused at 0 replicas`, retryAfterMs: pausedRetryMs };
  }
  for (const failure of state.activation.values()) {
    if (failure.failures === 0 || failure.retryAtMs <= nowMs) continue;
    const message = `no replica of ${name} could be started: ${failure.message}; see "ebb logs ${name}"`;
    return { code: failure.code, message, retryAfterMs: failure.retryAtMs - failure.atMs };
  }
  for (const key of state.spec.dependsOn) {
    const dependency = context.workloads.get(keyText(key));
    if (!dependency || dependency.removed) {
      const message = `workload ${name} depends on ${key.namespace}/${key.name}, which is not there`;
      return { code: 'dependency-missing', message, retryAfterMs: missingRetryMs };
    }
    if (dependency.unavailable) {
      const { message, retryAfterMs } = dependency.unavailable;
      return {
        code: 'dependency-unavailable',
        message: `workload ${name} waits for ${key.name}: ${message}`,
        retryAfterMs,
      };
    }
  }
  return null;
}
