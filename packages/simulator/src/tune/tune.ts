import { availableParallelism } from 'node:os';
import { resolveWorkload } from '@ebb/documents';
import type { CompareProgress } from '../compare/options.ts';
import { type PackedTrace, packTrace } from '../compare/packedTrace.ts';
import { WorkerPool } from '../compare/workerPool.ts';
import { readTrace } from '../traces/readTrace.ts';
import { isBetter, type Objective, paretoFront, type Rival, tuningRun } from './objective.ts';
import { search } from './search.ts';
import { documentsAt, editsOf, type Point, presentPoint, type TuningSpace, valuesAt } from './space.ts';
import { partOf } from './splitTrace.ts';
import type {
  StoppedSetting,
  TuneOptions,
  Tuning,
  TuningChange,
  TuningPair,
  TuningRun,
  TuningVerdict,
} from './tuning.ts';

/** Fewer runs find nothing. */
export const leastRuns = 4;
/** Saving less than this share of the cost on the training part is no reason to change a document. */
const leastGain = 0.005;

/**
 * Searches the settings of a policy for the cheapest that keeps the on-time share, on the first part of a trace, and judges
 * the one that it found on the rest, which the search has never seen and which is looked at once. What does not hold there is
 * no proposal. The same options give the same outcome, whatever the number of threads, unless time ends the search.
 *
 * @throws TraceError for a trace that cannot be read, RangeError for options out of their range, and the reason of `signal`.
 */
export async function tune(options: TuneOptions): Promise<Tuning> {
  check(options);
  const { space, model, seed, split, runs, timeMs = Number.POSITIVE_INFINITY, lateness = null, signal } = options;
  const beganMs = performance.now();
  const packed = await packedTrace(options);
  const { about } = packed;
  const splitUs = Math.round(about.spanUs * split);
  const training = partOf(packed, 0, splitUs, 'training');
  const validation = partOf(packed, splitUs, about.spanUs, 'validation');
  for (const [part, name] of [
    [training, 'training'],
    [validation, 'validation'],
  ] as const) {
    if (part.requests === 0) throw new RangeError(`the ${name} part of the trace has no requests; split it elsewhere`);
  }
  const pool = new WorkerPool(options.threads ?? availableParallelism());
  const abort = () => void pool.close(reasonOf(signal));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted) throw reasonOf(signal);
    const { rehearse, race } = rehearsals(options, pool, training);
    const leastMicroPerSecond = leastPricePerHourMicro(options) / 3600;
    const objective: Objective = { lateness, onTimeShare: model.onTimeShare };
    let isOutOfTime = false;
    const { best, tried, stopped } = await search({
      space,
      objective,
      seed,
      runs,
      evaluate: (point, number, rival) => {
        const name = `setting ${number + 1}`;
        return rival && !options.toTheEnd
          ? race(point, name, { objective, best: rival, leastMicroPerSecond })
          : rehearse(training, point, name);
      },
      isOver: () => {
        if (performance.now() - beganMs > timeMs) isOutOfTime = true;
        return isOutOfTime;
      },
    });
    const present = presentPoint(space);
    const [first] = tried;
    if (!first) throw new Error('the present setting was not rehearsed');
    const [presentLater, tunedLater] = await Promise.all([
      rehearse(validation, 'present', 'the present documents on the validation part'),
      rehearse(validation, best.point, 'the best setting on the validation part'),
    ]);
    // A policy of another name has its own first point; the documents as they are stand apart from it.
    const isOther = space.fixed.length > 0;
    const presentRun = isOther ? await rehearse(training, 'present', 'the present documents') : first;
    const pair: Record<'present' | 'tuned', TuningPair> = {
      present: { training: presentRun, validation: presentLater },
      tuned: { training: best.run, validation: tunedLater },
    };
    const isSame = !isOther && best.point.join() === present.join();
    const verdict = verdictOf(pair.present, pair.tuned, isSame, objective);
    const edits = verdict === 'better' ? editsOf(space, best.point) : [];
    const partText = (part: PackedTrace, fromUs: number) => ({
      fromMs: fromUs / 1000,
      toMs: (fromUs + part.about.spanUs) / 1000,
      requests: part.requests,
    });
    return {
      trace: about.name,
      description: about.description,
      policy: space.policy,
      seed,
      model,
      lateness,
      split,
      parts: { training: partText(training, 0), validation: partText(validation, splitUs) },
      runs: tried.length + stopped.length,
      outOfTime: isOutOfTime,
      ...pair,
      tried,
      stopped,
      rehearsedShare:
        (tried.length + stopped.reduce((sum, { share }) => sum + share, 0)) / (tried.length + stopped.length),
      front: paretoFront([...(isOther ? [presentRun] : []), ...tried]),
      verdict,
      gain: {
        training: gainOf(pair.present.training, pair.tuned.training, objective),
        validation: gainOf(pair.present.validation, pair.tuned.validation, objective),
      },
      changes: changesOf(space, best.point),
      edits,
      documents: verdict === 'better' ? documentsAt(space, best.point) : null,
    };
  } finally {
    signal?.removeEventListener('abort', abort);
    await pool.close();
  }
}

