import type { LedgerRow } from '../ports/ports.ts';
import { microOf } from './rational.ts';

/** Of the ledger of replicas, or of that of nodes. */
type PricedSpan = Pick<LedgerRow, 'fromMs' | 'toMs' | 'pricePerHourMicro'>;

export interface Cost {
  /** Micro-units of the currency, rounded half up once, at the end. */
  micro: bigint;
  replicaMs: number;
}

/** What the rows cost by `nowMs`, from `fromMs` on where that is given. Open rows run until now. Sums are exact. */
export function costOf(rows: Iterable<PricedSpan>, nowMs: number, fromMs: number = Number.MIN_SAFE_INTEGER): Cost {
  let microMs = 0n;
  let replicaMs = 0;
  for (const row of rows) {
    const ms = Math.max(0, Math.min(row.toMs ?? nowMs, nowMs) - Math.max(row.fromMs, fromMs));
    microMs += BigInt(row.pricePerHourMicro) * BigInt(ms);
    replicaMs += ms;
  }
  return { micro: microOf(microMs), replicaMs };
}

/** What a fixed number of replicas costs when it is kept for `ms`. */
export function costOfKeeping(replicas: number, ms: number, pricePerHourMicro: number): Cost {
  const replicaMs = replicas * Math.max(0, Math.trunc(ms));
  return { micro: microOf(BigInt(replicaMs) * BigInt(pricePerHourMicro)), replicaMs };
}

/** The largest number of rows that were open at one moment. */
export function peakReplicas(rows: Iterable<Pick<PricedSpan, 'fromMs' | 'toMs'>>, nowMs: number): number {
  const edges: [number, number][] = [];
  for (const row of rows) edges.push([row.fromMs, 1], [row.toMs ?? nowMs + 1, -1]);
  // At one moment an end comes before a beginning: a replaced replica is one replica.
  edges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let open = 0;
  let most = 0;
  for (const [, step] of edges) {
    open += step;
    most = Math.max(most, open);
  }
  return most;
}
