import type { Bin, Problem } from './problem.ts';
import type { Offer } from './supply.ts';
import type { NodeLimits } from './types.ts';

/** One limit: what each kind of node counts, and how much is left. */
export interface LimitRow {
  /** Null: over all pools. */
  pool: string | null;
  limit: keyof NodeLimits | 'stock';
  /** As it was set. */
  max: number;
  left: number;
  /** By the index of the bin. */
  counts: Float64Array;
}

const limitNames = ['nodes', 'cpuMilli', 'memoryBytes', 'gpus', 'pricePerHourMicro'] as const;

/** What one new node counts for each limit: what the machine is, not what is left of it for pods. */
export function countsOf({ entry }: Pick<Offer, 'entry'>): Record<keyof NodeLimits, number> {
  const { instanceType, pricePerHourMicro } = entry.offering;
  const { cpuMilli, memoryBytes, gpu } = instanceType;
  return { nodes: 1, cpuMilli, memoryBytes, gpus: gpu?.count ?? 0, pricePerHourMicro };
}

/** All limits that are set, of the pools, of everything together, and of offerings of which there are only so many. */
export function limitRows({ input }: Problem, bins: readonly Bin[]): LimitRow[] {
  const { pools, settings } = input;
  const rows: LimitRow[] = [];
  for (const limit of limitNames) {
    const total = settings.limits[limit];
    if (total !== null) {
      const used = pools.reduce((sum, pool) => sum + pool.used[limit], 0);
      rows.push({
        pool: null,
        limit,
        max: total,
        left: Math.max(0, total - used),
        counts: countsFor(bins, limit, null),
      });
    }
    for (const [index, { name, limits, used }] of pools.entries()) {
      const max = limits[limit];
      if (max === null) continue;
      const left = Math.max(0, max - used[limit]);
      rows.push({ pool: name, limit, max, left, counts: countsFor(bins, limit, index) });
    }
  }
  for (const { index, stock, supply } of bins) {
    if (stock === Number.POSITIVE_INFINITY) continue;
    const counts = new Float64Array(bins.length);
    counts[index] = 1;
    rows.push({ pool: supply.point.pool, limit: 'stock', max: stock, left: stock, counts });
  }
  return rows;
}

function countsFor(bins: readonly Bin[], limit: keyof NodeLimits, poolIndex: number | null): Float64Array {
  return Float64Array.from(bins, ({ supply }) => {
    if (supply.kind === 'node' || (poolIndex !== null && supply.poolIndex !== poolIndex)) return 0;
    return countsOf(supply)[limit];
  });
}

/** What is left of all limits while nodes are bought. */
export class LimitBook {
  readonly #rows: readonly LimitRow[];
  readonly #left: Float64Array;

  constructor(rows: readonly LimitRow[]) {
    this.#rows = rows;
    this.#left = Float64Array.from(rows, ({ left }) => left);
  }

  /** How many more of a kind of node may be bought. */
  allowed(bin: number): number {
    let most = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#rows.length; i++) {
      const each = this.#rows[i]?.counts[bin] ?? 0;
      if (each > 0) most = Math.min(most, Math.floor((this.#left[i] ?? 0) / each));
    }
    return most;
  }

  buy(bin: number, times: number): void {
    for (let i = 0; i < this.#rows.length; i++) {
      this.#left[i] = (this.#left[i] ?? 0) - times * (this.#rows[i]?.counts[bin] ?? 0);
    }
  }

  /** The first limit that forbids one more of a kind. */
  forbids(bin: number): LimitRow | null {
    return this.#rows.find(({ counts }, i) => (counts[bin] ?? 0) > (this.#left[i] ?? 0)) ?? null;
  }
}
