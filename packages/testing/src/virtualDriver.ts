import type {
  Driver,
  DriverEvent,
  LogLine,
  ReplicaObservation,
  ReplicaStart,
  ReplicaUsageSample,
  RunObservation,
  RunStart,
} from '@ebb/core';
import { keyText } from '@ebb/documents';
import { followLines } from './followLines.ts';
import { SeededRandom } from './random.ts';
import type { VirtualClock } from './virtualClock.ts';
import { type RunPlan, usualRun, VirtualRuns } from './virtualRuns.ts';

/** How one start of a replica goes: the lengths of its stages, and where it breaks, if it does. */
export interface StartPlan {
  /** Asked → the process exists. */
  spawnUs: number;
  /** Process exists → it accepts connections. */
  listenUs: number;
  /** Accepts connections → its readiness probe says yes. `Infinity`: never. */
  readyUs: number;
  /** Set: it cannot be started at all (`command-not-found`, `port-taken` …). */
  failure?: { code: string; message: string };
  /** Set: the process ends by itself this long after it was spawned. */
  exitsAfterUs?: number;
}

export interface VirtualDriverOptions {
  clock: VirtualClock;
  random?: SeededRandom;
  /** Default: spawn 40 ms, listen 200 ms, ready 800 ms, log-normal. */
  plan?: (start: ReplicaStart, random: SeededRandom) => StartPlan;
  /** Default: spawn 5 ms, run 2 s, log-normal, exit code 0. */
  runPlan?: (start: RunStart, random: SeededRandom) => RunPlan;
  /** One way between engine and agent. */
  linkUs?: number;
  /** SIGTERM → the process is gone. */
  stopUs?: number;
  /** First pause before a restart in place; doubles each time up to 30 s. */
  restartBackoffMs?: number;
}

/** What a replica uses all the time, from its spawn to its end. */
export interface SteadyUsage {
  cpuMilli: number;
  memoryBytes: number;
}

interface Process {
  start: ReplicaStart;
  seen: ReplicaObservation;
  /** Rises with each (re)start and end: what was planned for an earlier life is void. */
  life: number;
  alive: boolean;
  serving: boolean;
  spawnedAtMs: number;
}

const usageEveryMs = 10_000;

const maxRestartBackoffMs = 30_000;

/**
 * Runs replicas that exist only in virtual time, by the rules of the process driver: stages of a start, the start-up
 * budget, restarts in place with back-off, a snapshot after each reconnection. Faults are injected by calling `crash`,
 * `hang`, `recover` and `disconnect`. Replicas outlive the engine that asked for them.
 */
export class VirtualDriver implements Driver {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #linkUs: number;
  readonly #stopUs: number;
  readonly #restartBackoffMs: number;
  readonly #processes = new Map<string, Process>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  #connected = true;
  #nextPid = 1000;
  plan: (start: ReplicaStart, random: SeededRandom) => StartPlan;
  /** Runs of Jobs: their plan, their faults, what is listed of them. */
  readonly runs: VirtualRuns;
  /** Set: replicas are measured every ten seconds and at their end, and use this. */
  usage: ((start: ReplicaStart) => SteadyUsage) | null = null;
  #measuring = false;
  /** A process ended, for whatever reason: what it was serving is broken. */
  onEnd: ((id: string) => void) | null = null;
  /** A replica is told to end, before anything happens to it. */
  onStop: ((id: string) => void) | null = null;
  /** Calls of `ensure`, `run` and `stop`. */
  asked = 0;
  /** Every `ensure` that led to a new replica, in order. */
  readonly started: ReplicaStart[] = [];

  constructor(options: VirtualDriverOptions) {
    this.#clock = options.clock;
    this.#random = options.random ?? new SeededRandom(1);
    this.#linkUs = options.linkUs ?? 200;
    this.#stopUs = options.stopUs ?? 20_000;
    this.#restartBackoffMs = options.restartBackoffMs ?? 1000;
    this.plan = options.plan ?? usualStart;
    this.runs = new VirtualRuns({
      clock: this.#clock,
      random: this.#random.fork('runs'),
      plan: options.runPlan ?? usualRun,
      stopUs: this.#stopUs,
      tell: (event) => this.#tellLater(event),
    });
  }

