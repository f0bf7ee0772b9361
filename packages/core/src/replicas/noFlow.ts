import type { FlowObservation } from './types.ts';

/** Nothing new, and nothing known of the start. */
export const noFlow: Readonly<FlowObservation> = {
  spanMs: 0,
  arrivals: 0,
  answered: 0,
  serviceMs: 0,
  waitMs: 0,
  late: 0,
  peak: 0,
  inFlightWaitMs: 0,
  oldestHeldMs: 0,
  coldStartMs: null,
};
