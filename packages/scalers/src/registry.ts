import { eventScaler } from './event.ts';
import { scheduleScaler } from './schedule.ts';

/** What a scaler is, for listings and documentation. */
export interface ScalerDescription {
  type: string;
  summary: string;
}

/** One line a scaler, sorted by type. */
export const scalers: readonly ScalerDescription[] = [eventScaler, scheduleScaler];
