import type { RunResult } from '../contract/result.ts';
import type { ComparisonRow, PolicyOnTrace, PolicyOverall, TraceBound } from './comparison.ts';

/** A late request is priced as so many cold starts of a replica. */
const latePriceInColdStarts = 2;

export function rowOf(run: RunResult, bound: TraceBound, coldStartMs: number, onTimeShare: number): ComparisonRow {
  const { trace, policy, seed, requests, served, onTime, replicaSeconds } = run;
  const late = requests - onTime;
  const priced = replicaSeconds + (latePriceInColdStarts * coldStartMs * late) / 1000;
  return {
    trace,
    policy,
    seed,
    requests,
    served,
    onTimeShare: requests === 0 ? 1 : onTime / requests,
    // As the bound counts: a share such as 0.99 of 1,000 is not to be missed by a rounding error.
    qualifies: late <= Math.floor(requests * (1 - onTimeShare) + 1e-9),
    replicaSeconds,
    ratio: bound.lowerBoundSeconds > 0 ? replicaSeconds / bound.lowerBoundSeconds : null,
    pricedScore: bound.pricedBoundSeconds > 0 ? priced / bound.pricedBoundSeconds : null,
    waitMs: run.waitMs,
    ...(run.deferrable && {
      deferrable: {
        onTimeShare: run.deferrable.onTime / run.deferrable.requests,
        waitMs: run.deferrable.waitMs,
      },
    }),
    coldStarts: run.coldStarts,
    mostReplicas: run.mostReplicas,
    costMicro: run.costMicro,
    currency: run.currency,
    ...(run.machines && { machines: run.machines }),
    digest: run.digest,
  };
}

/** The runs of a policy on a trace as one line; the best of a trace is marked by `markBest`. */
export function summaryOf(rows: readonly ComparisonRow[], usesHindsight: boolean): PolicyOnTrace | null {
  const [first] = rows;
  if (!first) return null;
  const mean = (of: (row: ComparisonRow) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const most = (of: (row: ComparisonRow) => number) => rows.reduce((max, row) => Math.max(max, of(row)), 0);
  return {
    trace: first.trace,
    policy: first.policy,
    seeds: rows.length,
    qualifies: rows.every(({ qualifies }) => qualifies),
    usesHindsight,
    isBest: false,
    onTimeShare: mean((row) => row.onTimeShare),
    replicaSeconds: mean((row) => row.replicaSeconds),
    ratio: meanOrNull(rows.map(({ ratio }) => ratio)),
    pricedScore: meanOrNull(rows.map(({ pricedScore }) => pricedScore)),
    waitMs: meanWaits(rows.map(({ waitMs }) => waitMs)),
    ...deferrableOf(rows),
    coldStarts: mean((row) => row.coldStarts),
    mostReplicas: most((row) => row.mostReplicas),
    costMicro: meanMicro(rows.map(({ costMicro }) => costMicro)),
    currency: first.currency,
    ...(first.machines && { machines: first.machines }),
  };
}

/** Means, and the longest of all. */
function meanWaits(waits: readonly RunResult['waitMs'][]): RunResult['waitMs'] {
  const mean = (of: (one: RunResult['waitMs']) => number) =>
    waits.reduce((sum, one) => sum + of(one), 0) / waits.length;
  return {
    p50: mean(({ p50 }) => p50),
    p95: mean(({ p95 }) => p95),
    p99: mean(({ p99 }) => p99),
    max: waits.reduce((most, { max }) => Math.max(most, max), 0),
    mean: mean((one) => one.mean),
  };
}

function deferrableOf(rows: readonly ComparisonRow[]): Pick<PolicyOnTrace, 'deferrable'> {
  const figures = rows.flatMap(({ deferrable }) => deferrable ?? []);
  if (figures.length === 0) return {};
  const onTimeShare = figures.reduce((sum, one) => sum + one.onTimeShare, 0) / figures.length;
  return { deferrable: { onTimeShare, waitMs: meanWaits(figures.map(({ waitMs }) => waitMs)) } };
}

/** On each trace the cheapest that qualifies without hindsight; of equals the first. */
export function markBest(summaries: readonly PolicyOnTrace[]): PolicyOnTrace[] {
  const best = new Map<string, PolicyOnTrace>();
  for (const summary of summaries) {
    const known = best.get(summary.trace);
    if (!summary.qualifies || summary.usesHindsight) continue;
    if (!known || amountOf(summary) < amountOf(known)) best.set(summary.trace, summary);
  }
  return summaries.map((summary) => ({ ...summary, isBest: best.get(summary.trace) === summary }));
}

/** What one has over another: money where machines are paid for, since replicas share them; else replicas' time. */
function amountOf({ machines, costMicro, replicaSeconds }: PolicyOnTrace): number {
  return machines ? Number(costMicro ?? 0) : replicaSeconds;
}

export function overallOf(
  policies: readonly string[],
  summaries: readonly PolicyOnTrace[],
  traces: number,
): PolicyOverall[] {
  const found = policies.flatMap((policy): PolicyOverall[] => {
    const own = summaries.filter((summary) => summary.policy === policy);
    if (own.length === 0) return [];
    const qualified = own.filter(({ qualifies }) => qualifies).length;
    const isWhole = own.length === traces;
    return [
      {
        policy,
        qualified,
        traces: own.length,
        ratio: isWhole && qualified === traces ? geometricMean(own.map(({ ratio }) => ratio)) : null,
        pricedScore: isWhole ? geometricMean(own.map(({ pricedScore }) => pricedScore)) : null,
        replicaSeconds: own.reduce((sum, { replicaSeconds }) => sum + replicaSeconds, 0),
        costMicro: sumMicro(own.map(({ costMicro }) => costMicro)),
        currency: own[0]?.currency ?? null,
        usesHindsight: own.some(({ usesHindsight }) => usesHindsight),
        isBest: false,
      },
    ];
  });
  const best = found.reduce<PolicyOverall | null>(
    (least, one) =>
      one.ratio !== null && !one.usesHindsight && (least === null || one.ratio < (least.ratio ?? 0)) ? one : least,
    null,
  );
  return found.map((one) => ({ ...one, isBest: one === best }));
}

/** Null where one is missing. */
export function geometricMean(values: readonly (number | null)[]): number | null {
  let logs = 0;
  for (const value of values) {
    if (value === null || !(value > 0)) return null;
    logs += Math.log(value);
  }
  return values.length === 0 ? null : Math.exp(logs / values.length);
}

function meanOrNull(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}

function sumMicro(values: readonly (string | null)[]): string | null {
  let sum = 0n;
  for (const value of values) {
    if (value === null) return null;
    sum += BigInt(value);
  }
  return String(sum);
}

function meanMicro(values: readonly (string | null)[]): string | null {
  const sum = sumMicro(values);
  if (sum === null) return null;
  const count = BigInt(values.length);
  return String((BigInt(sum) + count / 2n) / count);
}
