/** Moments are kept at most this close to each other; in between the means are exact only at their ends. */
const gapUs = 50_000;
/** Fewer than this are not worth a tidy-up. */
const leastOutdated = 256;

interface Moment {
  atUs: number;
  /** Requests in the system × microseconds since the beginning. */
  busyUs: number;
  arrived: number;
}

/**
 * Requests of one workload over a window that moves with time, as Ebb's `http` trigger reads them: as far back as it was
 * open, and at most the window. Memory is bound by the window's length.
 */
export class RequestWindow {
  readonly #lengthUs: number;
  #moments: Moment[];
  #first = 0;
  #now: Moment;
  #inSystem: number;

  constructor(lengthMs: number, nowUs: number, inSystem: number, arrived: number) {
    this.#lengthUs = lengthMs * 1000;
    this.#now = { atUs: nowUs, busyUs: 0, arrived };
    this.#moments = [{ ...this.#now }];
    this.#inSystem = inSystem;
  }

  /** So many are in the system from now on, and so many have arrived since the beginning. */
  changed(nowUs: number, inSystem: number, arrived: number): void {
    this.#advance(nowUs);
    this.#inSystem = inSystem;
    this.#now.arrived = arrived;
    const moments = this.#moments;
    const isLastFree = moments.length >= this.#first + 3;
    const before = moments[moments.length - 2];
    // The newest change is always kept as it was: what follows it may be a long silence.
    if (isLastFree && before && nowUs - before.atUs < gapUs) moments.pop();
    moments.push({ ...this.#now });
    this.#forget();
  }

  /** Mean number of requests in the system, and arrivals a second. */
  means(nowUs: number): { concurrency: number; requestRate: number } {
    this.#advance(nowUs);
    this.#forget();
    const base = this.#moments[this.#first] as Moment;
    const fromUs = Math.max(base.atUs, nowUs - this.#lengthUs);
    const spanUs = nowUs - fromUs;
    const requestRate = ((this.#now.arrived - base.arrived) * 1_000_000) / this.#lengthUs;
    if (spanUs <= 0) return { concurrency: this.#inSystem, requestRate };
    const next = this.#moments[this.#first + 1] ?? this.#now;
    const share = next.atUs > base.atUs ? (fromUs - base.atUs) / (next.atUs - base.atUs) : 0;
    const beforeUs = base.busyUs + share * (next.busyUs - base.busyUs);
    return { concurrency: (this.#now.busyUs - beforeUs) / spanUs, requestRate };
  }

  #advance(nowUs: number): void {
    this.#now.busyUs += this.#inSystem * (nowUs - this.#now.atUs);
    this.#now.atUs = nowUs;
  }

  /** The last moment before the window stays: what the window began with. */
  #forget(): void {
    const fromUs = this.#now.atUs - this.#lengthUs;
    while ((this.#moments[this.#first + 1]?.atUs ?? Number.POSITIVE_INFINITY) <= fromUs) this.#first++;
    if (this.#first < leastOutdated || 2 * this.#first < this.#moments.length) return;
    this.#moments = this.#moments.slice(this.#first);
    this.#first = 0;
  }
}
