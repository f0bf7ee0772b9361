import type { ClassObservation, FlowObservation } from '../types.ts';
import { decayed } from './decay.ts';

export interface DemandTerms {
  serviceSeconds: number;
  /** Arrivals of the last `spanSeconds`. */
  recent: number;
  spanSeconds: number;
}

/**
 * Requests that would be in service now if nobody had waited: what a queue has built up during a cold start is not
 * demand. One that waited is still running then with the chance that its service is longer than its wait; of those that
 * wait, as many as come within one service.
 */
export function demandNow(seen: ClassObservation, flow: FlowObservation, terms: DemandTerms): number {
  const { inFlight, held } = seen;
  const waited = inFlight > 0 ? flow.inFlightWaitMs / 1000 / inFlight : 0;
  const share = waited / terms.serviceSeconds;
  const running = inFlight * decayed(share) + Math.min(held, (terms.recent * terms.serviceSeconds) / terms.spanSeconds);
  return held === 0 && share < 0.05 ? Math.max(running, flow.peak) : running;
}
