import type { CostForecast, CostGroup, CostGrouping, CostTotal } from '@ebb/documents';
import type { LedgerRow, NodeLedgerRow } from '../ports/ports.ts';
import { type CostUnit, costUnits, type UnitInput } from './costUnits.ts';
import { monthOf } from './month.ts';
import { dayMs, forecastDays, forecastMonth } from './monthForecast.ts';
import { apportion, microOf } from './rational.ts';

export interface CostInput extends UnitInput {
  nowMs: number;
}

export interface CostQuery {
  fromMs: number;
  toMs: number;
  by: CostGrouping;
  /** Null: every namespace. */
  namespace: string | null;
}

/**
 * What was paid in a span, by group. Sums are exact; each currency's total is rounded once to the micro-unit, and its
 * groups share that total by largest remainders, so that they add up to it.
 */
export function costGroups(input: CostInput, query: CostQuery): { groups: CostGroup[]; totals: CostTotal[] } {
  const units = costUnits(input, query);
  const groups: CostGroup[] = [];
  const totals: CostTotal[] = [];
  for (const [currency, own] of Map.groupBy(units, (unit) => unit.currency)) {
    const total = microOf(sumOf(own));
    const named = [...Map.groupBy(own, (unit) => unit.group)];
    const shares = apportion(
      total,
      named.map(([, members]) => sumOf(members)),
    );
    totals.push({ currency, costMicro: String(total), ...figuresOf(own, total) });
    for (const [index, [name, members]] of named.entries()) {
      const cost = shares[index] ?? 0n;
      groups.push({ name, currency, costMicro: String(cost), ...figuresOf(members, cost) });
    }
  }
  groups.sort((a, b) => compare(BigInt(b.costMicro), BigInt(a.costMicro)) || (a.name < b.name ? -1 : 1));
  return { groups, totals };
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const sumOf = (units: readonly CostUnit[]): bigint => units.reduce((sum, unit) => sum + unit.priceMs, 0n);

function figuresOf(units: readonly CostUnit[], cost: bigint): Omit<CostTotal, 'currency' | 'costMicro'> {
  const capacities = [
    ...Map.groupBy(
      units.flatMap(({ capacity }) => [...capacity]),
      ([type]) => type,
    ),
  ];
  const capacityParts = apportion(
    cost,
    capacities.map(([, parts]) => parts.reduce((sum, [, priceMs]) => sum + priceMs, 0n)),
  );
  const requests = units.map((unit) => unit.requests);
  return {
    replicaSeconds: units.reduce((sum, unit) => sum + unit.replicaMs, 0) / 1000,
    capacityMicro: Object.fromEntries(capacities.map(([type], index) => [type, String(capacityParts[index] ?? 0n)])),
    idle: idleOf(units),
    alwaysOnMicro: alwaysOnOf(units),
    requests: requests.some((one) => one === null) ? null : requests.reduce<number>((sum, one) => sum + (one ?? 0), 0),
  };
}

/** Null as soon as a part that cost something was not watched: a share of the rest would pass for one of the whole. */
function idleOf(units: readonly CostUnit[]): CostGroup['idle'] {
  let idlePriceMs = 0n;
  let wholePriceMs = 0n;
  for (const unit of units) {
    if (unit.priceMs === 0n) continue;
    if (unit.idlePriceMs === null) return null;
    idlePriceMs += unit.idlePriceMs;
    wholePriceMs += unit.priceMs;
  }
  if (wholePriceMs === 0n) return null;
  const share = Number((idlePriceMs * 10_000n) / wholePriceMs) / 10_000;
  return { share, costMicro: String(microOf(idlePriceMs)) };
}

function alwaysOnOf(units: readonly CostUnit[]): string | null {
  if (units.some((unit) => unit.alwaysOnPriceMs === null)) return null;
  const sum = units.reduce((total, unit) => total + (unit.alwaysOnPriceMs ?? 0n), 0n);
  return String(microOf(sum));
}

/** One forecast for each currency that was paid in. `input` must reach back to the month's start and 28 days. */
export function monthForecasts(input: CostInput, namespace: string | null): CostForecast[] {
  const { nowMs } = input;
  const { startMs } = monthOf(nowMs);
  const paid = (fromMs: number, toMs: number) => {
    const units = costUnits(input, { fromMs, toMs, by: 'workload', namespace });
    return Map.groupBy(units, (unit) => unit.currency);
  };
  const month = paid(startMs, nowMs);
  const knownDays = Math.min(forecastDays, Math.floor((nowMs - firstMsOf(input, namespace)) / dayMs));
  const days = Array.from({ length: Math.max(0, knownDays) }, (_, ago) =>
    paid(nowMs - (ago + 1) * dayMs, nowMs - ago * dayMs),
  );
  const currencies = new Set([...month.keys(), ...days.flatMap((day) => [...day.keys()])]);
  return [...currencies].sort().map((currency) => {
    const micro = (paidThen: Map<string, CostUnit[]>) => microOf(sumOf(paidThen.get(currency) ?? []));
    return forecastMonth(
      currency,
      nowMs,
      micro(month),
      days.map((day) => Number(micro(day))),
    );
  });
}

/** Since when costs are known: the first document or row. */
function firstMsOf({ workloads, rows, nodeRows }: CostInput, namespace: string | null): number {
  const applied = workloads.filter((one) => namespace === null || one.key.split('/')[1] === namespace);
  const begun: (LedgerRow | NodeLedgerRow)[] = [
    ...rows.filter(({ workload }) => namespace === null || workload.split('/')[1] === namespace),
    ...(namespace === null ? nodeRows : []),
  ];
  return Math.min(
    Number.MAX_SAFE_INTEGER,
    ...[applied.map(({ createdAtMs }) => createdAtMs), begun.map(({ fromMs }) => fromMs)].map((times) =>
      times.reduce((first, time) => Math.min(first, time), Number.MAX_SAFE_INTEGER),
    ),
  );
}
