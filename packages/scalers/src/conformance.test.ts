import { describeScalerConformance } from '@ebb/testing/conformance';
import { createScheduleScaler } from './schedule.ts';

const beganMs = Date.parse('2026-03-28T00:00:00Z');

describeScalerConformance('the schedule scaler', () => {
  let nowMs = beganMs;
  const day = { name: 'day', timezone: 'Europe/Berlin', start: '0 8 * * 1-5', end: '0 18 * * *', minReplicas: 2 };
  const never = { name: 'never', timezone: 'UTC', start: '0 0 30 2 *', end: '0 0 1 3 *', minReplicas: 1 };
  const scaler = createScheduleScaler([day, never], { wallNowMs: () => nowMs });
  const moments = Array.from({ length: 72 }, (_, hour) => beganMs + hour * 3_600_000);
  return {
    moments,
    scaler: {
      ...scaler,
      read(atMs) {
        nowMs = atMs;
        return scaler.read(atMs);
      },
    },
  };
});
