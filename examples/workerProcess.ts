import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

/** An example's worker as Ebb would start it: in its folder, with the environment that the contract names and no more. */
export class WorkerProcess {
  readonly lines: string[] = [];
  /** Where it listens, as its first line says. */
  readonly url: Promise<string>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;

  constructor(folder: URL, command: string, args: string[], environment: Record<string, string> = {}) {
    this.#child = spawn(command, args, {
      cwd: folder,
      // Port 0 lets the system choose a free one, with no moment in which another process may take it.
      env: { PORT: '0', EBB_REPLICA: 'example-0', EBB_WORKLOAD: 'example', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = once(this.#child, 'exit').then(([code, signal]) => ({ code, signal }));
    this.url = new Promise((resolve, reject) => {
      for (const stream of [this.#child.stdout, this.#child.stderr]) {
        if (!stream) continue;
        createInterface({ input: stream }).on('line', (line) => {
          this.lines.push(line);
          const url = /listens on (http:\S+)/.exec(line)?.[1];
          if (url) resolve(url);
        });
      }
      this.#child.once('error', reject);
      this.#child.once('exit', () => reject(new Error(`ended before it listened:\n${this.lines.join('\n')}`)));
    });
    // Whoever awaits them still sees the failure.
    this.url.catch(() => undefined);
    this.exited.catch(() => undefined);
  }

  /** Asks until the worker says it is ready. */
  async ready(budgetMs = 25_000): Promise<void> {
    const healthz = `${await this.url}/healthz`;
    await until(
      async () => (await fetch(healthz)).status === 200,
      budgetMs,
      () => this.lines.join('\n'),
    );
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited.catch(() => undefined);
  }
}

/** Asks again, a little later each time, until the answer is yes; fails when the budget is spent. */
export async function until(ask: () => Promise<boolean>, budgetMs: number, about: () => string): Promise<void> {
  const deadline = performance.now() + budgetMs;
  for (let pauseMs = 5; !(await ask()); pauseMs = Math.min(pauseMs * 1.5, 100)) {
    if (performance.now() > deadline) throw new Error(`not so within ${budgetMs} ms:\n${about()}`);
    await pause(pauseMs);
  }
}
