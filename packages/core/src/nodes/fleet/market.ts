import { countsOf } from '../placement/limits.ts';
import type { NodeLimits, PlacementPool, PoolOffering } from '../placement/types.ts';
import type { Offering } from '../types.ts';
import { activeBackOffs, quotaKey } from './backOff.ts';
import type { Draft } from './draft.ts';
import type { HedgeCaps } from './hedges.ts';
import type { FleetPool } from './types.ts';
import { removedPool } from './views.ts';

const limitNames = ['nodes', 'cpuMilli', 'memoryBytes', 'gpus', 'pricePerHourMicro'] as const;

/** What is for sale now, with what the book's nodes use of limits and stock. Pools for which `sells` is false sell nothing. */
export function poolsForSale(
  draft: Draft,
  sells: (pool: FleetPool) => boolean = () => true,
  caps: HedgeCaps = 'spot',
): PlacementPool[] {
  const backOffs = activeBackOffs(draft.memory, draft.nowMs);
  const pools = draft.spec.pools.map((pool): PlacementPool => {
    const own = pool.consolidation.pool;
    const offerings = sells(pool) ? own.offerings.map((entry) => asSold(draft, own.name, entry, backOffs, caps)) : [];
    return { ...own, used: draft.book.usedOf(own.name), offerings };
  });
  const removed = draft.book.poolNames.filter((name) => !draft.pools.has(name) && draft.book.usedOf(name).nodes > 0);
  return [
    ...pools,
    ...removed.map((name) => ({ ...removedPool(name, draft.spec.cluster), used: draft.book.usedOf(name) })),
  ];
}

/** One offering as it is for sale now: back-offs, spot hedges, and what is left of what there is of it. */
export function asSold(
  { book, hedges }: Draft,
  pool: string,
  listed: PoolOffering,
  backOffs: ReadonlyMap<string, number>,
  caps: HedgeCaps = 'spot',
): PoolOffering {
  const entry = hedges.entryOf(pool, listed, caps);
  const until = Math.max(
    entry.backedOffUntilMs ?? 0,
    backOffs.size === 0 ? 0 : (backOffs.get(entry.offering.id) ?? 0),
    backOffs.size === 0 ? 0 : (backOffs.get(quotaKey(entry.offering)) ?? 0),
  );
  const stock = entry.stock === null ? null : Math.max(0, entry.stock - book.countOf(pool, entry.offering));
  if (stock === entry.stock && until === (entry.backedOffUntilMs ?? 0)) return entry;
  return { ...entry, stock, backedOffUntilMs: until === 0 ? null : until };
}

/** Whether limits, budgets, stock and back-offs allow all of these at once now. */
export function canBuy(
  draft: Draft,
  wanted: readonly { pool: FleetPool; offering: Offering }[],
  caps: HedgeCaps = 'spot',
): boolean {
  const { book, spec, nowMs, memory } = draft;
  const backOffs = activeBackOffs(memory, nowMs);
  const names = new Set([...book.poolNames, ...wanted.map(({ pool }) => pool.consolidation.pool.name)]);
  const used = new Map([...names].map((name) => [name, { ...book.usedOf(name) }]));
  const counts = new Map<string, number>();
  for (const { pool, offering } of wanted) {
    const own = pool.consolidation.pool;
    const entry = own.offerings.find((one) => one.offering.id === offering.id);
    if (entry === undefined) return false;
    const sold = asSold(draft, own.name, entry, backOffs, caps);
    const count = (counts.get(`${own.name}|${offering.id}`) ?? 0) + 1;
    counts.set(`${own.name}|${offering.id}`, count);
    if ((sold.backedOffUntilMs ?? 0) > nowMs || count > (sold.stock ?? Number.POSITIVE_INFINITY)) return false;
    const use = used.get(own.name);
    const added = countsOf({ entry });
    for (const limit of limitNames) if (use) use[limit] += added[limit];
  }
  const isWithin = (limits: NodeLimits, amounts: PlacementPool['used'][]) =>
    limitNames.every(
      (limit) => amounts.reduce((sum, use) => sum + use[limit], 0) <= (limits[limit] ?? Number.POSITIVE_INFINITY),
    );
  return (
    isWithin(spec.settings.limits, [...used.values()]) &&
    wanted.every(({ pool: { consolidation } }) => {
      const use = used.get(consolidation.pool.name);
      return use !== undefined && isWithin(consolidation.pool.limits, [use]);
    })
  );
}

/** When offerings of a pool that are left alone now may be asked for again. */
export function asksOf(draft: Draft, { consolidation: { pool } }: FleetPool): number[] {
  const backOffs = activeBackOffs(draft.memory, draft.nowMs);
  return pool.offerings.flatMap((entry) => asSold(draft, pool.name, entry, backOffs).backedOffUntilMs ?? []);
}
