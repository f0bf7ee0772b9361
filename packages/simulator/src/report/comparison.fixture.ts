import type { Comparison, PolicyOnTrace } from '../compare/comparison.ts';
import { markBest, overallOf, rowOf, summaryOf } from '../compare/rows.ts';
import { comparableModel } from '../contract/model.ts';
import type { RunResult } from '../contract/result.ts';

export interface MadeRun {
  trace: string;
  policy: string;
  replicaSeconds: number;
  onTime: number;
}

const buckets = 600;

function runOf({ trace, policy, replicaSeconds, onTime }: MadeRun): RunResult {
  const curve = (of: (index: number) => number) => Float64Array.from({ length: buckets }, (_, index) => of(index));
  const replicas = replicaSeconds / (buckets * 10);
  return {
    trace,
    policy,
    seed: 1,
    requests: 1000,
    served: 1000,
    onTime,
    waitMs: { p50: 0, p95: 1234, p99: 61_000, max: 90_000, mean: 12 },
    coldStarts: 7,
    replicaSeconds,
    mostReplicas: 9,
    servedSlotSeconds: 2200,
    costMicro: String(Math.round((replicaSeconds / 3600) * 1_200_000)),
    currency: 'USD',
    spanMs: buckets * 10_000,
    curves: {
      bucketMs: 10_000,
      arrivals: curve((index) => 1 + Math.sin(index / 20)),
      demand: curve((index) => 8 + 8 * Math.sin(index / 20)),
      ready: curve((index) => replicas * (1 + 0.5 * Math.sin(index / 30))),
      billed: curve((index) => replicas * (1 + 0.6 * Math.sin(index / 30))),
      waitP99Ms: curve((index) => (index % 50 === 0 ? 61_000 : index % 7)),
    },
    digest: `${policy}-${trace}`,
  };
}

/** A comparison as `compare` would give it, of runs that are made up; the optimum is 3,600 replica-seconds everywhere. */
export function comparisonOf(made: readonly MadeRun[], hindsight: readonly string[] = []): Comparison {
  const model = comparableModel(60_000);
  const bound = {
    seeds: [1],
    lowerBoundSeconds: 3600,
    planSeconds: 4000,
    planOnTimeShare: 0.99,
    pricedBoundSeconds: 3000,
    staticPeak: 3,
  };
  const runs = made.map(runOf);
  const rows = runs.map((run) => rowOf(run, bound, 60_000, model.onTimeShare));
  const traces = [...new Set(made.map(({ trace }) => trace))];
  const policies = [...new Set(made.map(({ policy }) => policy))];
  const summaries = markBest(
    rows.flatMap((row): PolicyOnTrace[] => {
      const summary = summaryOf([row], hindsight.includes(row.policy));
      return summary ? [summary] : [];
    }),
  );
  return {
    model,
    coldStartMs: 60_000,
    isStrictBound: true,
    policies,
    traces: traces.map((trace) => ({
      trace,
      description: `${trace}.csv (requests)`,
      workloads: 1,
      requests: 1000,
      spanMs: buckets * 10_000,
      arrivals: 'recorded',
      bounds: [bound],
    })),
    rows,
    summaries,
    overall: overallOf(policies, summaries, traces.length),
    failures: [],
    runs,
  };
}
