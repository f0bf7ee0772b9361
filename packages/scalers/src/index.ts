export { type ScalerDescription, scalers } from './registry.ts';
export { createScheduleScaler, ScheduleError } from './schedule.ts';
