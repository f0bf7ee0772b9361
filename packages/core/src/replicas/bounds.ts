import type { ScalingSpec } from '@ebb/documents';
import type { Reason } from '../explain/reasons.ts';

/** A schedule's last reading. */
export interface ScheduleState {
  name: string;
  minReplicas: number;
  nextChangeMs: number | null;
}

export interface BoundsResult {
  replicas: number;
  reasons: Reason[];
}

/** The count within pause, schedules, minimum and maximum, in this order of strength: pause, maximum, schedule, minimum. */
export function applyBounds(
  scaling: Pick<ScalingSpec, 'minReplicas' | 'maxReplicas' | 'paused'>,
  schedules: ScheduleState[],
  current: number,
  wanted: number,
): BoundsResult {
  const reasons: Reason[] = [];
  const reason = (code: string, data: Reason['data']) => reasons.push({ code, stage: 'bounds', data });
  const { minReplicas, maxReplicas, paused } = scaling;
  if (paused) {
    const replicas = Math.min(maxReplicas, paused.replicas ?? current);
    reason('paused', { replicas, wanted });
    return { replicas, reasons };
  }
  let replicas = wanted;
  if (replicas < minReplicas) {
    reason('raised-to-min', { wanted, minReplicas });
    replicas = minReplicas;
  }
  const floor = schedules.reduce<ScheduleState | null>((best, schedule) => {
    return schedule.minReplicas > (best?.minReplicas ?? 0) ? schedule : best;
  }, null);
  if (floor && replicas < floor.minReplicas) {
    reason('raised-by-schedule', { wanted: replicas, schedule: floor.name, minReplicas: floor.minReplicas });
    replicas = floor.minReplicas;
  }
  if (replicas > maxReplicas) {
    reason('capped-at-max', { wanted: replicas, maxReplicas });
    replicas = maxReplicas;
  }
  return { replicas, reasons };
}
