import type { RunObservation, RunStart } from '@ebb/core';
import { gpuNeedOf } from '@ebb/core/gpu';
import type { GpuPool } from '../../gpu/gpuPool.ts';
import { adoptRun, ownsGroup, type RunProcess } from './adoptRun.ts';
import { durationText } from './life.ts';
import type { LogFiles } from './logFiles.ts';
import { type MemoryWatch, outOfMemoryFailure, outOfMemoryMessage } from './memoryWatch.ts';
import { nowUs } from './monotonic.ts';
import { aborted } from './pause.ts';
import { endGroupForCertain } from './processGroup.ts';
import type { Anchor } from './replicaRecords.ts';
import { StartRefusedError } from './resolveCommand.ts';
import type { RunRecord, LiveRun, RunRecords } from './runRecords.ts';
import { exitEnd, planRun, type RunEnd, signalEnd, unknownEnd } from './runWrapper.ts';
import { type Exit, spawnReplica } from './spawnReplica.ts';
import type { Turns } from './turns.ts';

/** What all runs of an agent share. */
export interface RunContext {
  logs: LogFiles;
  records: RunRecords;
  memory: MemoryWatch;
  gpus: GpuPool;
  spawns: Turns;
  onChange(run: RunObservation): void;
  onProblem(message: string, data: Record<string, unknown>): void;
}

type Result = RunEnd & { endedAtMs?: number };

/** One run of a Job: started once, watched to its end, listed with its result until it is told to stop. */
export class RunSupervisor {
  readonly #context: RunContext;
  readonly #stop = new AbortController();
  #seen: RunObservation;
  /** Null once it has ended. */
  #live: LiveRun | null;
  #log: ReturnType<LogFiles['open']> | null = null;

  private constructor(context: RunContext, seen: RunObservation, live: LiveRun | null) {
    this.#context = context;
    this.#seen = seen;
    this.#live = live;
  }

