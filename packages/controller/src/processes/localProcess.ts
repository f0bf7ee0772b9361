import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { isAlive } from '@ebb/link';
import type { Log } from '../log.ts';
import { lastLineAfter, openLogFile } from './logFile.ts';

export interface LocalProcessOptions {
  name: 'gateway' | 'agent';
  /** The process's main module. */
  module: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** Where it answers once it lives. */
  socket: string;
  log: Log;
}

/** How a process of ours ended. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Its last words. */
  lastLine: string | null;
}

const firstRestartMs = 100;
const longestRestartMs = 10_000;
/** A process that lived this long was fine: the next restart is prompt again. */
const steadyMs = 30_000;
/** Between a lost connection and the look whether the process is still there. */
const lostCheckMs = 50;

/**
 * One of the processes beside the control plane, in a process group of its own, so that it outlives it. One that
 * already answers is adopted; one that dies is started again with back-off (100 ms to 10 s).
 */
export class LocalProcess {
  readonly #options: LocalProcessOptions;
  #child: ChildProcess | null = null;
  #ending: Promise<Ending> | null = null;
  #startedAtMs = 0;
  #restartMs = firstRestartMs;
  #timer: NodeJS.Timeout | null = null;
  #watching = false;

  constructor(options: LocalProcessOptions) {
    this.#options = options;
  }

  /** Resolves once it was started or found alive; it may not answer yet. */
  async start(): Promise<'started' | 'adopted'> {
    if (await isAlive(this.#options.socket)) {
      this.#options.log('info', `${this.#options.name} adopted`);
      return 'adopted';
    }
    this.#spawn();
    return 'started';
  }

  /** Settles when the process that was started here ends; never for an adopted one. */
  ended(): Promise<Ending> {
    return this.#ending ?? new Promise(() => {});
  }

  /** From now on it is started again whenever it dies. */
  watch(): void {
    this.#watching = true;
    void this.#restartAtEnd();
  }

  /** Its connection broke. Of a process that was not started here this is the only sign of its end. */
  lost(): void {
    if (this.#watching && !this.#child && !this.#timer) this.#checkLater(lostCheckMs);
  }

  /** No more restarts: it is about to be ended, or to be left alone. */
  leave(): void {
    this.#watching = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Ends what was started here and still lives: a start that fails half-way leaves nothing behind. */
  async kill(): Promise<void> {
    this.leave();
    if (this.#child?.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    this.#child.ref();
    await this.#ending;
  }

  #spawn(): void {
    const { name, module, args, env, logFile, log } = this.#options;
    const output = openLogFile(logFile);
    const child = spawn(process.execPath, [module, ...args], {
      detached: true,
      stdio: ['ignore', output.descriptor, output.descriptor],
      env,
    });
    closeSync(output.descriptor);
    // It lives on when this process ends, and must not keep it from ending.
    child.unref();
    this.#child = child;
    this.#startedAtMs = performance.now();
    this.#ending = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null, lastLine: string | null): void => {
        if (this.#child === child) this.#child = null;
        resolve({ code, signal, lastLine });
      };
      child.once('exit', (code, signal) => end(code, signal, lastLineAfter(logFile, output.lengthBytes)));
      child.once('error', (error) => end(null, null, error.message));
    });
    log('info', `${name} started`, { pid: child.pid });
  }

  async #restartAtEnd(): Promise<void> {
    if (!this.#ending) return;
    const { code, signal, lastLine } = await this.#ending;
    if (!this.#watching) return;
    if (performance.now() - this.#startedAtMs > steadyMs) this.#restartMs = firstRestartMs;
    const { name, log } = this.#options;
    log('error', `${name} ended, it is started again`, { code, signal, lastLine, inMs: this.#restartMs });
    if (!this.#timer) this.#checkLater(this.#restartMs);
    this.#restartMs = Math.min(longestRestartMs, this.#restartMs * 2);
  }

  #checkLater(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#startIfGone();
    }, delayMs);
    this.#timer.unref();
  }

  async #startIfGone(): Promise<void> {
    if ((await isAlive(this.#options.socket)) || !this.#watching || this.#child) return;
    this.#spawn();
    void this.#restartAtEnd();
  }
}
