// What the threads of a rehearsal import: it cannot be handed to them as data.
import type { Scaler } from '@ebb/core';
import type { EventSpec, ScheduleSpec } from '@ebb/documents';
import { createScheduleScaler } from '@ebb/scalers';

/** Schedules on the rehearsal's clock, which begins at 2026-01-01T00:00:00Z. */
export function scheduleScaler(schedules: ScheduleSpec[], events: EventSpec[]): Scaler {
  let wallMs = 0;
  const scaler = createScheduleScaler(schedules, { wallNowMs: () => wallMs, events });
  return {
    read: (nowMs) => {
      wallMs = nowMs;
      return scaler.read(nowMs);
    },
    close: () => scaler.close(),
  };
}
