import { costGroups, forecastDays, costDayMs, microOf, monthForecasts, monthOf } from '@ebb/core';
import type { CostGrouping, CostReport, MachineCost } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import type { MoneyWatch } from './moneyWatch.ts';
import type { UsageMeter } from './usageMeter.ts';

export interface CostRequest {
  fromMs: number;
  /** Later than now is now. */
  toMs: number;
  by: CostGrouping;
  /** Null: every namespace. */
  namespace: string | null;
}

/** What was paid in a span, by group, with the month's forecast and the budgets. */
export async function costOfSpan(
  context: EngineContext,
  usage: UsageMeter,
  money: MoneyWatch,
  request: CostRequest,
): Promise<CostReport> {
  const { ports, ledger, workloads, fleets } = context;
  await ledger.flush();
  const nowMs = ports.clock.nowMs();
  const toMs = Math.min(request.toMs, nowMs);
  const fromMs = Math.min(request.fromMs, toMs);
  const backToMs = Math.min(fromMs, monthOf(nowMs).startMs, nowMs - forecastDays * costDayMs);
  await fleets.ledger.flush();
  const rows = await ports.store.ledger.read({ fromMs: backToMs });
  const nodeRows = await ports.store.ledger.readNodes({ fromMs: backToMs });
  const input = {
    rows,
    nodeRows,
    usage: await usage.hours(fromMs, toMs),
    workloads: [...workloads.values()]
      .filter(({ removed }) => !removed)
      .map(({ key, stored, spec }) => ({
        key,
        createdAtMs: stored.createdAtMs,
        labels: spec.labels,
        classes: Object.fromEntries(spec.classes.map(({ name, resources }) => [name, resources.requests])),
      })),
    nowMs,
  };
  const { by, namespace } = request;
  return {
    at: nowMs,
    from: fromMs,
    to: toMs,
    by,
    namespace,
    ...costGroups(input, { fromMs, toMs, by, namespace }),
    machines: namespace === null ? machineCosts(context, fromMs, toMs) : [],
    forecasts: monthForecasts(input, namespace),
    budgets: money.budgets().filter((one) => namespace === null || one.namespace === namespace),
  };
}

/** What was paid for machines beside the least that would have done. */
function machineCosts({ fleets, ports }: EngineContext, fromMs: number, toMs: number): MachineCost[] {
  const nowMs = ports.clock.nowMs();
  return fleets.list().flatMap((fleet) => {
    const { paidPriceMs, leastPriceMs } = fleet.least.between(fromMs, toMs, nowMs);
    if (paidPriceMs === 0n) return [];
    const { name: cluster, currency } = fleet;
    return [{ cluster, currency, costMicro: String(microOf(paidPriceMs)), leastMicro: String(microOf(leastPriceMs)) }];
  });
}
