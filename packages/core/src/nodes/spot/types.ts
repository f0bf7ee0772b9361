/** What runs out together: one type of machine in one zone, on spot. Named by its offering's id. */
export interface SpotMarket {
  id: string;
  zone: string;
  pricePerHourMicro: number;
}

export interface SpotSpec {
  /** Of more than 64 the cheapest 64 are used. */
  markets: readonly SpotMarket[];
  /** Of the cheapest machine on demand that would do. */
  onDemandPricePerHourMicro: number;
  /** Never fewer on demand: a count, or a part of what is wanted (0 to 1), rounded up. */
  onDemandFloor: { count: number } | { share: number };
  /** Whether machines on demand stand in where spot cannot be had or is too risky. */
  fallback: boolean;
  /** `zone`: no market gets more than half where two can be had, unless it is covered. `none`: whatever costs least. */
  spread: 'zone' | 'none';
  /** Machines beyond what is wanted; `auto`: as many as the risk is worth. */
  overProvision: 'auto' | number;
  /** Part of the time in which fewer than wanted may be ready, 0 to 1. */
  shortfallTarget: number;
  /** From asking to ready. */
  startMs: number;
}

export interface SpotCount {
  market: string;
  ready: number;
  starting: number;
}

/** `lost`: machines were taken back, told once for all that went together. `refused`: none could be had. */
export interface SpotEvent {
  type: 'lost' | 'refused';
  market: string;
  atMs: number;
  /** Of a refusal: nothing can be asked for there until then. */
  untilMs?: number;
}

export interface SpotObservation {
  nowMs: number;
  /** Machines (or replicas, one on each) that are to be ready. */
  wanted: number;
  spot: readonly SpotCount[];
  onDemand: { ready: number; starting: number };
  /** Since the last call. */
  events: readonly SpotEvent[];
}

/** What is remembered of one market. */
export interface MarketMemory {
  id: string;
  /** Losses, and how many a usual market would have had in the time that was watched; both fade. */
  losses: number;
  expected: number;
  countedAtMs: number;
  /** Since when machines have been there without a loss; null: none are there. */
  heldSinceMs: number | null;
  /** Losses soon after a start, and refusals, in a row. */
  storms: number;
  refusals: number;
  /** Nothing is asked for there until then; what is there stays. */
  pausedUntilMs: number;
}

/** JSON-safe, at most 16 KB: of markets of which nothing is known nothing is kept. */
export interface SpotMemory {
  version: 1;
  markets: MarketMemory[];
  /** Part of the time that was short lately; fades. */
  shortShare: number;
  countedAtMs: number;
  isShort: boolean;
  wanted: number;
  /** Until then a shortfall is a start, not spot's doing. */
  startsUntilMs: number;
}

export type SpotReason =
  | { code: 'spot-floor'; onDemand: number; wanted: number }
  | { code: 'spot-spread'; spot: number; markets: number; largest: number }
  | { code: 'spot-extra'; extra: number; riskWithout: number; risk: number }
  | { code: 'spot-fallback'; onDemand: number; usable: number; paused: number; risk: number }
  | { code: 'spot-bridge'; onDemand: number; ready: number; wanted: number }
  | { code: 'spot-storm'; market: string; heldMs: number; pauseMs: number; storms: number }
  | { code: 'spot-refused'; market: string; pauseMs: number; refusals: number }
  | { code: 'spot-short'; missing: number; wanted: number };

export interface SpotDecision {
  /** Machines that are to be there in each market, ready and starting; more is asked for, fewer are ended. */
  spot: { market: string; count: number }[];
  onDemand: number;
  /** Expected part of the time with fewer ready than wanted, once all that is asked for is ready. */
  risk: number;
  memory: SpotMemory;
  reasons: SpotReason[];
  revisitAtMs: number;
}
