import { choose, type ChoiceQuestion, type Choosable, priced } from './choose.ts';
import { lossesPerHour, newMarket } from './lossRate.ts';
import { remember } from './memory.ts';
import { spotReasons } from './reasons.ts';
import type { MarketMemory, SpotDecision, SpotMemory, SpotObservation, SpotSpec } from './types.ts';

/** What an hour with too few is worth in hours of all machines on demand, and how fast that grows with what was missed. */
const shortPrice = 50;
const shortPriceGrowth = 2;
const mostOver = 4;
/** Markets are chosen by what they will be after this long; until then machines on demand stay as long as that pays. */
const settledMs = 7_200_000;
const revisitMs = 300_000;
const mostMarkets = 64;

/**
 * How many machines on spot in which markets, and how many on demand. Pure; the memory is what it returned before, null at first.
 * A refusal is told at once by another call, so that the next best is asked for. Formulas: README, `choose.ts` (numbers), `lossRate.ts`
 * (risk and pauses).
 */
export function spotStep(asked: SpotSpec, before: SpotMemory | null, observation: SpotObservation): SpotDecision {
  const spec = { ...asked, markets: cheapest(asked.markets) };
  const memory = remember(spec, before, observation);
  const { nowMs, wanted, onDemand } = observation;
  const has = onDemand.ready + onDemand.starting;
  const floor = Math.min(wanted, floorOf(spec, wanted));
  const most = spec.fallback ? wanted : floor;
  const question: ChoiceQuestion = {
    wanted,
    markets: choosable(spec, memory, observation, 0),
    onDemand: { price: spec.onDemandPricePerHourMicro, have: has, least: floor, most },
    extra: spec.overProvision === 'auto' ? null : spec.overProvision,
    isSpread: spec.spread === 'zone',
    startMs: spec.startMs,
    shortPriceMicro: shortPriceOf(spec, memory, wanted),
  };
  const settled = { ...question, markets: choosable(spec, memory, observation, settledMs) };
  const aim = choose(settled);
  const soon = new Map(question.markets.map(({ id, have }) => [id, Math.max(have, aim.spot.get(id) ?? 0)]));
  const needed = cheapestOnDemand(question, soon, floor, most);
  const ready = new Map(observation.spot.map((count) => [count.market, count.ready]));
  // Those on demand go only when spot that is ready is enough and safe enough without them.
  const kept = has > needed ? cheapestOnDemand(question, ready, needed, has) : needed;
  // What is too many goes once everything that is to come is ready, and never so that it would be wanted back on demand.
  const isSettled =
    onDemand.starting === 0 &&
    kept <= has &&
    observation.spot.every(({ starting }) => starting === 0) &&
    question.markets.every(({ id, have }) => (aim.spot.get(id) ?? 0) <= have) &&
    cheapestOnDemand(question, aim.spot, floor, most) <= kept;
  const { risk } = priced(question, soon, needed);
  const choice = { question: settled, aim, kept, onDemand: needed, risk, floor };
  return {
    spot: question.markets.flatMap(({ id, have }) => {
      const count = isSettled ? (aim.spot.get(id) ?? 0) : (soon.get(id) ?? 0);
      return count > 0 || have > 0 ? [{ market: id, count }] : [];
    }),
    onDemand: kept,
    risk,
    memory,
    reasons: spotReasons(choice, observation, before, memory),
    revisitAtMs: revisitOf(memory, nowMs),
  };
}

function floorOf({ onDemandFloor }: SpotSpec, wanted: number): number {
  // A part like 0.07 × 100 is a little more than 7 in floating point.
  return 'count' in onDemandFloor ? onDemandFloor.count : Math.ceil(onDemandFloor.share * wanted - 1e-9);
}

function cheapest(markets: SpotSpec['markets']): SpotSpec['markets'] {
  if (markets.length <= mostMarkets) return markets;
  const order = markets.toSorted((a, b) => a.pricePerHourMicro - b.pricePerHourMicro || (a.id < b.id ? -1 : 1));
  return order.slice(0, mostMarkets);
}

/** Markets with the risk that they have when held for `leastHeldMs`. What is there stays where nothing more is asked for. */
function choosable(
  { markets }: SpotSpec,
  memory: SpotMemory,
  { nowMs, spot }: SpotObservation,
  leastHeldMs: number,
): Choosable[] {
  const counts = new Map(spot.map(({ market, ready, starting }) => [market, ready + starting]));
  const known = new Map(memory.markets.map((market): [string, MarketMemory] => [market.id, market]));
  return markets.map(({ id, pricePerHourMicro }) => {
    const market = known.get(id) ?? newMarket(id, nowMs);
    const have = counts.get(id) ?? 0;
    const most = market.pausedUntilMs > nowMs ? have : Number.MAX_SAFE_INTEGER;
    return { id, have, most, pricePerHourMicro, lossesPerHour: lossesPerHour(market, nowMs, leastHeldMs) };
  });
}

function cheapestOnDemand(
  question: ChoiceQuestion,
  spot: ReadonlyMap<string, number>,
  least: number,
  most: number,
): number {
  let best = least;
  let bestCostMicro = Number.POSITIVE_INFINITY;
  for (let count = least; count <= most; count += 1) {
    const { costMicro } = priced(question, spot, count);
    if (costMicro < bestCostMicro) [best, bestCostMicro] = [count, costMicro];
  }
  return best;
}

/** Rises when more time was short than the target allows, and falls when less: what was reckoned wrong is made up for. */
function shortPriceOf(spec: SpotSpec, { shortShare }: SpotMemory, wanted: number): number {
  const over = Math.min(mostOver, shortShare / Math.max(1e-6, spec.shortfallTarget) - 1);
  return shortPrice * Math.exp(shortPriceGrowth * over) * spec.onDemandPricePerHourMicro * Math.max(1, wanted);
}

function revisitOf({ markets }: SpotMemory, nowMs: number): number {
  const pauses = markets.map(({ pausedUntilMs }) => pausedUntilMs).filter((untilMs) => untilMs > nowMs);
  return Math.min(nowMs + revisitMs, ...pauses);
}
