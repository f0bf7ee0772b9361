import type { ApplyInput } from '@ebb/engine';
import type { PackedTrace } from '../compare/packedTrace.ts';
import type { WorkerPool } from '../compare/workerPool.ts';
import type { RunResult } from '../contract/result.ts';
import type { AdviseOptions } from './advice.ts';

/** Runs in worker threads, counted for who waits. How many there will be is not known before the end. */
export class Rehearsals {
  readonly #options: AdviseOptions;
  readonly #pool: WorkerPool;
  #done = 0;
  #total = 0;

  constructor(options: AdviseOptions, pool: WorkerPool) {
    this.#options = options;
    this.#pool = pool;
  }

  async run(trace: PackedTrace, policy: string, documents: readonly ApplyInput[]): Promise<RunResult> {
    const { model, seed, price = null, startReplicas, worldModule = null } = this.#options;
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
