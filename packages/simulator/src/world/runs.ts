import type { DriverEvent, RunObservation, RunStart } from '@ebb/core';
import { keyText } from '@ebb/documents';
import type { WorldModel } from '../contract/model.ts';
import type { Draws } from '../kernel/draws.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimulatedClock } from '../kernel/simulatedClock.ts';
import type { BrokerQueues, Consumer } from './brokerQueue.ts';
import { drawUs } from './distribution.ts';

/** One run of a Job, for whoever keeps the books. */
export interface BilledRun {
  readonly workload: string;
  /** Runs have no class. */
  readonly class: string;
  readonly askedUs: number;
  endedUs: number | null;
  seen: { readyAtUs: number | null };
}

/** Who wants to know what becomes of runs: the same as of replicas. */
export interface RunListener {
  asked(run: BilledRun, isCold: boolean): void;
  ready(run: BilledRun): void;
  ended(run: BilledRun, wasReady: boolean): void;
}

interface Run extends BilledRun {
  readonly number: number;
  readonly graceUs: number;
  readonly factor: number;
  observed: RunObservation;
  consumer: Consumer | null;
  life: number;
}

export interface JobRunsOptions {
  kernel: Kernel;
  clock: SimulatedClock;
  model: WorldModel;
  draws: Draws;
  queues: BrokerQueues;
  listener: RunListener;
  /** Number of the workload whose queue the Jobs of a ScaledJob work on; null: it is none of the rehearsal. */
  workloadOf: (owner: string) => number | null;
  /** Machines of runs are taken away by the model's preemptions. */
  isPreempted: boolean;
}

const microsecondsPerHour = 3_600_000_000;
const signalled = { exitCode: null, failure: 'signal', message: 'ended by SIGKILL' };

/**
 * The runs of Jobs in a rehearsal: each begins by the stages of the model, then takes one message, works on it,
 * acknowledges, and ends with success; one that finds no message ends at once. Starts fail, runs crash and machines are taken
 * away by the model's faults, and the message goes back. Draws of a run hang on its number alone.
 */
export class JobRuns {
  readonly #options: JobRunsOptions;
  readonly #known = new Map<string, Run>();
  readonly #byNumber = new Map<number, Run>();
  readonly #watchers = new Set<(event: DriverEvent) => void>();
  readonly #beginKind: number;
  readonly #failKind: number;
  readonly #crashKind: number;
  readonly #killKind: number;
  #runs = 0;

