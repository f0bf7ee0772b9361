// The ways of renting that `bench/spot.mjs` compares. Each is made anew for a run: `(run) => (observation) => { spot, onDemand, revisitAtMs }`.
import { spotStep } from '../packages/core/dist/index.js';

const minuteMs = 60_000;

const none = (markets) => new Map(markets.map((market) => [market, 0]));

/** All on demand. */
export const onDemandOnly =
  () =>
  ({ wanted }) => ({ spot: new Map(), onDemand: wanted, revisitAtMs: null });

/** All on spot in the zone that had most, which one knows only afterwards. */
export const bestZone =
  ({ best }) =>
  ({ wanted, nowMs }) => ({ spot: new Map([[best, wanted]]), onDemand: 0, revisitAtMs: nowMs + minuteMs });

/** Each machine that is missing goes where the fewest are; a zone that refused is not asked for a minute. */
export function evenSpread({ markets }) {
  const refused = new Map();
  return ({ wanted, nowMs, counts, events }) => {
    for (const { type, market, atMs } of events) if (type === 'refused') refused.set(market, atMs + minuteMs);
    const usable = markets.filter((market) => (refused.get(market) ?? 0) <= nowMs);
    return { spot: fillFewest(counts, usable, markets, wanted), onDemand: 0, revisitAtMs: nowMs + minuteMs };
  };
}

/**
 * SkyServe: `wanted − base + extra` on spot; on demand the base and, with the dynamic fallback, as many as spot has not ready. Zones that lost or
 * refused a machine are left alone while at least two others are there.
 */
export const skyServe =
  ({ base, extra }) =>
  ({ markets }) => {
    let active = new Set(markets);
    return ({ wanted, nowMs, counts, ready, events }) => {
      for (const { market } of events) active.delete(market);
      for (const market of markets)
        if ((ready.get(market) ?? 0) > 0 && !events.some((e) => e.market === market)) active.add(market);
      if (active.size < 2) {
        const refusedNow = events.filter(({ type }) => type === 'refused').map(({ market }) => market);
        active = new Set(markets.filter((market) => !refusedNow.includes(market)));
      }
      const target = Math.max(0, wanted - base) + (extra === 'as many' ? wanted : extra);
      const readySpot = [...ready.values()].reduce((sum, count) => sum + count, 0);
      const onDemand = base + Math.max(0, Math.min(wanted - base, wanted - base - readySpot));
      const usable = markets.filter((market) => active.has(market));
      return { spot: fillFewest(counts, usable, markets, target), onDemand, revisitAtMs: nowMs + minuteMs };
    };
  };

/** Ebb's. */
export const ours =
  (settings = {}) =>
  ({ markets, startMs, prices }) => {
    let memory = null;
    const spec = {
      markets: markets.map((id) => ({ id, zone: id, pricePerHourMicro: prices.spot })),
      onDemandPricePerHourMicro: prices.onDemand,
      ...{ onDemandFloor: { count: 0 }, fallback: true, spread: 'zone', overProvision: 'auto' },
      ...{ shortfallTarget: 0.003, startMs, ...settings },
    };
    return ({ nowMs, wanted, ready, counts, onDemand, events }) => {
      const spot = markets.map((market) => {
        const isReady = ready.get(market) ?? 0;
        return { market, ready: isReady, starting: (counts.get(market) ?? 0) - isReady };
      });
      const decision = spotStep(spec, memory, { nowMs, wanted, spot, onDemand, events });
      memory = decision.memory;
      const asked = new Map(decision.spot.map(({ market, count }) => [market, count]));
      return { spot: asked, onDemand: decision.onDemand, revisitAtMs: decision.revisitAtMs };
    };
  };

function fillFewest(counts, usable, markets, target) {
  const asked = none(markets);
  for (const [market, count] of counts) asked.set(market, count);
  let total = [...asked.values()].reduce((sum, count) => sum + count, 0);
  const fewest = (among, most) =>
    among.reduce((best, market) => {
      const isBetter =
        best === null || (most ? asked.get(market) > asked.get(best) : asked.get(market) < asked.get(best));
      return isBetter ? market : best;
    }, null);
  while (total < target && usable.length > 0) {
    const market = fewest(usable, false);
    asked.set(market, asked.get(market) + 1);
    total += 1;
  }
  while (total > target) {
    const market = fewest(markets, true);
    asked.set(market, asked.get(market) - 1);
    total -= 1;
  }
  return asked;
}
