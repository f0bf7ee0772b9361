import { type DayOfRates, noRates } from './dayOfRates.ts';

/** What the hint remembers of a workload: plain JSON of about 1 KB. */
export interface ClassHintMemory {
  version: 1;
  /** Observed so far; a time that nobody could measure is not in it. */
  seconds: number;
  /** Of the last thousand or so: requests, and how many of them were late. */
  requests: number;
  late: number;
  /** Nothing came in the last minute that was seen. */
  quiet: boolean;
  rates: DayOfRates;
  classes: Record<string, ClassTally>;
  /** Class that the hint names; null: none yet. */
  held: string | null;
  /** Class that has been clearly cheaper than it, and what `seconds` was when that began. */
  rival: { class: string; since: number } | null;
}

/** Decayed sums of one class. */
export interface ClassTally {
  /** Lengths of services, seconds, and how many they are. */
  service: number;
  served: number;
  /** Requests that came to this class, the cheapest that accepts them. */
  arrivals: number;
  /** Last one told; null: no start was seen. */
  coldStartMs: number | null;
}

export function firstClassHintMemory(): ClassHintMemory {
  const nothing = { seconds: 0, requests: 0, late: 0, quiet: false };
  return { version: 1, ...nothing, rates: noRates(), classes: {}, held: null, rival: null };
}