  constructor(options: JobRunsOptions) {
    this.#options = options;
    const { kernel, model, isPreempted } = options;
    const living = (action: (run: Run) => void) =>
      kernel.kind((number, life) => {
        const run = this.#byNumber.get(number);
        if (run && run.life === life) action(run);
      });
    this.#beginKind = living((run) => this.#begin(run));
    this.#failKind = living((run) => this.#finish(run, exited(1, 'the start failed')));
    this.#crashKind = living((run) => this.#finish(run, exited(1)));
    this.#killKind = living((run) => this.#kill(run));
    const notice = kernel.kind((index) => this.#notice(index));
    const { preemptionsMs, noticeMs } = model.faults;
    for (const [index, atMs] of isPreempted ? preemptionsMs.entries() : []) {
      kernel.put(Math.max(0, atMs - noticeMs) * 1000, notice, index);
    }
  }

  /** Asking twice for one id gives one run. */
  run({ id, owner, terminationGraceMs }: RunStart): void {
    if (this.#known.has(id)) return;
    const { kernel, clock, draws, model, listener } = this.#options;
    const number = this.#runs++;
    const { slowShare, slowFactor, failedStartShare } = model.faults;
    const run: Run = {
      number,
      workload: keyText(owner),
      class: '',
      askedUs: kernel.nowUs,
      endedUs: null,
      seen: { readyAtUs: null },
      graceUs: terminationGraceMs * 1000,
      factor: slowShare > 0 && draws.fork('slow', number).next() < slowShare ? slowFactor : 1,
      observed: {
        id,
        owner,
        phase: 'starting',
        pid: null,
        exitCode: null,
        message: '',
        failure: null,
        startedAtMs: clock.nowMs(),
        endedAtMs: null,
      },
      consumer: null,
      life: 0,
    };
    this.#known.set(id, run);
    this.#byNumber.set(number, run);
    listener.asked(run, true);
    const own = draws.fork('start', number);
    const delayUs = model.coldStart.reduce((sum, { ms }) => sum + drawUs(ms, own), 0);
    const fails = failedStartShare > 0 && own.next() < failedStartShare;
    if (fails) kernel.put(kernel.nowUs + Math.floor(delayUs * own.next()), this.#failKind, number, run.life);
    else kernel.put(kernel.nowUs + delayUs, this.#beginKind, number, run.life);
  }

  /** SIGTERM: it finishes its message where the grace is long enough. One that has ended is forgotten. */
  stop(id: string): void {
    const run = this.#known.get(id);
    if (!run || run.observed.phase === 'stopping') return;
    if (run.observed.phase !== 'running' || !run.consumer) return this.#forget(run);
    const { kernel, queues } = this.#options;
    const remainingUs = queues.leave(run.consumer);
    this.#report(run, { phase: 'stopping', message: 'asked to end' });
    kernel.put(kernel.nowUs + Math.min(run.graceUs, remainingUs), this.#killKind, run.number, run.life);
  }

  list(): RunObservation[] {
    return [...this.#known.values()].map(({ observed }) => ({ ...observed }));
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** The rehearsal is over: what still runs is billed until now. */
  close(): void {
    for (const run of this.#known.values()) this.#endService(run);
  }

  #begin(run: Run): void {
    const { kernel, clock, draws, model, queues, listener, workloadOf } = this.#options;
    run.seen.readyAtUs = kernel.nowUs;
    listener.ready(run);
    this.#report(run, { phase: 'running', pid: run.number + 1, startedAtMs: clock.nowMs() });
    const workload = workloadOf(run.workload);
    if (workload === null) return this.#finish(run, exited(0));
    const onAcknowledged = () => this.#done(run);
    run.consumer = queues.join({ workload, prefetch: 1, factor: run.factor, mayTake: 1, onAcknowledged });
    if (run.consumer.rows.size === 0) return this.#finish(run, exited(0));
    const { crashEveryHours } = model.faults;
    if (crashEveryHours <= 0) return;
    const lifeUs = draws.fork('crash', run.number).exponential(crashEveryHours * microsecondsPerHour);
    kernel.put(kernel.nowUs + Math.ceil(lifeUs), this.#crashKind, run.number, run.life);
  }

  #done(run: Run): void {
    if (run.observed.phase === 'stopping') this.#forget(run);
    else this.#finish(run, exited(0));
  }

  /** The grace or the notice is over. */
  #kill(run: Run): void {
    if (run.observed.phase === 'stopping') this.#forget(run);
    else this.#finish(run, signalled);
  }

  #notice(index: number): void {
    const { kernel, draws, model } = this.#options;
    const running = [...this.#known.values()].filter(({ observed }) => observed.phase === 'running');
    const run = running[Math.floor(draws.fork('preemption', index).next() * running.length)];
    if (!run) return;
    kernel.put((model.faults.preemptionsMs[index] ?? 0) * 1000, this.#killKind, run.number, run.life);
  }

  /** It has ended by itself, or somebody else has ended it: its result stays listed. */
  #finish(run: Run, outcome: Pick<RunObservation, 'exitCode' | 'failure' | 'message'>): void {
    run.life++;
    this.#byNumber.delete(run.number);
    this.#endService(run);
    const phase = outcome.failure === null ? 'succeeded' : 'failed';
    this.#report(run, { ...outcome, phase, pid: null, endedAtMs: this.#options.clock.nowMs() });
  }

  #forget(run: Run): void {
    run.life++;
    this.#byNumber.delete(run.number);
    this.#known.delete(run.observed.id);
    this.#endService(run);
    this.#report(run, { phase: 'gone', pid: null });
  }

  #endService(run: Run): void {
    if (run.endedUs !== null) return;
    const { kernel, queues, listener } = this.#options;
    run.endedUs = kernel.nowUs;
    listener.ended(run, run.seen.readyAtUs !== null);
    if (run.consumer) queues.end(run.consumer);
  }

  #report(run: Run, change: Partial<RunObservation>): void {
    run.observed = { ...run.observed, ...change };
    const event: DriverEvent = { type: 'run', run: run.observed };
    this.#options.kernel.tell(() => {
      for (const watcher of [...this.#watchers]) watcher(event);
    });
  }
}

function exited(exitCode: number, message = `exit code ${exitCode}`) {
  return { exitCode, failure: exitCode === 0 ? null : 'exit', message };
}
