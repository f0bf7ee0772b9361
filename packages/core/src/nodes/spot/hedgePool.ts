import type { FleetNode } from '../fleet/types.ts';
import type { PoolOffering } from '../placement/types.ts';
import { lossesPerHour, newMarket } from './lossRate.ts';
import { spotStep } from './spotStep.ts';
import type { SpotDecision, SpotEvent, SpotMemory, SpotSpec } from './types.ts';

/** Of a NodePool: its `spot` settings, and what is known of the pool now. */
export interface PoolHedgeQuestion {
  settings: Omit<SpotSpec, 'markets' | 'onDemandPricePerHourMicro'>;
  memory: SpotMemory | null;
  nowMs: number;
  /** Of the pool, all capacity types. */
  offerings: readonly PoolOffering[];
  /** Of the pool. */
  nodes: readonly FleetNode[];
  /** As in the fleet's memory; those since the last call count. */
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

/**
 * A pool's offerings and number of nodes with the spot hedge. Give `offerings` to `plan`, buy up to `nodesWanted` and `onDemandNodes` with
 * empty nodes, and keep consolidation from taking those. Null where the pool has no spot, or nothing on demand to compare with.
 */
export function hedgePool(question: PoolHedgeQuestion): PoolHedge | null {
  const { settings, memory, nowMs, offerings, nodesNeeded } = question;
  const spot = offerings.filter(({ offering }) => offering.capacityType === 'spot');
  const others = offerings.filter(({ offering }) => offering.capacityType === 'on-demand');
  if (spot.length === 0 || others.length === 0) return null;
  const markets = spot.map(({ offering: { id, zone, pricePerHourMicro } }) => ({ id, zone, pricePerHourMicro }));
  const onDemandPricePerHourMicro = Math.min(...others.map(({ offering }) => offering.pricePerHourMicro));
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
  const wanted = new Map(decision.spot.map(({ market, count }) => [market, count]));
  const known = new Map(decision.memory.markets.map((market) => [market.id, market]));
  const nodesWanted = decision.onDemand + decision.spot.reduce((sum, { count }) => sum + count, 0);
  return {
    offerings: offerings.map((entry) => {
      const { id, capacityType } = entry.offering;
      if (capacityType !== 'spot') return entry;
      const market = known.get(id) ?? newMarket(id, nowMs);
      const has = staying.filter(({ offering }) => offering.id === id).length;
      const pausedUntilMs = market.pausedUntilMs > nowMs ? market.pausedUntilMs : 0;
      return {
        ...entry,
        backedOffUntilMs: Math.max(entry.backedOffUntilMs ?? 0, pausedUntilMs) || null,
        stock: Math.min(entry.stock ?? Number.MAX_SAFE_INTEGER, Math.max(0, (wanted.get(id) ?? 0) - has)),
        interruptionsPerHour: lossesPerHour(market, nowMs),
      };
    }),
    nodesWanted,
    onDemandNodes: decision.onDemand,
    decision,
  };
}

/** Those that leave, or will be taken, stand for nothing any more. */
function isStaying({ phase, notice }: FleetNode): boolean {
  return (phase === 'asked' || phase === 'starting' || phase === 'ready') && notice?.kind !== 'interruption';
}

/** Machines lost together are one loss; an offering that has just been backed off has refused. */
function eventsOf({ memory, nowMs, losses }: PoolHedgeQuestion, spot: readonly PoolOffering[]): SpotEvent[] {
  const sinceMs = memory?.countedAtMs ?? Number.NEGATIVE_INFINITY;
  return spot.flatMap(({ offering: { id }, backedOffUntilMs }): SpotEvent[] => {
    const lost = losses.filter(({ offering, atMs }) => offering === id && atMs > sinceMs && atMs <= nowMs);
    const atMs = Math.max(...lost.map((loss) => loss.atMs));
    const isPaused = (memory?.markets.find((market) => market.id === id)?.pausedUntilMs ?? 0) > nowMs;
    const isRefused = backedOffUntilMs !== null && backedOffUntilMs > nowMs && !isPaused;
    return [
      ...(lost.length > 0 ? [{ type: 'lost' as const, market: id, atMs }] : []),
      ...(isRefused ? [{ type: 'refused' as const, market: id, atMs: nowMs }] : []),
    ];
  });
}
