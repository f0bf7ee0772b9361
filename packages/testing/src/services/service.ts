import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loopback } from './ports.ts';
import { isGroupAlive, signalGroup } from './processGroup.ts';
import { GaveUp, until } from './until.ts';
import { guardGroup } from './watchdog.ts';

const endWithinMs = 15_000;
const shownLogLength = 2_000;

/** How one service is run. Everything is decided once, so that a restart finds its data and its ports again. */
export interface Launch {
  readonly name: string;
  /** Holds data, configuration and log; removed by `stop`. */
  readonly folder: string;
  readonly port: number;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** User and group to run as; only root can ask for it. */
  readonly identity?: { readonly uid: number; readonly gid: number } | undefined;
  readonly readyWithinMs?: number;
  /** Asks the program to end with its data kept (default SIGTERM). */
  readonly endSignal?: NodeJS.Signals;
  /** Ends it when its data is thrown away anyway (default: `endSignal`). */
  readonly discardSignal?: NodeJS.Signals;
}

/**
 * One real service on 127.0.0.1, a process group of its own, which ends with the process that started it even when
 * that is killed.
 */
export abstract class Service {
  readonly host = loopback;
  readonly port: number;
  /** Holds data, configuration and log. */
  readonly folder: string;
  readonly #launch: Launch;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  #release = () => {};

  constructor(launch: Launch) {
    this.#launch = launch;
    this.port = launch.port;
    this.folder = launch.folder;
  }

  /** Asked until it says yes; one that throws has said no. */
  protected abstract isReady(): Promise<boolean>;

  /** Id of its process and of its process group. */
  get pid(): number {
    if (!this.#child?.pid) throw new Error(`${this.#launch.name} is not running`);
    return this.#child.pid;
  }

  /** `host:port`. */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** What it has printed so far. */
  log(): string {
    const path = this.#logPath();
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Starts it and waits until it answers; on failure nothing is left behind and the error shows the end of its log. */
  async start(): Promise<this> {
    const { name, readyWithinMs = 30_000 } = this.#launch;
    this.#spawn();
    const check = () => {
      if (!this.#isRunning()) throw new GaveUp(`${name} ended while it was starting`);
      return this.isReady();
    };
    try {
      await until(check, { withinMs: readyWithinMs, what: () => `${name} becoming ready` });
    } catch (error) {
      const log = this.log().slice(-shownLogLength);
      await this.stop();
      throw new Error(`${(error as Error).message}\n${log}`, { cause: error });
    }
    return this;
  }

  /** Ends it, all its children included, and removes its data. Does nothing the second time. */
  async stop(): Promise<void> {
    const { folder, discardSignal, endSignal = 'SIGTERM' } = this.#launch;
    await this.#end(discardSignal ?? endSignal);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The crash: SIGKILL, data stays. `restart` brings it back. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it, if it is running, and starts it again with the same data on the same ports. */
  async restart(): Promise<void> {
    await this.#end(this.#launch.endSignal ?? 'SIGTERM');
    await this.start();
  }

  /** The black hole: connections are accepted by the kernel, nothing answers, until `resume`. */
  pause(): void {
    process.kill(-this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(-this.pid, 'SIGCONT');
  }

  #spawn(): void {
    if (this.#isRunning()) throw new Error(`${this.#launch.name} is running already`);
    const { program, args, env, identity, folder } = this.#launch;
    const log = openSync(this.#logPath(), 'a');
    const child = spawn(program, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
      ...identity,
    });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      child.once('exit', resolve);
      child.once('error', resolve);
    });
    this.#child = child;
    if (child.pid !== undefined) this.#release = guardGroup(child.pid);
    // A service that a test forgot must not keep its process alive; the watchdog ends it.
    child.unref();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const group = child.pid;
    child.ref();
    signalGroup(group, signal);
    // One that is paused would not see any other signal than SIGKILL.
    signalGroup(group, 'SIGCONT');
    await Promise.race([this.#exited, this.#killAfter(group, endWithinMs)]);
    signalGroup(group, 'SIGKILL');
    await until(() => !isGroupAlive(group), {
      withinMs: endWithinMs,
      what: () => `the end of ${this.#launch.name} (process group ${group})`,
    });
    this.#release();
    this.#child = undefined;
  }

  async #killAfter(group: number, delayMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
    if (this.#child?.pid !== group) return;
    signalGroup(group, 'SIGKILL');
    await this.#exited;
  }

  #isRunning(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  #logPath(): string {
    return join(this.#launch.folder, 'output.log');
  }
}
