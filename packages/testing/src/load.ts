import type { SeededRandom } from './random.ts';
import type { VirtualClock } from './virtualClock.ts';
import type { VirtualGateway } from './virtualGateway.ts';

/** Microseconds from one arrival to the next; null ends the load. */
export type Arrivals = () => number | null;

/** Independent arrivals: the gaps of a Poisson process. */
export function poisson(random: SeededRandom, perSecond: number): Arrivals {
  return () => random.exponential(1e6 / perSecond);
}

/** Independent arrivals in bursts: stretches of so many a second, and stretches without any, of the same mean length. */
export function bursts(random: SeededRandom, perSecond: number, stretchMs: number): Arrivals {
  let leftUs = random.exponential(stretchMs * 1000);
  return () => {
    let gapUs = random.exponential(1e6 / perSecond);
    let pausesUs = 0;
    while (gapUs > leftUs) {
      gapUs -= leftUs;
      pausesUs += leftUs + random.exponential(stretchMs * 1000);
      leftUs = random.exponential(stretchMs * 1000);
    }
    leftUs -= gapUs;
    return pausesUs + gapUs;
  };
}

export function constant(perSecond: number): Arrivals {
  return () => 1e6 / perSecond;
}

/** Arrivals at the recorded moments, in microseconds from the begin of the load. */
export function recorded(atUs: readonly number[]): Arrivals {
  let index = 0;
  let lastUs = 0;
  return () => {
    const next = atUs[index++];
    if (next === undefined) return null;
    const gap = Math.max(0, next - lastUs);
    lastUs = next;
    return gap;
  };
}

export interface LoadOptions {
  clock: VirtualClock;
  gateway: VirtualGateway;
  workload: string;
  arrivals: Arrivals;
  /** How long a replica works on one request. */
  serviceUs: () => number;
  /** The load ends here, in milliseconds of virtual time. */
  forMs: number;
  /** How long a client waits before it goes away; null: for ever. */
  patienceUs?: () => number | null;
}

/** Sends requests by the arrivals, from now on. Returns the way to end it early. */
export function startLoad(options: LoadOptions): () => void {
  const { clock, gateway, workload, arrivals, serviceUs, forMs, patienceUs } = options;
  const untilUs = clock.nowUs() + forMs * 1000;
  let ended = false;
  const next = (fromUs: number) => {
    const gapUs = arrivals();
    if (gapUs === null || ended || fromUs + gapUs >= untilUs) return;
    const atUs = fromUs + gapUs;
    clock.atUs(atUs, () => {
      if (ended) return;
      const exchange = gateway.arrive(workload, serviceUs());
      const patience = patienceUs?.() ?? null;
      if (patience !== null && exchange.outcome === null) clock.afterUs(patience, () => gateway.cancel(exchange.id));
      next(atUs);
    });
  };
  next(clock.nowUs());
  return () => {
    ended = true;
  };
}
