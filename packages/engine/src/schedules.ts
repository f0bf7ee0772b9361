import type { EngineContext } from './context.ts';
import { messageOf } from './replicaActions.ts';
import type { WorkloadState } from './workloadState.ts';

const retryMs = 10_000;

/**
 * Asks the schedules of the workload's document for their readings, now and whenever they say that they change.
 * Called anew when the document changes or is deleted: what was under way before counts no more.
 */
export function readSchedules(context: EngineContext, state: WorkloadState): void {
  const { ports } = context;
  const round = ++state.schedules.round;
  state.schedules.cancel?.();
  state.schedules.cancel = null;
  const closing = state.schedules.scaler;
  state.schedules.scaler = null;
  state.schedules.readings = [];
  closing?.close().catch((error: unknown) => ports.log('warn', 'schedules not closed', { error: messageOf(error) }));
  const { schedules, events } = state.spec.scaling;
  if (schedules.length + events.length === 0 || state.removed) return;
  const scaler = ports.scheduleScaler(schedules, events);
  state.schedules.scaler = scaler;
  const isCurrent = () => state.schedules.round === round && !context.stopped;
  const readAgainAt = (atMs: number) => {
    state.schedules.cancel = ports.clock.at(atMs, () => {
      if (isCurrent()) read();
    });
  };
  const read = () => {
    const nowMs = ports.clock.nowMs();
    scaler.read(nowMs).then(
      (readings) => {
        if (!isCurrent()) return;
        state.schedules.readings = readings;
        context.touch(state, 'schedule');
        const changes = readings.flatMap(({ nextChangeMs }) => (nextChangeMs === undefined ? [] : [nextChangeMs]));
        if (changes.length > 0) readAgainAt(Math.max(nowMs + 1, Math.min(...changes)));
      },
      (error: unknown) => {
        if (!isCurrent()) return;
        ports.log('warn', 'schedules cannot be read', { workload: state.key, error: messageOf(error) });
        readAgainAt(nowMs + retryMs);
      },
    );
  };
  read();
}