  /** Starts a new run. `done` resolves when it is gone. */
  static begin(start: RunStart, context: RunContext, anchor: Anchor): { run: RunSupervisor; done: Promise<void> } {
    const live: LiveRun = { start, process: null, verdict: null, anchor, gpus: null };
    const seen = firstSeen(start, anchor);
    const run = new RunSupervisor(context, seen, live);
    const begin = async () => {
      context.records.create(seen, live);
      await run.#begin(live);
    };
    return { run, done: run.#run(begin) };
  }

  /** Goes on with a run of an earlier agent, which may or may not have ended meanwhile. */
  static adopt(found: RunRecord, context: RunContext): { run: RunSupervisor; done: Promise<void> } {
    const { seen, live } = found;
    const run = new RunSupervisor(context, seen, live);
    if (live?.gpus) context.gpus.claim(seen.id, live.gpus);
    if (seen.phase === 'stopping') run.stop();
    if (!live) context.logs.keep(seen.id);
    return { run, done: run.#run(() => run.#adopt(found)) };
  }

  get observation(): RunObservation {
    return this.#seen;
  }

  get hasEnded(): boolean {
    return this.#live === null;
  }

  /** SIGTERM, grace, SIGKILL where it runs; then it is gone, with its result. Asking again changes nothing. */
  stop(): void {
    this.#context.gpus.leaving(this.#seen.id);
    this.#stop.abort();
  }

  async #run(live: () => Promise<void>): Promise<void> {
    const { id, owner } = this.#seen;
    try {
      if (this.#live) await live();
    } catch (error) {
      this.#context.onProblem('run could not be supervised', { run: id, error: String(error) });
      this.#finish({ exitCode: null, failure: 'agent-error', message: String(error) });
    }
    this.#context.gpus.release(id);
    await aborted(this.#stop.signal);
    this.#live = null;
    this.#context.logs.forget(owner, id);
    this.#context.records.drop(id);
    this.#seen = { ...this.#seen, phase: 'gone', pid: null };
    this.#context.onChange(this.#seen);
  }

  /** Resolves when it has ended, or was stopped and nothing of it runs any more. */
  async #begin(live: LiveRun): Promise<void> {
    this.#context.onChange(this.#seen);
    await this.#context.spawns.take();
    if (this.#stop.signal.aborted) return;
    let running: RunProcess;
    try {
      running = await this.#spawn(live);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      return this.#finish(refusal(error));
    }
    return this.#watch(live, running);
  }

  async #adopt(found: RunRecord): Promise<void> {
    const { live, seen } = found;
    if (!live) return;
    this.#openLog(live);
    const running = adoptRun(found, this.#context.records);
    if (running) {
      live.process = running;
      if (seen.phase === 'starting') this.#report({ phase: 'running', pid: running.pid, message: '' });
      this.#note(`adopted: pid ${running.pid}`);
      return this.#watch(live, running);
    }
    if (live.process && !found.earlierBoot && ownsGroup(live.process.pid, seen.id)) {
      // Its wrapper is gone, but not what it had started.
      await this.#end({ pid: live.process.pid, exited: Promise.resolve() }, 0);
    }
    if (this.#stop.signal.aborted) return;
    if (live.verdict) return this.#finish(live.verdict);
    const status = this.#context.records.readStatus(seen.id);
    const neverBegan = live.process === null && !found.earlierBoot && (status === null || status.pid === null);
    if (neverBegan) return this.#begin(live);
    if (!status?.end) return this.#finish(unknownEnd);
    const agoMs = Math.max(0, Date.now() - status.changedAtMs);
    return this.#finish({ ...status.end, endedAtMs: Math.max(seen.startedAtMs, this.#nowMs(live) - agoMs) });
  }

  async #spawn(live: LiveRun): Promise<RunProcess> {
    const { start } = live;
    await this.#takeGpus(live);
    const plan = planRun(start, process.env, live.gpus?.env);
    const record = this.#context.records.open(start.id);
    const { log, note } = this.#openLog(live);
    // Before its own first line, which a short run writes at once.
    note('starting');
    const output = log.open();
    const spawned = await spawnReplica(plan, start.workingDirectory, {
      stdout: output.stdout,
      stderr: output.stderr,
      status: record.status,
    }).finally(() => {
      output.close();
      record.close();
    });
    const { pid, startTicks, spawnedAtUs } = spawned;
    live.process = { pid, startTicks, spawnedAtUs };
    this.#report({ phase: 'running', pid, message: '', startedAtMs: msAt(live, spawnedAtUs) });
    return spawned;
  }

  async #takeGpus(live: LiveRun): Promise<void> {
    const need = gpuNeedOf(live.start.resources.requests);
    if (!need || live.gpus) return;
    live.gpus = await this.#context.gpus.take(live.start.id, need, this.#stop.signal);
    this.#save();
  }

  async #watch(live: LiveRun, running: RunProcess): Promise<void> {
    const end = live.verdict ?? (await this.#untilEnd(live, running));
    if (end) {
      if (end.failure === outOfMemoryFailure) live.verdict = end;
      if (live.verdict) this.#save();
      // As in a container: what the command left running ends with it.
      await this.#end(running, 0);
      return this.#finish(end);
    }
    this.#report({ phase: 'stopping', message: 'asked to end' });
    this.#note('stopping: SIGTERM');
    await this.#end(running, live.start.terminationGraceMs);
  }

  /** Null when it is to stop. */
  async #untilEnd(live: LiveRun, running: RunProcess): Promise<RunEnd | null> {
    if (this.#stop.signal.aborted) return null;
    const memory = Promise.withResolvers<RunEnd>();
    const forgetMemory = this.#watchMemory(live, running.pid, memory.resolve);
    const ends = [running.exited.then((exit) => this.#endOf(exit)), memory.promise];
    const end = await Promise.race([...ends, aborted(this.#stop.signal).then(() => null)]);
    forgetMemory();
    return end;
  }

  #watchMemory(live: LiveRun, group: number, onEnd: (end: RunEnd) => void): () => void {
    const limitBytes = live.start.resources.limits.memoryBytes;
    if (!limitBytes) return () => {};
    return this.#context.memory.watch(group, limitBytes, (usedBytes) => {
      onEnd({
        exitCode: null,
        failure: outOfMemoryFailure,
        message: outOfMemoryMessage(usedBytes, limitBytes),
      });
    });
  }

  /** The wrapper has ended: its file tells how the command did, unless it was killed itself. */
  #endOf({ code, signal }: Exit): RunEnd {
    const end = this.#context.records.readStatus(this.#seen.id)?.end;
    if (end) return end;
    if (signal) return signalEnd(signal);
    return code === null ? unknownEnd : exitEnd(code);
  }

  #end({ pid, exited }: { pid: number; exited: Promise<unknown> }, graceMs: number): Promise<void> {
    return endGroupForCertain(pid, {
      graceMs,
      exited,
      onKill: (afterMs) => {
        if (afterMs > 0) this.#note(`SIGKILL after ${durationText(afterMs)}`);
      },
      onProblem: (error) =>
        this.#context.onProblem('run cannot be ended', { run: this.#seen.id, error: String(error) }),
    });
  }

  #finish({ exitCode, failure, message, endedAtMs }: Result): void {
    const live = this.#live;
    if (!live) return;
    this.#note(message);
    const atMs = endedAtMs ?? this.#nowMs(live);
    this.#live = null;
    this.#report({
      phase: failure === null ? 'succeeded' : 'failed',
      pid: null,
      exitCode,
      failure,
      message,
      endedAtMs: atMs,
    });
    this.#context.logs.keep(this.#seen.id);
    this.#log = null;
  }

  /** Noted, then told: a result that the control plane has heard of is not lost. */
  #report(change: Partial<RunObservation>): void {
    this.#seen = { ...this.#seen, ...change };
    this.#save();
    this.#context.onChange(this.#seen);
  }

  #save(): void {
    try {
      this.#context.records.save(this.#seen, this.#live);
    } catch (error) {
      this.#context.onProblem('run cannot be noted', { run: this.#seen.id, error: String(error) });
    }
  }

  #openLog({ start }: LiveRun): ReturnType<LogFiles['open']> {
    this.#log ??= this.#context.logs.open(start.owner, start.id);
    return this.#log;
  }

  #note(text: string): void {
    this.#log?.note(text);
  }

  #nowMs(live: LiveRun): number {
    return msAt(live, nowUs());
  }
}

/** A monotonic time on the control plane's clock. */
function msAt({ anchor }: LiveRun, atUs: number): number {
  return anchor.askedAtMs + Math.round((atUs - anchor.askedAtUs) / 1000);
}

function firstSeen({ id, owner }: RunStart, { askedAtMs }: Anchor): RunObservation {
  return {
    id,
    owner,
    phase: 'starting',
    pid: null,
    exitCode: null,
    message: 'about to start',
    failure: null,
    startedAtMs: askedAtMs,
    endedAtMs: null,
  };
}

function refusal(error: unknown): RunEnd {
  if (error instanceof StartRefusedError) return { exitCode: null, failure: error.failure, message: error.message };
  const reason = error instanceof Error ? error.message : String(error);
  return { exitCode: null, failure: 'spawn-failed', message: `cannot be started: ${reason}` };
}
