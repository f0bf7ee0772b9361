import { askAgainMs } from './askAgain.ts';
import type { EngineContext } from './context.ts';
import { nextOverdueMs } from './unready.ts';
import type { WorkloadState } from './workloadState.ts';

/** Has the workload looked at when time alone changes something for it. */
export function scheduleWakeUp(context: EngineContext, state: WorkloadState): void {
  context.alarms.set(state, wakeUpAtMs(context, state));
}

/** Time has come for a workload. */
export function wakeUp(context: EngineContext, state: WorkloadState): void {
  const isReading = state.readingDueMs !== null && context.ports.clock.nowMs() >= state.readingDueMs;
  context.touch(state, isReading ? 'reading' : 'revisit');
}

/** When time alone next changes something for the workload; null: never. */
function wakeUpAtMs(context: EngineContext, state: WorkloadState): number | null {
  const nowMs = context.ports.clock.nowMs();
  const times: number[] = [];
  // While the sources are asked, it is their answer that is waited for.
  const isIdle = state.removed || context.quiescing || state.triggers?.isReading === true;
  const revisitAtMs = isIdle ? null : (state.decision?.revisitAtMs ?? null);
  if (revisitAtMs !== null) times.push(revisitAtMs);
  if (state.readingDueMs !== null) times.push(state.readingDueMs);
  for (const { retryAtMs } of state.activation.values()) if (retryAtMs > nowMs) times.push(retryAtMs);
  for (const replica of state.replicas.values()) {
    if (replica.phase === 'draining' && replica.drainSinceMs !== null) {
      times.push(replica.drainSinceMs + state.spec.serving.drainMs);
    }
    if (replica.refusedAtMs !== null && context.driverConnected) {
      times.push(replica.refusedAtMs + askAgainMs);
    }
  }
  const overdueMs = isIdle ? null : nextOverdueMs(state, nowMs);
  if (overdueMs !== null) times.push(overdueMs);
  // Never at once again: a moment that has passed without effect is looked at a millisecond later.
  return times.length === 0 ? null : Math.max(nowMs + 1, Math.min(...times));
}
