import type { GpuHolding, ReplicaObservation, ReplicaStart } from '@ebb/core';
import { gpuNeedOf } from '@ebb/core/gpu';
import type { GpuPool } from '../../gpu/gpuPool.ts';
import { findProcess } from './adopt.ts';
import { afterCrash, type CrashHistory, maxStartsWithoutReady, newHistory } from './backoff.ts';
import { replicaEnvironment } from './environment.ts';
import { durationText, type LifeEnd, watchLife } from './life.ts';
import type { LogFiles } from './logFiles.ts';
import { type MemoryWatch, outOfMemoryFailure, outOfMemoryMessage } from './memoryWatch.ts';
import { nowUs } from './monotonic.ts';
import { aborted, pause } from './pause.ts';
import { type PortPool, PortTakenError } from './portPool.ts';
import { endGroupForCertain } from './processGroup.ts';
import type { Anchor, ReplicaRecord, ReplicaRecords, RunningProcess } from './replicaRecords.ts';
import { StartRefusedError } from './resolveCommand.ts';
import { type Exit, planSpawn, type SpawnedProcess, spawnReplica } from './spawnReplica.ts';
import type { UsageMeter } from './usageMeter.ts';

const loopback = '127.0.0.1';
const shownOutputLines = 3;
const longestShownLine = 200;

/** What all supervisors of an agent share. */
export interface SupervisorContext {
  ports: PortPool;
  logs: LogFiles;
  records: ReplicaRecords;
  memory: MemoryWatch;
  usage: UsageMeter;
  gpus: GpuPool;
  /** Ids of the replicas that are being probed for the first time. */
  starting: Set<string>;
  onChange(replica: ReplicaObservation): void;
  onProblem(message: string, data: Record<string, unknown>): void;
}

type ReplicaProcess = SpawnedProcess & { port: number };

/** Keeps one replica as its document wants it: starts it, probes it, starts it again, and ends it. */
export class Supervisor {
  readonly #start: ReplicaStart;
  readonly #context: SupervisorContext;
  readonly #anchor: Anchor;
  readonly #stop = new AbortController();
  #seen: ReplicaObservation;
  #process: RunningProcess | null = null;
  #gpus: GpuHolding | null;
  #history: CrashHistory;
  #readySinceUs: number | null = null;
  #log: ReturnType<LogFiles['open']> | null = null;

  private constructor(start: ReplicaStart, context: SupervisorContext, anchor: Anchor, record: ReplicaRecord | null) {
    this.#start = start;
    this.#context = context;
    this.#anchor = anchor;
    this.#history = record?.history ?? newHistory;
    this.#seen = record?.seen ?? firstSeen(start, anchor);
    this.#gpus = record?.gpus ?? null;
  }

