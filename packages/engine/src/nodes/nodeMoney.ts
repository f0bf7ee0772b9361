import { monthOf, type NodeLedgerRow } from '@ebb/core';
import { type ClusterSpec, keyText, type NodePoolSpec } from '@ebb/documents';
import type { EngineContext } from '../context.ts';
import { isoTime } from '../isoTime.ts';
import { type MoneyNotice, moneyOf } from '../moneyWatch.ts';
import { messageOf } from '../replicaActions.ts';
import type { Fleet } from './fleet.ts';

const lookEveryMs = 60_000;
const percentSteps = [100, 80];
const msPerHour = 3_600_000n;

/** Looks once a minute at what machines have cost: budgets of pools for the month, and pools that cost without work. */
export class NodeMoney {
  readonly #context: EngineContext;
  readonly #fleets: () => readonly Fleet[];
  /** A pool's budget is spent, or is no more. */
  readonly #onSpent: () => void;
  #cancel: (() => void) | null = null;
  /** By pool: what it has cost this month. */
  readonly #spentMicro = new Map<string, bigint>();
  /** Pools without work that were named, by key; what is said of them. */
  readonly #idle = new Map<string, string>();
  /** Steps that were told, by pool and month. */
  readonly #told = new Map<string, number>();
  /** Since when no replica was there, by node. */
  readonly #emptySinceMs = new Map<string, number>();

  constructor(context: EngineContext, fleets: () => readonly Fleet[], onSpent: () => void) {
    this.#context = context;
    this.#fleets = fleets;
    this.#onSpent = onSpent;
  }

  start(): void {
    if (!this.#cancel) this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Whether a pool has spent what it may this month. */
  isSpent({ key, budget }: NodePoolSpec): boolean {
    const limit = budget.perMonthMicro;
    return limit !== null && (this.#spentMicro.get(keyText(key)) ?? 0n) >= BigInt(limit);
  }

  /** What is to be said of a cluster's pools. */
  sentences(cluster: string): string[] {
    return [...this.#idle].filter(([pool]) => pool.startsWith(`${cluster}/`)).map(([, sentence]) => sentence);
  }

  #schedule(): void {
    const { clock, log } = this.#context.ports;
    this.#cancel = clock.at(clock.nowMs() + lookEveryMs, () => {
      if (this.#context.stopped) return;
      this.#schedule();
      this.#look().catch((error: unknown) =>
        log('warn', 'cost of machines not looked at', { error: messageOf(error) }),
      );
    });
  }

  async #look(): Promise<void> {
    const { clock, store } = this.#context.ports;
    const nowMs = clock.nowMs();
    const { startMs, endMs } = monthOf(nowMs);
    const rows = await store.ledger.readNodes({ fromMs: startMs });
    if (this.#context.stopped) return;
    const byPool = Map.groupBy(rows, ({ pool }) => pool);
    let isChanged = false;
    for (const fleet of this.#fleets()) {
      const { documents } = fleet;
      if (!documents) continue;
      this.#noteEmpty(fleet, nowMs);
      for (const { consolidation } of documents.parts.pools) {
        const pool = consolidation.pool.name;
        const own = byPool.get(pool) ?? [];
        const spec = documents.parts.documents.get(pool) ?? null;
        if (spec) {
          const before = this.isSpent(spec);
          this.#spentMicro.set(pool, costOfRows(own, startMs, nowMs));
          if (before !== this.isSpent(spec)) isChanged = true;
          this.#tellBudget(pool, spec, startMs, endMs);
        }
        this.#lookAtIdle(pool, own, fleet, documents.cluster, nowMs);
      }
    }
    if (isChanged) this.#onSpent();
  }

  #noteEmpty(fleet: Fleet, nowMs: number): void {
    const used = new Set([...fleet.replicas()].map(({ place }) => place?.bound?.node));
    for (const { id, readyAtMs } of fleet.memory?.nodes ?? []) {
      if (readyAtMs === null || used.has(id)) this.#emptySinceMs.delete(id);
      else if (!this.#emptySinceMs.has(id)) this.#emptySinceMs.set(id, nowMs);
    }
    const known = new Set(this.#fleets().flatMap(({ memory }) => memory?.nodes.map(({ id }) => id) ?? []));
    for (const id of this.#emptySinceMs.keys()) if (!known.has(id)) this.#emptySinceMs.delete(id);
  }

  /** A pool none of whose machines has had a replica for long, and which has cost too much meanwhile. */
  #lookAtIdle(
    pool: string,
    rows: readonly NodeLedgerRow[],
    fleet: Fleet,
    { alarms: { idleCostAboveMicro, idleForMs } }: ClusterSpec,
    nowMs: number,
  ): void {
    const open = rows.filter(({ toMs }) => toMs === null);
    const since = open.map(({ node }) => this.#emptySinceMs.get(node));
    const isIdle = open.length > 0 && since.every((ms) => ms !== undefined && nowMs - ms >= idleForMs);
    const sinceMs = Math.max(...since.map((ms) => ms ?? 0));
    const cost = isIdle ? costOfRows(open, sinceMs, nowMs) : 0n;
    if (!isIdle || idleCostAboveMicro === null || cost <= BigInt(idleCostAboveMicro)) {
      this.#idle.delete(pool);
      return;
    }
    const names = open.map(({ node }) => node).join(', ');
    const message = `pool ${pool} has cost ${moneyOf(cost, fleet.currency)} without work since ${isoTime(sinceMs)}: ${names}`;
    const isNew = !this.#idle.has(pool);
    this.#idle.set(pool, message);
    if (isNew) {
      const what = { pool, currency: fleet.currency, costMicro: String(cost), idleSinceMs: sinceMs };
      this.#tell({ type: 'idle-pool', ...what, message });
    }
  }

  #tellBudget(pool: string, { budget }: NodePoolSpec, monthMs: number, monthEndsAtMs: number): void {
    const { perMonthMicro, currency } = budget;
    if (perMonthMicro === null) return;
    const limit = BigInt(perMonthMicro);
    const spent = this.#spentMicro.get(pool) ?? 0n;
    const percent = percentSteps.find((step) => spent * 100n >= limit * BigInt(step));
    const name = `${pool} ${monthMs}`;
    if (percent === undefined || (this.#told.get(name) ?? 0) >= percent) return;
    this.#told.set(name, percent);
    const then = percent < 100 ? '' : '; nothing more is bought for it';
    const message = `budget of pool ${pool}: ${moneyOf(spent, currency)} of ${moneyOf(limit, currency)} are spent this month${then}`;
    const what = { pool, currency, limitMicro: String(limit), spentMicro: String(spent) };
    this.#tell({ type: 'pool-budget', ...what, percent, monthEndsAtMs, message });
  }

  #tell(notice: MoneyNotice): void {
    const { log, notify } = this.#context.ports;
    const { message, ...data } = notice;
    log('warn', message, data);
    notify?.(notice);
  }
}

/** Rounded up: what is spent in part is spent. */
function costOfRows(rows: readonly NodeLedgerRow[], fromMs: number, nowMs: number): bigint {
  let priceMs = 0n;
  for (const row of rows) {
    const ms = Math.max(0, (row.toMs ?? nowMs) - Math.max(row.fromMs, fromMs));
    priceMs += BigInt(row.pricePerHourMicro) * BigInt(ms);
  }
  return (priceMs + msPerHour - 1n) / msPerHour;
}
