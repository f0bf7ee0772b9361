/** What is asked for because more waits than the replicas can work off in time. */
export interface BacklogTerms {
  nowMs: number;
  held: number;
  /** Arrivals of the last rate window, and its length in seconds. */
  recent: number;
  windowSeconds: number;
  slots: number;
  serviceSeconds: number;
  coldStartSeconds: number;
  latePriceSeconds: number;
  /** At most so many times the replicas that the arrivals need. */
  mostExtra: number;
  ready: number;
  wanted: number;
  /** Starts that are under way: `[asked at, replicas]`. */
  starting: readonly (readonly [number, number])[];
}

/**
 * Replicas to add for a backlog, each of which pays its cold start. While a queue drains with `e` replicas to spare,
 * rate × queue × service ÷ (e × slots) requests are late; with the price of a late request and a cold start for each of
 * the `e` the sum is least at e = √(price × rate × queue × service ÷ (slots × cold start)).
 */
export function addForBacklog(terms: BacklogTerms): number {
  const { held, recent, windowSeconds, slots, serviceSeconds, coldStartSeconds, latePriceSeconds } = terms;
  if (held <= 2 * slots) return 0;
  // Half a standard deviation less than what was counted: a burst must not look like more than it is.
  const rate = Math.max(0, recent - 0.5 * Math.sqrt(recent)) / windowSeconds;
  const perReplica = slots / serviceSeconds;
  let served = terms.ready * coldStartSeconds * perReplica;
  for (const [atMs, replicas] of terms.starting) {
    const ageSeconds = (terms.nowMs - atMs) / 1000;
    served += replicas * Math.min(coldStartSeconds, Math.max(0, ageSeconds)) * perReplica;
  }
  const queue = held + rate * coldStartSeconds - served;
  if (queue <= 0) return 0;
  const spare = Math.max(terms.wanted - (rate * serviceSeconds) / slots, 0.25);
  const best = Math.sqrt((latePriceSeconds * rate * queue * serviceSeconds) / (slots * coldStartSeconds));
  const extra = Math.min(best, queue / slots, terms.mostExtra * Math.max(1, (rate * serviceSeconds) / slots));
  return extra > spare + 1 ? Math.floor(extra - spare) : 0;
}
