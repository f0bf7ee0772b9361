import { type Clock, type LedgerRow, type LedgerStore, monthOf, peakReplicas } from '@ebb/core';
import { RowWriter } from './rowWriter.ts';
import type { LogLevel } from './types.ts';

export interface LedgerOptions {
  store: LedgerStore;
  clock: Clock;
  log(level: LogLevel, message: string, data?: Record<string, unknown>): void;
}

/** What a workload's replicas ran up, and how many of them there were at once. */
export interface WorkloadLedger {
  open: Map<string, LedgerRow>;
  /** Sum of price × milliseconds of the closed rows: micro-units per hour × ms. */
  closedPriceMs: bigint;
  closedMs: number;
  firstMs: number | null;
  peakReplicas: number;
  /** Price of the dearest class that ran, for the comparison with always-on. */
  peakPricePerHourMicro: number;
  currency: string | null;
  /** Closed rows of the calendar month (UTC) by currency: price × milliseconds, as above. */
  month: { startMs: number; closedPriceMs: Map<string, bigint> };
}

/**
 * What ran, from when to when, at what price: one row a replica, open from the moment it was asked for until it is
 * gone. Rows are kept in memory as sums and written in the background; a row that cannot be written yet waits.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #workloads = new Map<string, WorkloadLedger>();
  readonly #writer: RowWriter<LedgerRow>;

  constructor(options: LedgerOptions) {
    const { store, clock, log } = options;
    this.#options = options;
    // By replica, so at most one waiting row each.
    this.#writer = new RowWriter({
      ...{ name: 'ledger', clock, log },
      keyOf: ({ replica }) => replica,
      write: (rows) => store.write(rows),
    });
  }

  /** Sums up what the store has. Rows still open stay so until `settle` or `close`. */
  async load(): Promise<void> {
    const rows = await this.#options.store.read({});
    for (const [key, own] of Map.groupBy(rows, (row) => row.workload)) {
      const ledger = this.#of(key);
      for (const row of own) this.#add(ledger, row);
      ledger.peakReplicas = peakReplicas(own, this.#options.clock.nowMs());
    }
  }

  /** After adoption: rows of replicas that no longer exist end at the last moment at which they were known to run. */
  settle(existing: ReadonlySet<string>, lastKnownMs: number): string[] {
    const ended: string[] = [];
    for (const ledger of this.#workloads.values()) {
      for (const row of [...ledger.open.values()]) {
        if (existing.has(row.replica)) continue;
        ended.push(row.replica);
        this.close(row.workload, row.replica, Math.max(row.fromMs, lastKnownMs));
      }
    }
    return ended;
  }

  open(row: Omit<LedgerRow, 'toMs'>): void {
    const ledger = this.#of(row.workload);
    if (ledger.open.has(row.replica)) return;
    const opened = { ...row, toMs: null };
    this.#add(ledger, opened);
    ledger.peakReplicas = Math.max(ledger.peakReplicas, ledger.open.size);
    this.#writer.write(opened);
  }

  close(workload: string, replica: string, atMs: number): void {
    const ledger = this.#of(workload);
    const row = ledger.open.get(replica);
    if (!row) return;
    ledger.open.delete(replica);
    const closed = { ...row, toMs: Math.max(row.fromMs, atMs) };
    this.#add(ledger, closed);
    this.#writer.write(closed);
  }

  of(workload: string): Readonly<WorkloadLedger> {
    return this.#of(workload);
  }

  /** What was paid since the month began, in one currency: micro-units per hour × ms. Null: in every namespace. */
  monthPriceMs(namespace: string | null, currency: string, nowMs: number): bigint {
    const { startMs } = monthOf(nowMs);
    let sum = 0n;
    for (const [key, { open, month }] of this.#workloads) {
      if (namespace !== null && key.split('/')[1] !== namespace) continue;
      if (month.startMs === startMs) sum += month.closedPriceMs.get(currency) ?? 0n;
      for (const row of open.values()) {
        if (row.currency !== currency) continue;
        sum += BigInt(row.pricePerHourMicro) * BigInt(Math.max(0, nowMs - Math.max(row.fromMs, startMs)));
      }
    }
    return sum;
  }

  /** Waits until everything is written, or writing failed. */
  async flush(): Promise<void> {
    await this.#writer.flush();
  }

  abandon(): void {
    this.#writer.abandon();
  }

  #of(key: string): WorkloadLedger {
    let ledger = this.#workloads.get(key);
    if (!ledger) {
      ledger = {
        open: new Map(),
        closedPriceMs: 0n,
        closedMs: 0,
        firstMs: null,
        peakReplicas: 0,
        peakPricePerHourMicro: 0,
        currency: null,
        month: { startMs: 0, closedPriceMs: new Map() },
      };
      this.#workloads.set(key, ledger);
    }
    return ledger;
  }

  #add(ledger: WorkloadLedger, row: LedgerRow): void {
    ledger.firstMs = ledger.firstMs === null ? row.fromMs : Math.min(ledger.firstMs, row.fromMs);
    ledger.peakPricePerHourMicro = Math.max(ledger.peakPricePerHourMicro, row.pricePerHourMicro);
    ledger.currency = row.currency;
    if (row.toMs === null) {
      ledger.open.set(row.replica, row);
    } else {
      ledger.closedMs += row.toMs - row.fromMs;
      ledger.closedPriceMs += BigInt(row.pricePerHourMicro) * BigInt(row.toMs - row.fromMs);
      this.#addToMonth(ledger.month, row, row.toMs);
    }
  }

  #addToMonth(month: WorkloadLedger['month'], row: LedgerRow, toMs: number): void {
    const { startMs } = monthOf(this.#options.clock.nowMs());
    if (month.startMs !== startMs) {
      month.startMs = startMs;
      month.closedPriceMs.clear();
    }
    const ms = Math.max(0, toMs - Math.max(row.fromMs, startMs));
    const before = month.closedPriceMs.get(row.currency) ?? 0n;
    month.closedPriceMs.set(row.currency, before + BigInt(row.pricePerHourMicro) * BigInt(ms));
  }
}