  async ensure(start: ReplicaStart): Promise<void> {
    this.asked++;
    await this.#cross();
    if (this.#processes.has(start.id)) return;
    this.started.push(start);
    const process: Process = {
      start,
      seen: this.#firstSeen(start),
      life: 0,
      alive: false,
      serving: false,
      spawnedAtMs: 0,
    };
    this.#processes.set(start.id, process);
    this.#spawn(process, this.#clock.nowUs());
  }

  async run(start: RunStart): Promise<void> {
    this.asked++;
    await this.#cross();
    this.runs.begin(start);
  }

  async stop(id: string): Promise<void> {
    this.asked++;
    await this.#cross();
    if (this.runs.stop(id)) return;
    const process = this.#processes.get(id);
    if (!process || process.seen.phase === 'stopping') return;
    this.onStop?.(id);
    const life = ++process.life;
    if (!process.alive) return this.#gone(process);
    this.#measure([process]);
    this.#report(process, { phase: 'stopping', message: 'asked to end' });
    this.#clock.afterUs(this.#stopUs, () => {
      if (process.life === life) this.#gone(process);
    });
  }

  async list(): Promise<ReplicaObservation[]> {
    await this.#cross();
    return this.replicas();
  }

  async listRuns(): Promise<RunObservation[]> {
    await this.#cross();
    return this.runs.observations();
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  logs(query: Parameters<Driver['logs']>[0]): AsyncIterableIterator<LogLine> {
    const lines = this.replicas()
      .filter((seen) => keyText(seen.workload) === keyText(query.workload))
      .filter((seen) => query.replica === undefined || seen.id === query.replica)
      .map(
        (seen): LogLine => ({
          replica: seen.id,
          atMs: seen.askedAtMs,
          stream: 'ebb',
          text: seen.message || `replica is ${seen.phase}`,
        }),
      );
    lines.push(...this.runs.logs(keyText(query.workload), query.replica));
    return followLines(query.tailLines > 0 ? lines.slice(-query.tailLines) : [], query.follow);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  /** What runs, without the way over the link: for tests. */
  replicas(): ReplicaObservation[] {
    return [...this.#processes.values()].map((process) => structuredClone(process.seen));
  }

  /** Whether connections to the replica are accepted. */
  isServing(id: string): boolean {
    return this.#processes.get(id)?.serving ?? false;
  }

  /** The process ends by itself; the driver restarts it in place after a pause. */
  crash(id: string, message = 'exit code 1'): void {
    const process = this.#processes.get(id);
    if (!process?.alive || process.seen.phase === 'stopping') return;
    const life = ++process.life;
    this.#ended(process);
    const restarts = process.seen.restarts + 1;
    this.#report(process, { phase: 'backoff', message, failure: 'crashed', restarts, pid: null });
    const pauseMs = Math.min(maxRestartBackoffMs, this.#restartBackoffMs * 2 ** (restarts - 1));
    this.#clock.afterUs(pauseMs * 1000, () => {
      if (process.life === life) this.#spawn(process, this.#clock.nowUs());
    });
  }

  /** It outgrew its memory limit: ended at once, started again after a pause. */
  runOutOfMemory(id: string): void {
    const process = this.#processes.get(id);
    if (!process?.alive) return;
    this.#measure([process], true);
    this.crash(id, 'out of memory');
  }

  /** The readiness probe says no from now on. */
  hang(id: string): void {
    const process = this.#processes.get(id);
    if (process?.seen.phase === 'ready')
      this.#report(process, { phase: 'unready', message: 'readiness probe: timeout' });
  }

  recover(id: string): void {
    const process = this.#processes.get(id);
    if (process?.seen.phase === 'unready') this.#report(process, { phase: 'ready', message: '' });
  }

  /** The machine went down: every process ends, and of replicas nothing is remembered. */
  reboot(): void {
    this.runs.reboot();
    for (const process of this.#processes.values()) {
      process.life++;
      this.#ended(process);
    }
    this.#processes.clear();
  }

  disconnect(message = 'agent is not connected'): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#tell({ type: 'disconnected', message });
  }

  /** Followed by a snapshot, as after every reconnection. */
  reconnect(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#clock.afterUs(this.#linkUs, () => {
      if (!this.#connected) return;
      this.#tell({ type: 'snapshot', replicas: this.replicas(), runs: this.runs.observations() });
    });
  }

  #cross(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#connected) return reject(new Error('agent is not connected'));
      this.#clock.afterUs(this.#linkUs, () => {
        if (this.#connected) resolve();
        else reject(new Error('agent is not connected'));
      });
    });
  }

  #firstSeen(start: ReplicaStart): ReplicaObservation {
    const { id, workload, class: className, revision, node } = start;
    return {
      id,
      workload,
      class: className,
      revision,
      node,
      phase: 'starting',
      endpoint: null,
      pid: null,
      restarts: 0,
      message: '',
      failure: null,
      askedAtMs: this.#clock.nowMs(),
      readyAtMs: null,
      stagesUs: { askToSpawn: null, spawnToListen: null, listenToReady: null },
    };
  }

  #spawn(process: Process, askedUs: number): void {
    const life = ++process.life;
    const plan = this.plan(process.start, this.#random);
    const step = (delayUs: number, action: () => void) => {
      if (delayUs === Number.POSITIVE_INFINITY) return;
      this.#clock.atUs(askedUs + delayUs, () => {
        if (process.life === life) action();
      });
    };
    this.#report(process, {
      phase: 'starting',
      message: '',
      failure: null,
      askedAtMs: this.#clock.nowMs(),
      stagesUs: { askToSpawn: null, spawnToListen: null, listenToReady: null },
    });
    const spawnUs = Math.round(plan.spawnUs);
    const listenUs = Math.round(plan.listenUs);
    const readyUs = plan.readyUs === Number.POSITIVE_INFINITY ? plan.readyUs : Math.round(plan.readyUs);
    const { failure } = plan;
    if (failure) return step(spawnUs, () => this.#fail(process, failure.code, failure.message));
    step(spawnUs, () => {
      process.alive = true;
      process.spawnedAtMs = this.#clock.nowMs();
      this.#measureLater();
      const endpoint = { host: '127.0.0.1', port: 20_000 + (this.#nextPid % 20_000) };
      const stagesUs = { askToSpawn: spawnUs, spawnToListen: null, listenToReady: null };
      this.#report(process, { pid: this.#nextPid++, endpoint, stagesUs });
    });
    step(spawnUs + listenUs, () => {
      process.serving = true;
      this.#report(process, { stagesUs: { ...process.seen.stagesUs, spawnToListen: listenUs } });
    });
    step(spawnUs + listenUs + readyUs, () => {
      const stagesUs = { ...process.seen.stagesUs, listenToReady: readyUs };
      this.#report(process, { phase: 'ready', readyAtMs: this.#clock.nowMs(), stagesUs });
    });
    const budgetMs = process.start.probes.startup.budgetMs;
    step(spawnUs + budgetMs * 1000, () => {
      if (process.seen.phase === 'starting') this.#fail(process, 'startup-budget', `not ready within ${budgetMs} ms`);
    });
    if (plan.exitsAfterUs !== undefined) step(spawnUs + plan.exitsAfterUs, () => this.crash(process.start.id));
  }

  #fail(process: Process, code: string, message: string): void {
    process.life++;
    this.#ended(process);
    this.#report(process, { phase: 'failed', failure: code, message, pid: null });
  }

  #gone(process: Process): void {
    this.#ended(process);
    this.#processes.delete(process.start.id);
    this.#report(process, { phase: 'gone', pid: null });
  }

  #ended(process: Process): void {
    const wasAlive = process.alive;
    process.alive = false;
    process.serving = false;
    if (wasAlive) this.onEnd?.(process.start.id);
  }

  #report(process: Process, change: Partial<ReplicaObservation>): void {
    process.seen = { ...process.seen, ...change };
    this.#tellLater({ type: 'replica', replica: structuredClone(process.seen) });
  }

  #measureLater(): void {
    if (!this.usage || this.#measuring) return;
    this.#measuring = true;
    this.#clock.afterUs(usageEveryMs * 1000, () => {
      this.#measuring = false;
      const alive = [...this.#processes.values()].filter((process) => process.alive);
      this.#measure(alive);
      if (alive.length > 0) this.#measureLater();
    });
  }

  #measure(processes: Process[], outOfMemory = false): void {
    const { usage } = this;
    if (!usage || processes.length === 0) return;
    const atMs = this.#clock.nowMs();
    const samples = processes.map(({ start, spawnedAtMs }): ReplicaUsageSample => {
      const { cpuMilli, memoryBytes } = usage(start);
      const cpuMs = Math.round(((atMs - spawnedAtMs) * cpuMilli) / 1000);
      const end = outOfMemory ? { outOfMemory } : {};
      return { id: start.id, atMs, startedAtMs: spawnedAtMs, cpuMs, memoryBytes, ...end };
    });
    this.#tellLater({ type: 'usage', samples });
  }

  #tellLater(event: DriverEvent): void {
    this.#clock.afterUs(this.#linkUs, () => {
      if (this.#connected) this.#tell(event);
    });
  }

  #tell(event: DriverEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

function usualStart(_start: ReplicaStart, random: SeededRandom): StartPlan {
  return {
    spawnUs: random.logNormal(40_000, 0.2),
    listenUs: random.logNormal(200_000, 0.3),
    readyUs: random.logNormal(800_000, 0.4),
  };
}
