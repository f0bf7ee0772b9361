import { costOf, monthOf, type NodeLedgerRow } from '@ebb/core';
import { type ClusterSpec, keyText, type NodePoolSpec } from '@ebb/documents';
import type { EngineContext } from '../context.ts';
import { isoTime } from '../isoTime.ts';
import { MoneyNotices, moneyOf } from '../moneyNotices.ts';
import type { Fleet } from './fleet.ts';

/** Looks once a minute at what machines have cost: budgets of pools for the month, and pools that cost without work. */
export class NodeMoney {
  readonly #context: EngineContext;
  readonly #notices: MoneyNotices;
  readonly #fleets: () => readonly Fleet[];
  /** A pool's budget is spent, or is no more. */
  readonly #onSpent: () => void;
  /** By pool: what it has cost this month. */
  readonly #spentMicro = new Map<string, bigint>();
  /** Pools without work that were named, by key; what is said of them. */
  readonly #idle = new Map<string, string>();
  /** Since when no replica was there, by node. */
  readonly #emptySinceMs = new Map<string, number>();

  constructor(context: EngineContext, fleets: () => readonly Fleet[], onSpent: () => void) {
    this.#context = context;
    this.#notices = new MoneyNotices(context);
    this.#fleets = fleets;
    this.#onSpent = onSpent;
  }

  start(): void {
    this.#notices.start(() => this.#look());
  }

  stop(): void {
    this.#notices.stop();
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
          this.#spentMicro.set(pool, costOf(own, nowMs, startMs).micro);
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
    const cost = isIdle ? costOf(open, nowMs, sinceMs).micro : 0n;
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
      this.#notices.tell({ type: 'idle-pool', ...what, message });
    }
  }

  #tellBudget(pool: string, { budget }: NodePoolSpec, monthMs: number, monthEndsAtMs: number): void {
    const { perMonthMicro, currency } = budget;
    if (perMonthMicro === null) return;
    const limit = BigInt(perMonthMicro);
    const spent = this.#spentMicro.get(pool) ?? 0n;
    const percent = this.#notices.newStep(pool, monthMs, spent, limit);
    if (percent === null) return;
    const then = percent < 100 ? '' : '; nothing more is bought for it';
    const message = `budget of pool ${pool}: ${moneyOf(spent, currency)} of ${moneyOf(limit, currency)} are spent this month${then}`;
    const what = { pool, currency, limitMicro: String(limit), spentMicro: String(spent) };
    this.#notices.tell({ type: 'pool-budget', ...what, percent, monthEndsAtMs, message });
  }
}