async function packedTrace({ trace: given, seed }: TuneOptions): Promise<PackedTrace> {
  const trace = 'trace' in given ? given.trace : await readTrace(given.input, { seed, ...given.options });
  const packed = await packTrace(trace);
  return { ...packed, about: { ...packed.about, spanUs: Math.max(packed.about.spanUs, (given.spanMs ?? 0) * 1000) } };
}

/** Rehearsals of a setting, one of them on the training part that may be ended on the way. */
function rehearsals(options: TuneOptions, pool: WorkerPool, training: PackedTrace) {
  const { space, model, seed, price = null, startReplicas, worldModule = null, lateness = null, onProgress } = options;
  const total = options.runs + (space.fixed.length > 0 ? 3 : 2);
  const progress: CompareProgress = { done: 0, total, share: 0, last: null };
  const open = new Map<symbol, number>();
  const tell = () => {
    const under = [...open.values()].reduce((sum, share) => sum + share, 0);
    onProgress?.({ ...progress, share: Math.min(1, (progress.done + under) / total) });
  };
  const taskOf = (trace: PackedTrace, point: Point | 'present') => ({
    trace: { packed: trace },
    model,
    seed,
    policy: space.policy,
    documents: point === 'present' ? space.documents : documentsAt(space, point),
    price,
    worldModule,
    startReplicas,
    spanMs: undefined,
  });
  const valuesOf = (point: Point | 'present') => valuesAt(space, point === 'present' ? presentPoint(space) : point);
  const counted = async <Result>(
    name: string,
    run: (onProgress: (share: number) => void) => Promise<Result>,
  ): Promise<Result> => {
    const own = Symbol(name);
    open.set(own, 0);
    const result = await run((share) => {
      open.set(own, share);
      tell();
    });
    open.delete(own);
    progress.done++;
    progress.last = name;
    tell();
    return result;
  };
  const rehearse = async (trace: PackedTrace, point: Point | 'present', name: string): Promise<TuningRun> => {
    const task = { kind: 'run', ...taskOf(trace, point) } as const;
    const run = await counted(name, (onProgress) => pool.run(task, name, onProgress));
    return tuningRun(run, valuesOf(point), model, lateness);
  };
  const race = async (point: Point, name: string, rival: Rival): Promise<TuningRun | StoppedSetting> => {
    const task = { kind: 'race', ...taskOf(training, point), rival } as const;
    const result = await counted(name, (onProgress) => pool.run(task, name, onProgress));
    if (result.type === 'run') return tuningRun(result.run, valuesOf(point), model, lateness);
    const { nowMs, late, replicaSeconds, costMicro } = result.soFar;
    const share = Math.min(1, (nowMs * 1000) / Math.max(1, training.about.spanUs));
    return { values: valuesOf(point), share, late, replicaSeconds, costMicro };
  };
  return { rehearse, race };
}

/** Of the classes of the documents, or what the options say. */
function leastPricePerHourMicro({ price = null, space }: TuneOptions): number {
  if (price !== null) return price;
  const prices = space.documents.flatMap(({ kind, document }) =>
    kind === 'Workload' ? resolveWorkload(document, { baseDirectory: '/' }).classes : [],
  );
  return Math.min(...prices.map(({ pricePerHourMicro }) => pricePerHourMicro));
}

function verdictOf(present: TuningPair, tuned: TuningPair, isSame: boolean, objective: Objective): TuningVerdict {
  const needsPromise = objective.lateness === null;
  if (needsPromise && !tuned.training.qualifies) return 'nothing-keeps-the-promise';
  const gain = gainOf(present.training, tuned.training, objective);
  // Without a change there is nothing to propose, whatever the other part says.
  if (isSame || (gain !== null && gain < leastGain)) return 'present-is-best';
  if (needsPromise && !tuned.validation.qualifies) return 'promise-broken';
  return isBetter(tuned.validation, present.validation, objective, false) ? 'better' : 'gain-lost';
}

function gainOf(present: TuningRun, tuned: TuningRun, { lateness }: Objective): number | null {
  if (lateness === null && !present.qualifies) return null;
  return present.amount > 0 ? 1 - tuned.amount / present.amount : 0;
}

function changesOf(space: TuningSpace, point: Point): TuningChange[] {
  return space.parameters.flatMap(({ name, kind, path, sizes, present, write }, index) => {
    const from = sizes[present];
    const to = sizes[point[index] ?? present];
    if (from === to || from === undefined || to === undefined) return [];
    return [{ name, kind, path: path.join('.'), from: write(from), to: write(to) }];
  });
}

function check({ split, runs, seed, timeMs }: TuneOptions): void {
  if (!(split > 0 && split < 1)) throw new RangeError(`split is ${split}: must be a share between 0 and 1`);
  if (!Number.isSafeInteger(runs) || runs < leastRuns) {
    throw new RangeError(`the budget is ${runs} runs: must be a whole number from ${leastRuns} on`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`seed ${seed}: must be a whole number from 0 on`);
  if (timeMs !== undefined && !(timeMs > 0)) throw new RangeError('the time must be more than 0');
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error(`the search was ended: ${String(reason ?? 'no reason given')}`);
}
