import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { RunResult } from '../contract/result.ts';
import { TraceError } from '../contract/trace.ts';
import { defaultSeed } from '../traces/options.ts';
import { meanColdStart } from './coldStart.ts';
import type { ComparedTrace, Comparison, ComparisonRow, FailedRun, TraceBound } from './comparison.ts';
import type { CompareOptions, PolicyToCompare, TraceToCompare } from './options.ts';
import { packTrace } from './packedTrace.ts';
import { ProgressCount } from './progressCount.ts';
import { markBest, overallOf, rowOf, summaryOf } from './rows.ts';
import type { BoundResult, TraceReference } from './task.ts';
import { WorkerPool } from './workerPool.ts';

/**
 * Rehearses every policy on every trace with every seed, each run in a worker thread, and puts what they cost beside what
 * the clairvoyant optimum would. The same options give the same comparison, whatever the number of threads. A run that
 * fails, or whose thread dies, is named in `failures`; the others go on.
 *
 * @throws TraceError for a trace that cannot be read, RangeError for options out of their range, Error where the bound of
 *   a trace cannot be found, and the reason of `signal`.
 */
export async function compare(options: CompareOptions): Promise<Comparison> {
  check(options);
  const { traces, signal } = options;
  const pool = new WorkerPool(options.threads ?? availableParallelism());
  const abort = () => void pool.close(reasonOf(signal));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted) throw reasonOf(signal);
    const count = new ProgressCount(options);
    const found = traces.map((trace) => compareOn(trace, options, pool, count));
    // The first failure ends the others: they must be waited for, or theirs would go unheard.
    const compared = await Promise.all(found).finally(() => {
      void pool.close();
    });
    return comparisonOf(options, compared);
  } finally {
    signal?.removeEventListener('abort', abort);
    await pool.close();
  }
}

interface OnTrace {
  trace: ComparedTrace;
  rows: ComparisonRow[];
  runs: RunResult[];
  failures: FailedRun[];
}

async function compareOn(
  given: TraceToCompare,
  options: CompareOptions,
  pool: WorkerPool,
  count: ProgressCount,
): Promise<OnTrace> {
  const { policies, seeds, model, price = null, startReplicas, worldModule = null, places = [] } = options;
  const packed = 'trace' in given ? { packed: await packTrace(given.trace) } : null;
  const reference = (seed: number): TraceReference =>
    packed ?? ('input' in given ? { input: given.input, options: { seed, ...given.options } } : unreachable());
  const { spanMs } = given;
  const label = labelOf(given);
  const needsStaticPeak = policies.some(({ documents }) => typeof documents === 'function');

  const boundFor = async (seed: number): Promise<BoundResult> => {
    const name = `the bound of ${label}`;
    const task = {
      kind: 'bound',
      trace: reference(seed),
      spanMs,
      model,
      seed,
      startReplicas,
      needsStaticPeak,
    } as const;
    const progress = count.begin();
    const result = await pool.run(task, name, progress.at);
    progress.end(name);
    return result;
  };
  const firstSeed = seeds[0] ?? defaultSeed;
  const first = boundFor(firstSeed);
  /** Other requests with another seed: drawn moments or drawn services. */
  const boundOf = seeds.map(async (seed) => {
    if (seed === firstSeed) return first;
    const { arrivals } = await first;
    const isDrawn =
      (arrivals === 'spread' && !hasOwnSeed(given)) || model.service.type === 'empirical' || model.deferrable;
    if (isDrawn) return boundFor(seed);
    count.skip();
    return first;
  });

  const runOne = async (policy: PolicyToCompare, seed: number, index: number): Promise<RunResult | FailedRun> => {
    const { documents } = policy;
    const name = `${policy.name} on ${label}, seed ${seed}`;
    const bound = typeof documents === 'function' ? await boundOf[index] : null;
    const progress = count.begin();
    try {
      const known = typeof documents === 'function' ? documents(peakOf(bound?.staticPeak)) : documents;
      const task = { kind: 'run', policy: policy.name, documents: [...places, ...known], price, worldModule } as const;
      const common = { trace: reference(seed), spanMs, model, seed, startReplicas };
      return await pool.run({ ...task, ...common }, name, progress.at);
    } catch (error) {
      if (error instanceof TraceError || options.signal?.aborted) throw error;
      return {
        trace: label,
        policy: policy.name,
        seed,
        message: error instanceof Error ? error.message : String(error),
      };
    } finally {
      progress.end(name);
    }
  };
  const results = await Promise.all([
    Promise.all(boundOf),
    ...policies.map((policy) => Promise.all(seeds.map((seed, index) => runOne(policy, seed, index)))),
  ]);
  const [bounds, ...perPolicy] = results;
  return onTrace(bounds, perPolicy.flat(), options);
}

