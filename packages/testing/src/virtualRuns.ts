import type { DriverEvent, LogLine, RunObservation, RunStart } from '@ebb/core';
import { keyText } from '@ebb/documents';
import type { SeededRandom } from './random.ts';
import type { VirtualClock } from './virtualClock.ts';

/** How one run of a Job goes. */
export interface RunPlan {
  /** Asked → the process exists. */
  spawnUs: number;
  /** Process exists → it ends by itself. `Infinity`: it waits for `end` or `kill`. */
  runUs: number;
  /** What it ends with. Default 0. */
  exitCode?: number;
  /** Set: this signal ends it instead (the machine's memory, somebody's hand). */
  signal?: string;
  /** Set: it cannot be started at all (`command-not-found`, `working-directory` …). */
  failure?: { code: string; message: string };
}

export interface VirtualRunsOptions {
  clock: VirtualClock;
  random: SeededRandom;
  plan: (start: RunStart, random: SeededRandom) => RunPlan;
  /** SIGTERM → the process is gone. */
  stopUs: number;
  /** Sends an event on its way to whoever watches. */
  tell: (event: DriverEvent) => void;
}

interface Run {
  start: RunStart;
  seen: RunObservation;
  /** What was planned for a run that was stopped or has ended is void. */
  isOver: boolean;
}

type Outcome = Pick<RunObservation, 'exitCode' | 'failure' | 'message'>;

/**
 * Runs of Jobs that exist only in virtual time, by the rules of the process driver: one process an id, a result that
 * stays listed until it is stopped and that is not lost while the agent is away. Faults: `end`, `kill`, `loseTrace`,
 * `killChance`, `refuse`, `loses`, and `disconnect` of the driver.
 */
export class VirtualRuns {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #stopUs: number;
  readonly #tell: (event: DriverEvent) => void;
  readonly #runs = new Map<string, Run>();
  #nextPid = 100_000;
  plan: (start: RunStart, random: SeededRandom) => RunPlan;
  /** Share of the runs that a SIGKILL ends at a random moment of their time. */
  killChance = 0;
  /** Set: what it answers with an error is not taken by the driver. */
  refuse: ((start: RunStart) => Error | null) | null = null;
  /** Set: events it says yes to are lost on their way; the next snapshot has what they told. */
  loses: ((run: RunObservation) => boolean) | null = null;
  /** Every request that led to a process, in order: a run that is told twice is here once. */
  readonly started: RunStart[] = [];
  /** The process of a run began to work. */
  onBegin: ((start: RunStart) => void) | null = null;
  /** The process of a run ended: by itself, killed or stopped. */
  onEnd: ((start: RunStart, run: RunObservation) => void) | null = null;

  constructor({ clock, random, plan, stopUs, tell }: VirtualRunsOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#stopUs = stopUs;
    this.#tell = tell;
    this.plan = plan;
  }

