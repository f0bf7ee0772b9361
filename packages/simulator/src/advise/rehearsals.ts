import type { ApplyInput } from '@ebb/engine';
import type { PackedTrace } from '../compare/packedTrace.ts';
import type { WorkerPool } from '../compare/workerPool.ts';
import type { WorldModel } from '../contract/model.ts';
import type { RunResult } from '../contract/result.ts';
import type { AdviseOptions } from './advice.ts';

/** Runs in worker threads, counted for who waits. How many there will be is not known before the end. */
export class Rehearsals {
  readonly #options: AdviseOptions;
  readonly #pool: WorkerPool;
  /** What was asked for once is not run again, by world. */
  readonly #known = new Map<WorldModel, Map<string, Promise<RunResult>>>();
  #done = 0;
  #total = 0;

  constructor(options: AdviseOptions, pool: WorkerPool) {
    this.#options = options;
    this.#pool = pool;
  }

  /** In a world that is the same object for the same documents: policy and part then say what is meant. */
  run(trace: PackedTrace, policy: string, documents: readonly ApplyInput[], model: WorldModel): Promise<RunResult> {
    const known = this.#known.get(model) ?? new Map<string, Promise<RunResult>>();
    this.#known.set(model, known);
    const key = `${policy} on ${trace.about.name}`;
    const run = known.get(key) ?? this.#run(trace, policy, documents, model);
    known.set(key, run);
    return run;
  }

  async #run(
    trace: PackedTrace,
    policy: string,
    documents: readonly ApplyInput[],
    model: WorldModel,
  ): Promise<RunResult> {
    const { seed, price = null, startReplicas, worldModule = null } = this.#options;
    const name = `${policy} on ${trace.about.name}`;
    const task = { kind: 'run', policy, documents, price, worldModule, startReplicas, spanMs: undefined } as const;
    this.#total++;
    const run = await this.#pool.run({ ...task, trace: { packed: trace }, model, seed }, name, () => {});
    this.#done++;
    this.#tell(name);
    return run;
  }

  #tell(last: string): void {
    const [done, total] = [this.#done, this.#total];
    this.#options.onProgress?.({ done, total, share: done / Math.max(1, total), last });
  }
}
