import { Worker } from 'node:worker_threads';
import { TraceError } from '../contract/trace.ts';
import type { Answer, Task, TaskResults } from './task.ts';

interface Waiting {
  task: Task;
  /** For a message: `keda on nasa, seed 1`. */
  name: string;
  onProgress: (share: number) => void;
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

/** The thread of this task ended before it had an answer. */
export class WorkerDiedError extends Error {
  constructor(name: string, why: string) {
    super(`the thread of ${name} died: ${why}`);
    this.name = 'WorkerDiedError';
  }
}

// Beside this file, with the same ending: the sources run as they are.
const entry = new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** At most so many threads; each does one task after another. A thread that dies takes only its own task with it. */
export class WorkerPool {
  readonly #most: number;
  readonly #queue: Waiting[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Waiting>();
  #closed = false;

  constructor(threads: number) {
    this.#most = Math.max(1, threads);
  }

  /** Tasks begin in the order in which they came. */
  run<Kind extends Task['kind']>(
    task: Task & { kind: Kind },
    name: string,
    onProgress: (share: number) => void,
  ): Promise<TaskResults[Kind]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the pool is closed'));
      this.#queue.push({ task, name, onProgress, resolve, reject });
      this.#next();
    });
  }

  /** Ends all threads; what is open is rejected. */
  async close(reason: Error = new Error('the comparison was ended')): Promise<void> {
    this.#closed = true;
    const workers = [...this.#idle, ...this.#busy.keys()];
    const open = [...this.#queue.splice(0), ...this.#busy.values()];
    this.#idle.length = 0;
    this.#busy.clear();
    for (const { reject } of open) reject(reason);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#busy.size < this.#most) {
      const waiting = this.#queue.shift();
      if (!waiting) return;
      const worker = this.#idle.pop() ?? this.#spawn();
      this.#busy.set(worker, waiting);
      // A thread, no window: it has no origin.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      worker.postMessage(waiting.task);
    }
  }

  #spawn(): Worker {
    // Flags of the parent (a test runner's, an inspector's) are none of the thread's.
    const worker = new Worker(entry, { execArgv: [] });
    let why: string | null = null;
    worker.on('message', (message: Answer) => this.#answered(worker, message));
    worker.on('error', (error: unknown) => {
      why = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', (code) => this.#died(worker, why ?? `it ended with code ${code}`));
    return worker;
  }

  #answered(worker: Worker, message: Answer): void {
    const waiting = this.#busy.get(worker);
    if (!waiting) return;
    if (message.type === 'progress') return waiting.onProgress(message.share);
    this.#busy.delete(worker);
    this.#idle.push(worker);
    if (message.type === 'done') {
      // The answer to a task is of its kind.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      waiting.resolve(message.result as never);
    } else {
      const { message: text, trace } = message.failure;
      waiting.reject(trace ? new TraceError(trace.file, trace.line, text) : new Error(text));
    }
    this.#next();
  }

  #died(worker: Worker, why: string): void {
    const waiting = this.#busy.get(worker);
    this.#busy.delete(worker);
    const index = this.#idle.indexOf(worker);
    if (index >= 0) this.#idle.splice(index, 1);
    waiting?.reject(new WorkerDiedError(waiting.name, why));
    if (!this.#closed) this.#next();
  }
}