  /** Starts a new replica. `done` resolves when it is gone for good. */
  static begin(
    start: ReplicaStart,
    context: SupervisorContext,
    anchor: Anchor,
  ): { supervisor: Supervisor; done: Promise<void> } {
    const supervisor = new Supervisor(start, context, anchor, null);
    return { supervisor, done: supervisor.#run(null) };
  }

  /** Goes on with a replica of an earlier agent, whose process may or may not run still. */
  static adopt(record: ReplicaRecord, context: SupervisorContext): { supervisor: Supervisor; done: Promise<void> } {
    const supervisor = new Supervisor(record.start, context, record.anchor, record);
    if (record.process) context.ports.claim(record.process.port, record.start.id);
    if (record.gpus) context.gpus.claim(record.start.id, record.gpus);
    return { supervisor, done: supervisor.#run(record) };
  }

  get observation(): ReplicaObservation {
    return this.#seen;
  }

  /** SIGTERM, grace, SIGKILL; then it is gone. Asking again changes nothing. */
  stop(): void {
    this.#context.gpus.leaving(this.#start.id);
    this.#stop.abort();
  }

  async #run(record: ReplicaRecord | null): Promise<void> {
    const { id } = this.#start;
    try {
      if (record) this.#openLog();
      await this.#lives(record);
    } catch (error) {
      this.#context.onProblem('replica could not be supervised', { replica: id, error: String(error) });
      this.#report({ phase: 'failed', failure: 'agent-error', message: String(error), endpoint: null });
    }
    // Nothing of it runs any more, also where it stays listed as failed.
    this.#context.gpus.release(id);
    this.#gpus = null;
    await aborted(this.#stop.signal);
    this.#context.logs.close(id);
    this.#context.records.drop(id);
    this.#seen = { ...this.#seen, phase: 'gone', pid: null, endpoint: null };
    this.#context.onChange(this.#seen);
  }

  async #lives(record: ReplicaRecord | null): Promise<void> {
    let running = record ? findProcess(record) : null;
    let known = record ? this.#endOnAdoption(record, running) : null;
    let adopted = record ? adoptedPhase(record) : null;
    while (!this.#stop.signal.aborted || running) {
      let end = known;
      if (!end) {
        try {
          running ??= await this.#spawn();
          end = await this.#live(running, adopted);
        } catch (error) {
          end = refusal(error);
        }
      }
      known = adopted = null;
      const delayMs = this.#announce(end);
      const graceMs = end.failure === outOfMemoryFailure ? 0 : this.#start.terminationGraceMs;
      await Promise.all([this.#end(running, graceMs), pause(delayMs ?? 0, this.#stop.signal)]);
      running = null;
      if (delayMs === null) return;
    }
  }

  /** What an earlier agent had already decided, or what happened while there was none. */
  #endOnAdoption({ seen, process: noted }: ReplicaRecord, running: ReplicaProcess | null): LifeEnd | null {
    this.#process = running && processOf(running);
    if (adoptedPhase({ seen }) && seen.readyAtMs !== null) {
      this.#readySinceUs = this.#anchor.askedAtUs + (seen.readyAtMs - this.#anchor.askedAtMs) * 1000;
    }
    if (running && running.pid !== seen.pid) {
      this.#report({ pid: running.pid, endpoint: { host: loopback, port: running.port } });
    }
    if (seen.phase === 'stopping') this.#stop.abort();
    const { failure, message } = seen;
    if (seen.phase === 'failed') return { failure: failure ?? 'crashed', message, final: true };
    if (seen.phase === 'backoff') return { failure: failure ?? 'crashed', message, final: false };
    const neverSpawned = noted === null || noted.pid === null;
    if (running || neverSpawned || this.#stop.signal.aborted) return null;
    return { failure: 'crashed', message: 'ended while the agent was away', final: false };
  }

  async #spawn(): Promise<ReplicaProcess> {
    const { id, workingDirectory } = this.#start;
    const askedAtUs = this.#history.starts === 0 ? this.#anchor.askedAtUs : nowUs();
    await this.#takeGpus();
    const port = await this.#context.ports.take(this.#start.port, id).catch((error: unknown) => {
      throw error instanceof PortTakenError ? new StartRefusedError('port-taken', error.message) : error;
    });
    if (this.#stop.signal.aborted) throw new Error('asked to end');
    this.#process = { pid: null, startTicks: null, port, spawnedAtUs: askedAtUs };
    const plan = planSpawn(this.#start, port, process.env, this.#gpus?.env);
    this.#history = { ...this.#history, starts: this.#history.starts + 1 };
    this.#context.records.save(this.#record());
    const output = this.#openLog().log.open();
    const spawned = await spawnReplica(plan, workingDirectory, output).finally(() => output.close());
    const { pid, spawnedAtUs } = spawned;
    this.#process = processOf({ ...spawned, port });
    this.#report({
      phase: 'starting',
      pid,
      endpoint: { host: loopback, port },
      message: `waiting for it to listen on port ${port}`,
      failure: null,
      askedAtMs: this.#msAt(askedAtUs),
      readyAtMs: null,
      readyAtUs: null,
      stagesUs: { askToSpawn: spawnedAtUs - askedAtUs, spawnToListen: null, listenToReady: null },
    });
    this.#note(`started: pid ${pid}, port ${port}`);
    return { ...spawned, port };
  }

  /** It keeps its devices over restarts in place. */
  async #takeGpus(): Promise<void> {
    const need = gpuNeedOf(this.#start.resources.requests);
    if (!need || this.#gpus) return;
    this.#gpus = await this.#context.gpus.take(this.#start.id, need, this.#stop.signal);
    this.#openLog().note(`GPU: ${this.#gpus.devices.join(', ')}`);
  }

  #openLog(): ReturnType<LogFiles['open']> {
    this.#log ??= this.#context.logs.open(this.#start.workload, this.#start.id);
    return this.#log;
  }

