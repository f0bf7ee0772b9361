import type { ApplyInput } from '@ebb/engine';
import type { WorldModel } from '../contract/model.ts';
import type { OracleResult, RunResult } from '../contract/result.ts';
import type { RunSoFar } from '../run/books.ts';
import type { SimulateOptions } from '../run/simulate.ts';
import type { TraceOptions } from '../traces/options.ts';
import type { Rival } from '../tune/objective.ts';
import type { PackedTrace } from './packedTrace.ts';

/** How a thread comes by a trace. */
export type TraceReference =
  | { input: string | { name: string; text: string }; options: TraceOptions }
  | { packed: PackedTrace };

interface TaskBase {
  trace: TraceReference;
  spanMs: number | undefined;
  model: WorldModel;
  seed: number;
  startReplicas: SimulateOptions['startReplicas'];
}

export interface BoundTask extends TaskBase {
  kind: 'bound';
  needsStaticPeak: boolean;
}

export interface RunTask extends TaskBase {
  kind: 'run';
  policy: string;
  documents: readonly ApplyInput[];
  price: number | null;
  worldModule: string | null;
}

/** A run that is ended as soon as it cannot be as good as another one any more. */
export interface RaceTask extends Omit<RunTask, 'kind'> {
  kind: 'race';
  rival: Rival;
}

export type RaceResult = { type: 'run'; run: RunResult } | { type: 'stopped'; soFar: RunSoFar };

export type Task = BoundTask | RunTask | RaceTask;

export interface BoundResult {
  name: string;
  description: string;
  workloads: number;
  requests: number;
  spanMs: number;
  arrivals: 'recorded' | 'spread';
  oracle: OracleResult;
  staticPeak: number | null;
}

export interface TaskResults {
  bound: BoundResult;
  run: RunResult;
  race: RaceResult;
}

/** What went wrong in a thread. A trace that cannot be read is wrong for all. */
export interface TaskFailure {
  message: string;
  trace: { file: string; line: number } | null;
}

export type Answer =
  | { type: 'progress'; share: number }
  | { type: 'done'; result: TaskResults[Task['kind']] }
  | { type: 'failed'; failure: TaskFailure };