function onTrace(bounds: BoundResult[], results: (RunResult | FailedRun)[], options: CompareOptions): OnTrace {
  const { seeds, model } = options;
  const [about] = bounds;
  if (!about) throw new RangeError('a comparison needs at least one seed');
  const distinct = new Map<BoundResult, TraceBound>();
  const boundOfSeed = new Map<number, TraceBound>();
  for (const [index, seed] of seeds.entries()) {
    const result = bounds[index] ?? about;
    const known = distinct.get(result) ?? traceBound(result);
    known.seeds.push(seed);
    distinct.set(result, known);
    boundOfSeed.set(seed, known);
  }
  const { name, description, workloads, requests, spanMs, arrivals } = about;
  const trace = { trace: name, description, workloads, requests, spanMs, arrivals, bounds: [...distinct.values()] };
  const coldStartMs = meanColdStart(model).ms;
  const runs = results.filter((result): result is RunResult => !('message' in result));
  const rows = runs.map((run) =>
    rowOf(run, boundOfSeed.get(run.seed) ?? traceBound(about), coldStartMs, model.onTimeShare),
  );
  const failures = results.filter((result): result is FailedRun => 'message' in result);
  return { trace, rows, runs, failures: failures.map((failure) => ({ ...failure, trace: name })) };
}

function traceBound({ oracle, staticPeak }: BoundResult): TraceBound {
  const { lowerBoundSeconds, planSeconds, planOnTimeShare, pricedBoundSeconds } = oracle;
  return { seeds: [], lowerBoundSeconds, planSeconds, planOnTimeShare, pricedBoundSeconds, staticPeak };
}

function comparisonOf({ model, policies }: CompareOptions, found: readonly OnTrace[]): Comparison {
  const names = policies.map(({ name }) => name);
  const summaries = found.flatMap(({ rows }) =>
    policies.flatMap(
      ({ name, documents }) =>
        summaryOf(
          rows.filter(({ policy }) => policy === name),
          typeof documents === 'function',
        ) ?? [],
    ),
  );
  const marked = markBest(summaries);
  const { ms, isFixed } = meanColdStart(model);
  return {
    model,
    coldStartMs: ms,
    isStrictBound: isFixed,
    policies: names,
    traces: found.map(({ trace }) => trace),
    rows: found.flatMap(({ rows }) => rows),
    summaries: marked,
    overall: overallOf(names, marked, found.length),
    failures: found.flatMap(({ failures }) => failures),
    runs: found.flatMap(({ runs }) => runs),
  };
}

function check({ traces, policies, seeds }: CompareOptions): void {
  if (traces.length === 0) throw new RangeError('a comparison needs at least one trace');
  if (policies.length === 0) throw new RangeError('a comparison needs at least one policy');
  if (seeds.length === 0) throw new RangeError('a comparison needs at least one seed');
  const bad = seeds.find((seed) => !Number.isSafeInteger(seed) || seed < 0);
  if (bad !== undefined) throw new RangeError(`seed ${bad}: must be a whole number from 0 on`);
  const twice = policies.find(({ name }, index) => policies.findIndex((one) => one.name === name) !== index);
  if (twice) throw new RangeError(`policy ${twice.name} stands there twice`);
  if (new Set(seeds).size !== seeds.length) throw new RangeError('a seed stands there twice');
}

function peakOf(staticPeak: number | null | undefined): number {
  if (staticPeak === null || staticPeak === undefined) {
    throw new Error('no constant count of replicas keeps the on-time share');
  }
  return staticPeak;
}

/** The moments of the requests were asked for with a seed of their own. */
function hasOwnSeed(given: TraceToCompare): boolean {
  return 'trace' in given || given.options?.seed !== undefined;
}

/** As messages name it before it is read. */
function labelOf(given: TraceToCompare): string {
  if ('trace' in given) return given.trace.name;
  return typeof given.input === 'string' ? basename(given.input) : given.input.name;
}

function unreachable(): never {
  throw new Error('a trace is an input or a trace');
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error
    ? reason
    : new Error(`the comparison was ended: ${String(reason ?? 'no reason given')}`);
}