  #note(text: string): void {
    this.#log?.note(text);
  }

  /** Resolves with the reason for its end: it exited, a probe or the memory limit says so, or it is to stop. */
  async #live(running: ReplicaProcess, adopted: AdoptedPhase): Promise<LifeEnd> {
    const { id, workingDirectory, resources } = this.#start;
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stop.signal]);
    const memory = Promise.withResolvers<LifeEnd>();
    const limitBytes = resources.limits.memoryBytes;
    const forgetMemory = limitBytes
      ? this.#context.memory.watch(running.pid, limitBytes, (used) => memory.resolve(outOfMemory(used, limitBytes)))
      : () => {};
    const endUsage = this.#context.usage.watch({
      id,
      group: running.pid,
      startedAtMs: this.#msAt(running.spawnedAtUs),
      nowMs: () => this.#msAt(nowUs()),
    });
    if (adopted) this.#note(`adopted: pid ${running.pid}, port ${running.port}`);
    else this.#context.starting.add(id);
    let listeningAtUs = running.spawnedAtUs;
    const watched = watchLife({
      start: this.#start,
      target: {
        host: loopback,
        port: running.port,
        environment: replicaEnvironment(this.#start, running.port, process.env, this.#gpus?.env),
        workingDirectory,
      },
      spawnedAtUs: running.spawnedAtUs,
      adopted,
      signal,
      startingCount: () => this.#context.starting.size,
      onListening: (atUs) => {
        const spawnToListen = this.#seen.stagesUs.spawnToListen ?? atUs - running.spawnedAtUs;
        listeningAtUs = running.spawnedAtUs + spawnToListen;
        const stagesUs = { ...this.#seen.stagesUs, spawnToListen };
        this.#report({ stagesUs, message: 'listens; waiting for its readiness probe' });
      },
      onReady: (atUs) => {
        this.#context.starting.delete(id);
        this.#onReady(atUs, listeningAtUs);
      },
      onReadiness: (ready, message) => {
        this.#report({ phase: ready ? 'ready' : 'unready', message: ready ? '' : `readiness probe: ${message}` });
        this.#note(ready ? 'ready again' : `unready: ${message}`);
      },
    });
    const end = await Promise.race([
      running.exited.then(exitEnd),
      watched.then((reason) => reason ?? stopEnd),
      memory.promise,
    ]);
    over.abort();
    forgetMemory();
    endUsage({ outOfMemory: end.failure === outOfMemoryFailure });
    this.#context.starting.delete(id);
    return end;
  }

  #onReady(atUs: number, listeningAtUs: number): void {
    this.#readySinceUs = atUs;
    this.#history = { ...this.#history, everReady: true };
    const readyAtMs = this.#msAt(atUs);
    const stagesUs = { ...this.#seen.stagesUs, listenToReady: atUs - listeningAtUs };
    this.#report({ phase: 'ready', message: '', readyAtMs, readyAtUs: atUs, stagesUs });
    this.#note(`ready after ${durationText(readyAtMs - this.#seen.askedAtMs)}`);
  }

  /** Reports what follows from an end: the wait before the next start, or null when there is none. */
  #announce(end: LifeEnd): number | null {
    if (this.#stop.signal.aborted) {
      this.#report({ phase: 'stopping', message: 'asked to end' });
      this.#note('stopping: SIGTERM');
      return null;
    }
    const readyForMs = this.#readySinceUs === null ? null : (nowUs() - this.#readySinceUs) / 1000;
    this.#readySinceUs = null;
    const { failure } = end;
    const ended = { failure, endpoint: null };
    if (end.final) {
      this.#fail({ ...ended, message: this.#withOutput(end) });
      return null;
    }
    const { history, delayMs } = afterCrash(this.#history, readyForMs);
    this.#history = history;
    if (delayMs === null) {
      const times = `given up after ${maxStartsWithoutReady} starts that never got ready`;
      this.#fail({ ...ended, message: this.#withOutput({ ...end, message: `${end.message}; ${times}` }) });
      return null;
    }
    const restarts = this.#seen.restarts + 1;
    this.#report({ phase: 'backoff', ...ended, message: end.message, restarts });
    this.#note(`${end.message}; next start in ${durationText(delayMs)}`);
    return delayMs;
  }

  #fail(change: { failure: string; endpoint: null; message: string }): void {
    if (this.#seen.phase === 'failed') return; // Adopted as such.
    this.#report({ phase: 'failed', ...change });
    this.#note(`failed: ${change.message}`);
  }

  /** Ends what is left of a life, grandchildren included, and gives its port back. */
  async #end(running: ReplicaProcess | null, graceMs: number): Promise<void> {
    if (running) await this.#endGroup(running, graceMs);
    if (this.#process) this.#context.ports.release(this.#process.port, this.#start.id);
    this.#process = null;
    // Its last word follows at once when it was asked to end.
    if (this.#seen.pid !== null && this.#seen.phase !== 'stopping') this.#report({ pid: null });
  }

  #endGroup({ pid, exited }: ReplicaProcess, graceMs: number): Promise<void> {
    return endGroupForCertain(pid, {
      graceMs,
      exited,
      onKill: (afterMs) => this.#note(`SIGKILL after ${durationText(afterMs)}`),
      onProblem: (error) =>
        this.#context.onProblem('replica cannot be ended', { replica: this.#start.id, error: String(error) }),
    });
  }

  #withOutput({ message, failure }: LifeEnd): string {
    if (failure !== 'startup-budget' && failure !== 'crashed') return message;
    const lines = this.#context.logs.lastOutput(this.#start.workload, this.#start.id, shownOutputLines);
    if (lines.length === 0) return message;
    return `${message}; last output: ${lines.map((line) => line.slice(0, longestShownLine)).join(' | ')}`;
  }

  #report(change: Partial<ReplicaObservation>): void {
    this.#seen = { ...this.#seen, ...change };
    this.#context.onChange(this.#seen);
    try {
      this.#context.records.save(this.#record());
    } catch (error) {
      this.#context.onProblem('replica cannot be noted', { replica: this.#start.id, error: String(error) });
    }
  }

  #record(): ReplicaRecord {
    return {
      start: this.#start,
      seen: this.#seen,
      process: this.#process,
      history: this.#history,
      anchor: this.#anchor,
      gpus: this.#gpus,
    };
  }

  /** A monotonic time on the control plane's clock. */
  #msAt(atUs: number): number {
    return this.#anchor.askedAtMs + Math.round((atUs - this.#anchor.askedAtUs) / 1000);
  }
}

