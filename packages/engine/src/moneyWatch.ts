import { type AllocationLimits, costOf, monthOf } from '@ebb/core';
import type { BudgetStatus } from '@ebb/documents';
import { type BudgetRule, budgetStatus, withBudgets } from './budgets.ts';
import type { EngineContext } from './context.ts';
import { isoTime } from './isoTime.ts';
import { MoneyNotices, moneyOf } from './moneyNotices.ts';
import type { WorkloadState } from './workloadState.ts';

/** What the Cluster document says of money. */
export interface MoneyRules {
  budgets: BudgetRule[];
  /** A workload that costs more than this without a request for so long is named; null: none is. */
  idle: { costAboveMicro: number; forMs: number } | null;
}

export interface IdleCost {
  currency: string;
  costMicro: bigint;
  sinceMs: number;
}

export const noMoneyRules: MoneyRules = { budgets: [], idle: null };

/** Looks at budgets and at workloads that cost without use, once a minute while there is a rule for it. */
export class MoneyWatch {
  readonly #context: EngineContext;
  readonly #notices: MoneyNotices;
  #rules = noMoneyRules;
  readonly #idle = new Map<string, IdleCost>();
  /** When a trigger of a workload was last seen active. */
  readonly #triggered = new Map<string, number>();
  #spent = '';

  constructor(context: EngineContext) {
    this.#context = context;
    this.#notices = new MoneyNotices(context);
  }

  setRules(rules: MoneyRules): void {
    if (JSON.stringify(rules) === JSON.stringify(this.#rules)) return;
    this.#rules = rules;
    this.#idle.clear();
    this.stop();
    if (rules.idle || rules.budgets.length > 0) this.#notices.start(() => this.#look());
  }

  stop(): void {
    this.#notices.stop();
  }

  /** Limits over all workloads, with what the budgets leave. */
  limits(): AllocationLimits {
    const { limits, ledger, ports } = this.#context;
    return withBudgets(limits, this.#rules.budgets, ledger, ports.clock.nowMs());
  }

  budgets(): BudgetStatus[] {
    const { ledger, ports } = this.#context;
    return this.#rules.budgets.map((rule) => budgetStatus(rule, ledger, ports.clock.nowMs()));
  }

  /** What the workload costs without use; null: nothing to name. Undefined: nobody asked to be told. */
  idleCost(key: string): IdleCost | null | undefined {
    return this.#rules.idle ? (this.#idle.get(key) ?? null) : undefined;
  }

  async #look(): Promise<void> {
    this.#lookAtBudgets();
    await this.#lookAtIdle();
  }

  #lookAtBudgets(): void {
    const { ports, workloads } = this.#context;
    const { startMs, endMs } = monthOf(ports.clock.nowMs());
    const statuses = this.budgets();
    const isSpent = statuses.map(({ spentMicro, limitMicro }) => BigInt(spentMicro) >= BigInt(limitMicro));
    for (const status of statuses) this.#tellBudget(status, startMs, endMs);
    const spent = `${startMs} ${isSpent.join()}`;
    // A new month, or a budget that is spent by now, changes what may run.
    if (spent !== this.#spent) for (const state of workloads.values()) this.#context.touch(state, 'grant');
    this.#spent = spent;
  }

  #tellBudget(status: BudgetStatus, startMs: number, monthEndsAtMs: number): void {
    const { namespace, spentMicro, limitMicro } = status;
    const percent = this.#notices.newStep(namespace ?? '', startMs, BigInt(spentMicro), BigInt(limitMicro));
    if (percent === null) return;
    const whose = status.namespace === null ? 'all workloads' : `namespace ${status.namespace}`;
    const amounts = `${moneyOf(status.spentMicro, status.currency)} of ${moneyOf(status.limitMicro, status.currency)}`;
    const then = percent < 100 ? '' : status.mode === 'stopGrowing' ? '; nothing more is started' : '; it only warns';
    const message = `budget of ${whose}: ${amounts} are spent this month${then}`;
    this.#notices.tell({ type: 'budget', ...status, percent, monthEndsAtMs, message });
  }

  async #lookAtIdle(): Promise<void> {
    const { idle } = this.#rules;
    if (!idle) return;
    for (const state of this.#context.workloads.values()) {
      const found = state.removed ? null : await this.#idleCostOf(state, idle);
      // The rules may be others by now.
      if (this.#rules.idle !== idle || this.#context.stopped) return;
      const known = this.#idle.get(state.key);
      if (found) this.#idle.set(state.key, found);
      else this.#idle.delete(state.key);
      if ((found === null) !== (known === undefined)) this.#context.feed.changed(state.key, true);
      if (found && !known) this.#tellIdle(state, found);
    }
  }

  async #idleCostOf(
    state: WorkloadState,
    { costAboveMicro, forMs }: NonNullable<MoneyRules['idle']>,
  ): Promise<IdleCost | null> {
    const { ledger, ports } = this.#context;
    const nowMs = ports.clock.nowMs();
    const sinceMs = this.#usedAtMs(state, nowMs);
    const [row] = ledger.of(state.key).open.values();
    if (!row || nowMs - sinceMs < forMs) return null;
    await ledger.flush();
    const rows = await ports.store.ledger.read({ workload: state.key, fromMs: sinceMs });
    const own = rows.filter(({ currency }) => currency === row.currency);
    const { micro } = costOf(own, nowMs, sinceMs);
    return micro > BigInt(costAboveMicro) ? { currency: row.currency, costMicro: micro, sinceMs } : null;
  }

  /** The last request, or the last time that a trigger was active; before any, when it was applied. */
  #usedAtMs(state: WorkloadState, nowMs: number): number {
    if (state.triggers?.status().some(({ active }) => active)) this.#triggered.set(state.key, nowMs);
    return Math.max(
      state.stored.createdAtMs,
      state.lastActiveAtMs ?? 0,
      state.demand.lastActiveAtMs(nowMs) ?? 0,
      this.#triggered.get(state.key) ?? 0,
    );
  }

  #tellIdle(state: WorkloadState, { currency, costMicro, sinceMs }: IdleCost): void {
    const since = isoTime(sinceMs);
    const message = `${state.key} has cost ${moneyOf(costMicro, currency)} without a request since ${since}`;
    const { key: workload } = state;
    this.#notices.tell({
      type: 'idle-cost',
      workload,
      currency,
      costMicro: String(costMicro),
      idleSinceMs: sinceMs,
      message,
    });
  }
}
