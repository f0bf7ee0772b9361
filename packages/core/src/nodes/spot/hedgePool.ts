import type { FleetNode } from '../fleet/types.ts';
import type { PoolOffering } from '../placement/types.ts';
import { lossesPerHour, newMarket } from './lossRate.ts';
import { spotStep } from './spotStep.ts';
import type { SpotDecision, SpotEvent, SpotMemory, SpotSpec } from './types.ts';

/** How a pool keeps its nodes when spot is taken away: what its document says under `spot`, and how long a start takes. */
export type SpotSettings = Omit<SpotSpec, 'markets' | 'onDemandPricePerHourMicro'>;

/** Of a NodePool: its `spot` settings, and what is known of the pool now. */
export interface PoolHedgeQuestion {
  settings: SpotSettings;
  memory: SpotMemory | null;
  nowMs: number;
  /** Of the pool, all capacity types; machines of one size, which stand in for each other. */
  offerings: readonly PoolOffering[];
  /** Of the pool. */
  nodes: readonly FleetNode[];
  /** Spot machines lost since the last call, by offering. */
  losses: readonly { offering: string; atMs: number }[];
  /** Nodes that pods of the pool need, spares and hedges apart. */
  nodesNeeded: number;
}

export interface PoolHedge {
  /** With the losses that are expected, pauses, and `stock`: how many more may be bought on spot in each market. */
  offerings: PoolOffering[];
  /** Nodes of the pool that are to be there, of all capacity types: those needed and the hedge. */
  nodesWanted: number;
  /** At least so many of them on demand. */
  onDemandNodes: number;
  /** Passed in at the next call, at `decision.revisitAtMs` at the latest. */
  decision: SpotDecision;
}

/** Where nothing is for sale on demand: spot is reckoned to cost so much of it. */
const usualSpotShare = 0.3;

/**
 * A pool's offerings and number of nodes with the spot hedge. Give `offerings` to `plan`, buy up to `nodesWanted` and `onDemandNodes` with
 * empty nodes, and keep consolidation from taking those. Null where the pool has no spot. Without anything on demand there is neither a
 * floor nor a fallback.
 */
export function hedgePool(question: PoolHedgeQuestion): PoolHedge | null {
  const { memory, nowMs, offerings, nodesNeeded } = question;
  const spot = offerings.filter(({ offering }) => offering.capacityType === 'spot');
  const others = offerings.filter(({ offering }) => offering.capacityType === 'on-demand');
  if (spot.length === 0) return null;
  const markets = spot.map(({ offering: { id, zone, pricePerHourMicro } }) => ({ id, zone, pricePerHourMicro }));
  const priceOf = (entries: readonly PoolOffering[]) => entries.map(({ offering }) => offering.pricePerHourMicro);
  const onDemandPricePerHourMicro =
    others.length > 0 ? Math.min(...priceOf(others)) : Math.max(...priceOf(spot)) / usualSpotShare;
  const settings =
    others.length > 0 ? question.settings : { ...question.settings, onDemandFloor: { count: 0 }, fallback: false };
  const staying = question.nodes.filter(isStaying);
  const countOf = (isCounted: (node: FleetNode) => boolean) => {
    const counted = staying.filter(isCounted);
    const ready = counted.filter(({ phase }) => phase === 'ready').length;
    return { ready, starting: counted.length - ready };
  };
  const decision = spotStep({ ...settings, markets, onDemandPricePerHourMicro }, memory, {
    nowMs,
    wanted: nodesNeeded,
    spot: markets.map(({ id }) => ({ market: id, ...countOf(({ offering }) => offering.id === id) })),
    onDemand: countOf(({ offering }) => offering.capacityType !== 'spot'),
    events: eventsOf(question, spot),
  });
  return {
    offerings: hedgedOfferings(offerings, staying, decision),
    nodesWanted: decision.onDemand + decision.spot.reduce((sum, { count }) => sum + count, 0),
    onDemandNodes: decision.onDemand,
    decision,
  };
}

/** Offerings as a decision leaves them for sale: risks and pauses of markets as they were when it was made. */
export function hedgedOfferings(
  offerings: readonly PoolOffering[],
  nodes: readonly FleetNode[],
  { spot, memory }: SpotDecision,
): PoolOffering[] {
  const decidedAtMs = memory.countedAtMs;
  const wanted = new Map(spot.map(({ market, count }) => [market, count]));
  const known = new Map(memory.markets.map((market) => [market.id, market]));
  const has = new Map<string, number>();
  for (const node of nodes) if (isStaying(node)) has.set(node.offering.id, (has.get(node.offering.id) ?? 0) + 1);
  return offerings.map((entry) => {
    const { id, capacityType } = entry.offering;
    if (capacityType !== 'spot') return entry;
    const market = known.get(id) ?? newMarket(id, decidedAtMs);
    const pausedUntilMs = market.pausedUntilMs > decidedAtMs ? market.pausedUntilMs : 0;
    return {
      ...entry,
      backedOffUntilMs: Math.max(entry.backedOffUntilMs ?? 0, pausedUntilMs) || null,
      stock: Math.min(entry.stock ?? Number.MAX_SAFE_INTEGER, Math.max(0, (wanted.get(id) ?? 0) - (has.get(id) ?? 0))),
      interruptionsPerHour: lossesPerHour(market, decidedAtMs),
    };
  });
}

/** Those that leave, or will be taken, stand for nothing any more. */
function isStaying({ phase, notice }: FleetNode): boolean {
  return (phase === 'asked' || phase === 'starting' || phase === 'ready') && notice?.kind !== 'interruption';
}

/** Machines lost together are one loss; an offering that has just been backed off has refused, and is paused as long. */
function eventsOf({ memory, nowMs, losses }: PoolHedgeQuestion, spot: readonly PoolOffering[]): SpotEvent[] {
  return spot.flatMap(({ offering: { id }, backedOffUntilMs }): SpotEvent[] => {
    const lost = losses.filter(({ offering, atMs }) => offering === id && atMs <= nowMs);
    const atMs = Math.max(...lost.map((loss) => loss.atMs));
    const isPaused = (memory?.markets.find((market) => market.id === id)?.pausedUntilMs ?? 0) > nowMs;
    const isRefused = backedOffUntilMs !== null && backedOffUntilMs > nowMs && !isPaused;
    return [
      ...(lost.length > 0 ? [{ type: 'lost' as const, market: id, atMs }] : []),
      ...(isRefused ? [{ type: 'refused' as const, market: id, atMs: nowMs, untilMs: backedOffUntilMs }] : []),
    ];
  });
}
