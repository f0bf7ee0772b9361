import { affordableRateMicro, type AllocationLimits, type Budget, monthOf, type Quota } from '@ebb/core';
import type { BudgetStatus, MonthBudget } from '@ebb/documents';
import type { Ledger } from './ledger.ts';

const msPerHour = 3_600_000;

export interface BudgetRule extends MonthBudget {
  /** Null: of all workloads. */
  namespace: string | null;
}

/** What a budget has come to. */
export function budgetStatus(rule: BudgetRule, ledger: Ledger, nowMs: number): BudgetStatus {
  const { namespace, currency, mode, limitMicro } = rule;
  return {
    namespace,
    currency,
    mode,
    limitMicro: String(limitMicro),
    spentMicro: String(spentMicro(rule, ledger, nowMs)),
  };
}

/**
 * The limits with what the budgets leave of them now. Something may start while an hour of it can be paid from what is
 * left of the month: a budget is not spread over the month, so that a workload that mostly sleeps may burst.
 */
export function withBudgets(
  limits: AllocationLimits,
  rules: readonly BudgetRule[],
  ledger: Ledger,
  nowMs: number,
): AllocationLimits {
  if (rules.length === 0) return limits;
  const quotas: Quota[] = [...(limits.quotas ?? [])];
  let whole: Budget | undefined;
  for (const rule of rules) {
    const budget = budgetOf(rule, ledger, nowMs);
    if (rule.namespace === null) whole = budget;
    else if (rule.mode === 'stopGrowing') {
      const maxPricePerHourMicro = affordableRateMicro(budget);
      const name = `budget of namespace ${rule.namespace}`;
      quotas.push({ name, scope: { namespace: rule.namespace }, maxPricePerHourMicro });
    }
  }
  return { ...limits, quotas, ...(whole ? { budget: whole } : {}) };
}

function budgetOf(rule: BudgetRule, ledger: Ledger, nowMs: number): Budget {
  const { currency, limitMicro, mode } = rule;
  return {
    currency,
    spentMicro: Number(spentMicro(rule, ledger, nowMs)),
    limitMicro,
    asOfMs: nowMs,
    windowEndsAtMs: Math.min(monthOf(nowMs).endMs, nowMs + msPerHour),
    mode: mode === 'warn' ? 'warn' : 'stop-growing',
  };
}

/** Rounded up: what is spent in part is spent. */
function spentMicro({ namespace, currency }: BudgetRule, ledger: Ledger, nowMs: number): bigint {
  const hour = BigInt(msPerHour);
  return (ledger.monthPriceMs(namespace, currency, nowMs) + hour - 1n) / hour;
}
