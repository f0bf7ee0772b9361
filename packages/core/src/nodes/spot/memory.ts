import { isForgotten, newMarket, watchMarket } from './lossRate.ts';
import type { MarketMemory, SpotMemory, SpotObservation, SpotSpec } from './types.ts';

/** Shortfalls are counted over about a week. */
const shortHalfLifeMs = 5 * 86_400_000;

/** The memory after what was observed: how markets have done, and how long fewer than wanted were ready. */
export function remember(spec: SpotSpec, before: SpotMemory | null, observation: SpotObservation): SpotMemory {
  const { nowMs, wanted, onDemand, spot, events } = observation;
  const known = new Map(before?.markets.map((market) => [market.id, market]));
  const machines = new Map(spot.map(({ market, ready, starting }) => [market, ready + starting]));
  const markets = spec.markets.flatMap(({ id }): MarketMemory[] => {
    const own = events.filter(({ market }) => market === id);
    const market = watchMarket(known.get(id) ?? newMarket(id, nowMs), nowMs, machines.get(id) ?? 0, own);
    return isForgotten(market, nowMs) ? [] : [market];
  });
  const ready = spot.reduce((sum, count) => sum + count.ready, onDemand.ready);
  const startsUntilMs = wanted > (before?.wanted ?? 0) ? nowMs + 2 * spec.startMs : (before?.startsUntilMs ?? 0);
  const isShort = ready < wanted && nowMs >= startsUntilMs;
  const shortShare = before === null ? spec.shortfallTarget : shortShareSince(before, nowMs);
  return { version: 1, markets, shortShare, countedAtMs: nowMs, isShort, wanted, startsUntilMs };
}

function shortShareSince({ shortShare, countedAtMs, isShort }: SpotMemory, nowMs: number): number {
  const fade = 0.5 ** (Math.max(0, nowMs - countedAtMs) / shortHalfLifeMs);
  return shortShare * fade + (isShort ? 1 - fade : 0);
}
