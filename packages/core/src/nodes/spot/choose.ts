/** One market as the choice sees it. */
export interface Choosable {
  id: string;
  /** There now, ready or starting. */
  have: number;
  /** Most that can be had. */
  most: number;
  pricePerHourMicro: number;
  lossesPerHour: number;
}

export interface ChoiceQuestion {
  wanted: number;
  markets: readonly Choosable[];
  onDemand: { price: number; have: number; least: number; most: number };
  /** Spot machines beyond what is wanted; null: as many as pays. */
  extra: number | null;
  isSpread: boolean;
  startMs: number;
  /** What an hour with too few is worth, micro-units. */
  shortPriceMicro: number;
}

export interface Choice {
  spot: ReadonlyMap<string, number>;
  onDemand: number;
  /** Expected part of the time with too few. */
  risk: number;
  costMicro: number;
}

const hourMs = 3_600_000;
/** A start is paid for over this time: what is there already is preferred to something slightly cheaper. */
const keepMs = 1_200_000;
/** Values of one number that are tried. */
const mostTried = 24;

/**
 * Numbers of machines by market and on demand that cost least:
 *
 *     cost = Σ price × (1 + losses an hour × start) × count + price × new × start ÷ 1 h + shortPrice × risk
 *     risk = Σ r over markets whose loss leaves too few + Σ r r′ over pairs of others that do so together
 *     r    = losses an hour × start, at most 1: the part of the time that is spent waiting for what replaces the lost
 *
 * A loss takes the whole market (the worst case). With `extra` machines beyond what is wanted no market of at most `extra` machines matters.
 * For each number on demand and each `extra`, markets are filled up to `extra`, the cheapest first, the rest goes into the safest; without
 * extra each market is also tried as the first to be filled.
 */
export function choose(question: ChoiceQuestion): Choice {
  const { wanted, onDemand } = question;
  const byCost = [...question.markets].sort((a, b) => unitCost(question, a) - unitCost(question, b) || order(a, b));
  const bySafety = [...question.markets].sort((a, b) => a.lossesPerHour - b.lossesPerHour || order(a, b));
  let best: Choice | null = null;
  for (const y of someOf(onDemand.least, Math.max(onDemand.least, onDemand.most))) {
    const needed = Math.max(0, wanted - y);
    const extras = question.extra === null ? someOf(0, needed) : [question.extra];
    for (const extra of needed === 0 && question.extra === null ? [0] : extras) {
      const orders = extra > 0 || needed === 0 ? [bySafety] : bySafety.map((first) => leading(first, bySafety));
      for (const restOrder of orders.length === 0 ? [bySafety] : orders) {
        const choice = priced(question, filled(question, byCost, restOrder, needed + extra, extra), y);
        if (best === null || choice.costMicro < best.costMicro) best = choice;
      }
    }
  }
  if (best === null) throw new RangeError('no number of machines was tried');
  return best;
}

/** Cost and risk of given numbers. Unmet needs count as short all the time, each machine of them. */
export function priced(question: ChoiceQuestion, spot: ReadonlyMap<string, number>, onDemand: number): Choice {
  const { wanted, markets, startMs, shortPriceMicro } = question;
  const used = markets.filter(({ id }) => (spot.get(id) ?? 0) > 0);
  const total = used.reduce((sum, { id }) => sum + (spot.get(id) ?? 0), 0) + onDemand;
  const spare = total - wanted;
  const covered: { r: number; count: number }[] = [];
  let risk = spare < 0 ? 1 : 0;
  let costMicro = onDemand * question.onDemand.price;
  costMicro += startShare(startMs) * question.onDemand.price * Math.max(0, onDemand - question.onDemand.have);
  for (const market of used) {
    const count = spot.get(market.id) ?? 0;
    const r = Math.min(1, (market.lossesPerHour * startMs) / hourMs);
    costMicro += market.pricePerHourMicro * count * (1 + r);
    costMicro += startShare(startMs) * market.pricePerHourMicro * Math.max(0, count - market.have);
    if (count > spare) risk += r;
    else covered.push({ r, count });
  }
  for (const [index, a] of covered.entries()) {
    for (const b of covered.slice(index + 1)) if (a.count + b.count > spare) risk += a.r * b.r;
  }
  risk = Math.min(1, risk);
  costMicro += shortPriceMicro * (risk + Math.max(0, -spare));
  return { spot, onDemand, risk, costMicro };
}

function filled(
  { isSpread }: ChoiceQuestion,
  byCost: readonly Choosable[],
  restOrder: readonly Choosable[],
  total: number,
  extra: number,
): Map<string, number> {
  const counts = new Map<string, number>();
  let left = total;
  for (const { id, most } of byCost) {
    const count = Math.min(extra, most, left);
    if (count > 0) counts.set(id, count);
    left -= count;
  }
  const usable = restOrder.filter(({ most }) => most > 0).length;
  const largest = isSpread && usable > 1 ? Math.ceil(total / 2) : total;
  for (const share of [largest, total]) {
    for (const { id, most } of restOrder) {
      const has = counts.get(id) ?? 0;
      const count = Math.max(0, Math.min(most - has, share - has, left));
      if (count > 0) counts.set(id, has + count);
      left -= count;
    }
  }
  return counts;
}

const leading = (first: Choosable, all: readonly Choosable[]): Choosable[] => [
  first,
  ...all.filter((one) => one !== first),
];

const startShare = (startMs: number): number => startMs / keepMs;

function unitCost({ startMs }: ChoiceQuestion, { pricePerHourMicro, lossesPerHour, have }: Choosable): number {
  const r = Math.min(1, (lossesPerHour * startMs) / hourMs);
  return pricePerHourMicro * (1 + r + (have > 0 ? 0 : startShare(startMs)));
}

const order = (a: Choosable, b: Choosable): number => (a.id < b.id ? -1 : 1);

/** Whole numbers from least to most; of many, some, with both ends. */
function someOf(least: number, most: number): number[] {
  const step = Math.max(1, (most - least) / mostTried);
  const values: number[] = [];
  for (let value = least; value < most; value += step) values.push(Math.floor(value));
  return [...values, most];
}
