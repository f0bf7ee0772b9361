import type { DispatchCounts } from './types.ts';

/** Where the configuration of a workload does not say what is on time. */
export const defaultOnTimeUs = 5_000_000;

/** What one class has to do: requests in flight on it and held for it, and their integral over time. */
export class ClassTally {
  inFlight = 0;
  held = 0;
  arrivals = 0;
  late = 0;
  /** Sum over those in flight of what each had waited. */
  inFlightWaitUs = 0;
  #peak = 0;
  #integralUs = 0;
  #changedUs = 0;
  readonly #answered = { requests: 0, responseUs: 0, waitUs: 0 };

  addInFlight(nowUs: number, change: 1 | -1): void {
    this.#integrate(nowUs);
    this.inFlight += change;
    this.#peak = Math.max(this.#peak, this.inFlight + this.held);
  }

  addHeld(nowUs: number, change: 1 | -1): void {
    this.#integrate(nowUs);
    this.held += change;
    this.#peak = Math.max(this.#peak, this.inFlight + this.held);
  }

  addAnswered(responseUs: number, waitUs: number): void {
    this.#answered.requests++;
    this.#answered.responseUs += responseUs;
    this.#answered.waitUs += waitUs;
  }

  /** Exact while it is below 2⁵³: 104 days of a thousand requests at once; beyond that off by less than 10⁻¹⁵. */
  read(nowUs: number, oldestHeldUs: number | undefined): DispatchCounts['classes'][string] {
    this.#integrate(nowUs);
    const { late, inFlightWaitUs } = this;
    return {
      inFlight: this.inFlight,
      held: this.held,
      demandIntegralUs: this.#integralUs,
      arrivals: this.arrivals,
      peak: this.#peak,
      ...(this.#answered.requests > 0 ? { answered: { ...this.#answered } } : {}),
      ...(late > 0 ? { late } : {}),
      ...(inFlightWaitUs > 0 ? { inFlightWaitUs } : {}),
      ...(oldestHeldUs === undefined ? {} : { oldestHeldUs }),
    };
  }

  resetPeak(): void {
    this.#peak = this.inFlight + this.held;
  }

  #integrate(nowUs: number): void {
    this.#integralUs += (this.inFlight + this.held) * (nowUs - this.#changedUs);
    this.#changedUs = nowUs;
  }
}

/** Requests of a workload by outcome. `held`: those that ever waited. */
export function emptyTotals(): DispatchCounts['requests'] {
  return { total: 0, succeeded: 0, failed: 0, refused: 0, cancelled: 0, held: 0 };
}