  /** The driver has taken it. Throws what `refuse` answers. */
  begin(start: RunStart): void {
    const refusal = this.refuse?.(start);
    if (refusal) throw refusal;
    if (this.#runs.has(start.id)) return;
    const { id, owner } = start;
    const run: Run = {
      start,
      isOver: false,
      seen: {
        id,
        owner,
        phase: 'starting',
        pid: null,
        exitCode: null,
        message: 'about to start',
        failure: null,
        startedAtMs: this.#clock.nowMs(),
        endedAtMs: null,
      },
    };
    this.#runs.set(id, run);
    this.#report(run, {});
    const { failure, ...plan } = this.plan(start, this.#random);
    this.#after(run, plan.spawnUs, () => {
      if (failure) return this.#finish(run, { exitCode: null, failure: failure.code, message: failure.message });
      this.started.push(start);
      this.onBegin?.(start);
      this.#report(run, { phase: 'running', message: '', pid: this.#nextPid++, startedAtMs: this.#clock.nowMs() });
      const isKilled = this.killChance > 0 && this.#random.chance(this.killChance);
      if (isKilled) this.#after(run, this.#random.next() * Math.min(plan.runUs, 60_000_000), () => this.kill(id));
      this.#after(run, plan.runUs, () =>
        this.#finish(run, plan.signal ? signalled(plan.signal) : exited(plan.exitCode ?? 0)),
      );
    });
  }

  /** Whether there is such a run: it is told to end, or forgotten when it has ended. */
  stop(id: string): boolean {
    const run = this.#runs.get(id);
    if (!run) return false;
    if (run.seen.phase === 'stopping') return true;
    const isRunning = run.seen.phase === 'running';
    run.isOver = true;
    if (!isRunning) {
      this.#gone(run);
      return true;
    }
    this.#report(run, { phase: 'stopping', message: 'asked to end' });
    this.#clock.afterUs(this.#stopUs, () => {
      if (this.#runs.get(id) !== run) return;
      this.onEnd?.(run.start, run.seen);
      this.#gone(run);
    });
    return true;
  }

  /** The process ends by itself now. */
  end(id: string, exitCode = 0): void {
    this.#endNow(id, exited(exitCode));
  }

  /** Somebody else ends the process. */
  kill(id: string, signal = 'SIGKILL'): void {
    this.#endNow(id, signalled(signal));
  }

  /** It ends and nobody ever learns how, as when the process and its parent are killed while the agent is away. */
  loseTrace(id: string): void {
    this.#endNow(id, unknown);
  }

  /** The machine went down: what ran has ended, results stay. */
  reboot(): void {
    for (const run of [...this.#runs.values()]) {
      if (run.seen.phase === 'stopping') this.#runs.delete(run.seen.id);
      else if (run.seen.endedAtMs === null) this.#finish(run, unknown);
    }
  }

  /** What is listed, without the way over the link: for tests and snapshots. */
  observations(): RunObservation[] {
    return [...this.#runs.values()].map(({ seen }) => structuredClone(seen));
  }

  logs(owner: string, id: string | undefined): LogLine[] {
    return this.observations()
      .filter((seen) => keyText(seen.owner) === owner && (id === undefined || seen.id === id))
      .map((seen) => ({
        replica: seen.id,
        atMs: seen.startedAtMs,
        stream: 'ebb',
        text: seen.message || `run is ${seen.phase}`,
      }));
  }

  #endNow(id: string, outcome: Outcome): void {
    const run = this.#runs.get(id);
    if (run?.seen.phase === 'running') this.#finish(run, outcome);
  }

  #finish(run: Run, outcome: Outcome): void {
    run.isOver = true;
    const wasRunning = run.seen.phase === 'running';
    const phase = outcome.failure === null ? 'succeeded' : 'failed';
    this.#report(run, { ...outcome, phase, pid: null, endedAtMs: this.#clock.nowMs() });
    if (wasRunning) this.onEnd?.(run.start, run.seen);
  }

  #gone(run: Run): void {
    this.#runs.delete(run.seen.id);
    this.#report(run, { phase: 'gone', pid: null });
  }

  #after(run: Run, delayUs: number, action: () => void): void {
    if (delayUs === Number.POSITIVE_INFINITY) return;
    this.#clock.afterUs(delayUs, () => {
      if (!run.isOver) action();
    });
  }

  #report(run: Run, change: Partial<RunObservation>): void {
    run.seen = { ...run.seen, ...change };
    if (!this.loses?.(run.seen)) this.#tell({ type: 'run', run: structuredClone(run.seen) });
  }
}

/** Spawn 5 ms, run 2 s, log-normal; exit code 0. */
export function usualRun(_start: RunStart, random: SeededRandom): RunPlan {
  return { spawnUs: random.logNormal(5000, 0.3), runUs: random.logNormal(2_000_000, 0.5) };
}

const unknown: Outcome = { exitCode: null, failure: 'unknown-end', message: 'ended while nobody watched' };

function exited(exitCode: number): Outcome {
  return { exitCode, failure: exitCode === 0 ? null : 'exit', message: `exit code ${exitCode}` };
}

function signalled(signal: string): Outcome {
  return { exitCode: null, failure: 'signal', message: `ended by ${signal}` };
}