type AdoptedPhase = 'ready' | 'unready' | null;

function adoptedPhase({ seen }: Pick<ReplicaRecord, 'seen'>): AdoptedPhase {
  return seen.phase === 'ready' || seen.phase === 'unready' ? seen.phase : null;
}

function processOf({ pid, startTicks, port, spawnedAtUs }: ReplicaProcess): RunningProcess {
  return { pid, startTicks, port, spawnedAtUs };
}

const stopEnd: LifeEnd = { failure: 'stopped', message: 'asked to end', final: true };

function firstSeen(start: ReplicaStart, { askedAtMs }: Anchor): ReplicaObservation {
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
    message: 'about to start',
    failure: null,
    askedAtMs,
    readyAtMs: null,
    readyAtUs: null,
    stagesUs: { askToSpawn: null, spawnToListen: null, listenToReady: null },
  };
}

/** A replica is there to serve: it is not to end by itself, whatever its exit code. */
function exitEnd({ code, signal }: Exit): LifeEnd {
  const how = signal ? `ended by ${signal}` : code === null ? 'ended' : `exit code ${code}`;
  return { failure: 'crashed', message: how, final: false };
}

function outOfMemory(usedBytes: number, limitBytes: number): LifeEnd {
  return { failure: outOfMemoryFailure, message: outOfMemoryMessage(usedBytes, limitBytes), final: false };
}

function refusal(error: unknown): LifeEnd {
  if (error instanceof StartRefusedError) return { failure: error.failure, message: error.message, final: true };
  const reason = error instanceof Error ? error.message : String(error);
  return { failure: 'spawn-failed', message: `cannot be started: ${reason}`, final: false };
}
