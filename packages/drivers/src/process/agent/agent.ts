import type {
  Envelope,
  FromAgent,
  MachineGpus,
  ReplicaObservation,
  ReplicaUsageSample,
  RunObservation,
  ToAgent,
} from '@ebb/core';
import type { Connection } from '@ebb/link';
import { join } from 'node:path';
import { discoverGpus } from '../../gpu/discover.ts';
import { GpuPool } from '../../gpu/gpuPool.ts';
import { EpochGuard } from './epochGuard.ts';
import { LogFiles } from './logFiles.ts';
import { MemoryWatch } from './memoryWatch.ts';
import { nowUs } from './monotonic.ts';
import { PortPool } from './portPool.ts';
import { readBootId } from './processTable.ts';
import { ReplicaRecords } from './replicaRecords.ts';
import { readReplicaStart } from './replicaStart.ts';
import { RunRecords } from './runRecords.ts';
import { readRunStart } from './runStart.ts';
import { type RunContext, RunSupervisor } from './runSupervisor.ts';
import { Supervisor, type SupervisorContext } from './supervisor.ts';
import { Turns } from './turns.ts';
import { UsageMeter } from './usageMeter.ts';

export type AgentConnection = Connection<ToAgent, FromAgent>;

export interface AgentOptions {
  dataDirectory: string;
  log(level: 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): void;
  /** A control plane asked the agent itself to end. */
  onShutdown(): void;
}

/** A control plane that does not read is cut off here; it gets everything again when it comes back. */
const longestBacklogBytes = 32 * 1024 * 1024;
/** Log lines for one that reads slowly are left out beyond this: the files still have them. */
const longestLogBacklogBytes = 4 * 1024 * 1024;
/** Usage for one that reads slowly is left out beyond this: the next measurement says as much. */
const longestUsageBacklogBytes = 1024 * 1024;
const mostFollowsPerConnection = 100;
/** A driver may be repaired, and cards be cut anew. */
const lookMs = 600_000;
const brokenLookMs = 60_000;

interface Peer {
  connection: AgentConnection;
  epoch: number;
  /** Follows by question. */
  follows: Map<number, () => void>;
}

/** What the agent process does for its control planes: replicas and runs of Jobs by id, events to everyone, logs to who asks. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #epochs: EpochGuard;
  readonly #context: SupervisorContext;
  readonly #runContext: RunContext;
  readonly #supervisors = new Map<string, { supervisor: Supervisor; done: Promise<void> }>();
  readonly #runs = new Map<string, { run: RunSupervisor; done: Promise<void> }>();
  readonly #peers = new Set<Peer>();
  readonly #gpus: GpuPool;
  /** Everything is being ended, after which the agent ends: no new ones. */
  #ending = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { dataDirectory } = options;
    const bootId = readBootId();
    const records = new ReplicaRecords(join(dataDirectory, 'run', 'replicas'), bootId);
    this.#epochs = new EpochGuard(join(dataDirectory, 'run', 'agent-epoch'));
    this.#gpus = new GpuPool({
      discover: () => discoverGpus(),
      env: process.env,
      onMachine: (machine) => this.#onMachine(machine),
    });
    this.#context = {
      gpus: this.#gpus,
      ports: new PortPool(process.pid * 37),
      logs: new LogFiles(join(dataDirectory, 'logs'), () => Date.now()),
      records,
      memory: new MemoryWatch(),
      usage: new UsageMeter((samples) => this.#onUsage(samples)),
      starting: new Set(),
      onChange: (replica) => this.#onChange(replica),
      onProblem: (message, data) => options.log('error', message, data),
    };
    this.#runContext = {
      logs: this.#context.logs,
      records: new RunRecords(join(dataDirectory, 'run', 'runs'), bootId),
      memory: this.#context.memory,
      gpus: this.#gpus,
      spawns: new Turns(),
      onChange: (run) => this.#onRunChange(run),
      onProblem: this.#context.onProblem,
    };
  }

  /** Takes over the replicas and runs of an earlier agent. Returns how many there are. */
  adopt(): number {
    const onUnreadable = (file: string, reason: string) =>
      this.#options.log('error', 'note cannot be read', { file, reason });
    for (const record of this.#context.records.load(onUnreadable)) {
      this.#keep(record.start.id, Supervisor.adopt(record, this.#context));
    }
    for (const found of this.#runContext.records.load(onUnreadable)) {
      this.#runs.set(found.seen.id, RunSupervisor.adopt(found, this.#runContext));
    }
    return this.#supervisors.size + this.#runs.size;
  }

  /** Looks which GPUs the machine has, now and from time to time; control planes are told what has changed. */
  look(): void {
    void this.#gpus.look().then(({ state }) => {
      setTimeout(() => this.look(), state === 'broken' ? brokenLookMs : lookMs).unref();
    });
  }

  /** Serves a control plane until it goes away. */
  serve(connection: AgentConnection): void {
    const peer: Peer = { connection, epoch: 0, follows: new Map() };
    this.#peers.add(peer);
    connection.onClose = () => this.#forget(peer);
    connection.onMessage = (body, envelope) => this.#onMessage(peer, body, envelope);
    connection.send({ type: 'hello', agent: `agent-${process.pid}`, pid: process.pid });
  }

  /** Lets go of everything; replicas and runs go on. */
  end(): void {
    for (const peer of this.#peers) this.#forget(peer);
    this.#context.logs.end();
  }

  #onMessage(peer: Peer, body: ToAgent, { epoch }: Envelope<ToAgent>): void {
    if (!this.#epochs.accepts(epoch)) {
      const message = `a newer control plane (epoch ${this.#epochs.highest}) has taken over from epoch ${epoch}`;
      return this.#refuse(peer, message);
    }
    peer.epoch = epoch;
    for (const other of this.#peers) {
      if (other.epoch === 0 || other.epoch >= epoch) continue;
      this.#refuse(other, `a newer control plane (epoch ${epoch}) has taken over from epoch ${other.epoch}`);
    }
    try {
      this.#act(peer, body);
    } catch (error) {
      this.#options.log('error', 'message cannot be acted on', { type: body.type, error: String(error) });
    }
  }

  #act(peer: Peer, body: ToAgent): void {
    switch (body.type) {
      case 'ensure':
        return this.#ensure(body);
      case 'run':
        return this.#startRun(body);
      case 'stop':
        return this.#stop(peer, body.id);
      case 'list': {
        const { question } = body;
        const all = this.#observations();
        peer.connection.send(
          question === undefined ? { type: 'snapshot', ...all } : { type: 'listed', question, ...all },
        );
        if (question === undefined && this.#gpus.machine) {
          peer.connection.send({ type: 'machine', machine: this.#gpus.machine });
        }
        return;
      }
      case 'logs':
        return this.#readLogs(peer, body);
      case 'logs-end':
        return this.#endFollow(peer, body.question);
      case 'shutdown':
        void this.#shutdown(body.stopReplicas);
        return;
      default:
        this.#options.log('warn', 'message of an unknown type', { type: (body as { type?: unknown }).type });
    }
  }

  #ensure({ start: asked, askedAtMs, askedAtUs }: Extract<ToAgent, { type: 'ensure' }>): void {
    const start = readReplicaStart(asked);
    if (this.#ending || this.#supervisors.has(start.id)) return;
    const anchor = { askedAtMs: askedAtMs ?? Date.now(), askedAtUs: askedAtUs ?? nowUs() };
    this.#keep(start.id, Supervisor.begin(start, this.#context, anchor));
  }

  #startRun({ start: asked, askedAtMs, askedAtUs }: Extract<ToAgent, { type: 'run' }>): void {
    const start = readRunStart(asked);
    if (this.#ending || this.#runs.has(start.id)) return;
    const anchor = { askedAtMs: askedAtMs ?? Date.now(), askedAtUs: askedAtUs ?? nowUs() };
    this.#runs.set(start.id, RunSupervisor.begin(start, this.#runContext, anchor));
  }

  #stop(peer: Peer, id: string): void {
    const kept = this.#supervisors.get(id)?.supervisor ?? this.#runs.get(id)?.run;
    if (kept) kept.stop();
    // Whoever waits for its end learns from this that it does not exist.
    else peer.connection.send({ type: 'snapshot', ...this.#observations() });
  }

  #readLogs(peer: Peer, query: Extract<ToAgent, { type: 'logs' }>): void {
    const { question, follow } = query;
    const { connection, follows } = peer;
    if (!follow || follows.size >= mostFollowsPerConnection) {
      for (const line of this.#context.logs.tail(query)) connection.send({ type: 'log', question, line });
      connection.send({ type: 'log-end', question });
      return;
    }
    let skipped = 0;
    const end = this.#context.logs.follow(query, (line) => {
      if (connection.backlogBytes > longestLogBacklogBytes) {
        skipped++;
        return;
      }
      if (skipped > 0) {
        const text = `${skipped} lines skipped: they are read more slowly than written`;
        connection.send({ type: 'log', question, line: { ...line, stream: 'ebb', text } });
        skipped = 0;
      }
      connection.send({ type: 'log', question, line });
    });
    follows.set(question, end);
  }

  #endFollow({ follows, connection }: Peer, question: number): void {
    follows.get(question)?.();
    if (follows.delete(question)) connection.send({ type: 'log-end', question });
  }

  async #shutdown(stopReplicas: boolean): Promise<void> {
    if (stopReplicas) {
      this.#ending = true;
      const kept = [...this.#supervisors.values()];
      // The result of an ended run is for the next control plane.
      const runs = [...this.#runs.values()].filter(({ run }) => !run.hasEnded);
      for (const { supervisor } of kept) supervisor.stop();
      for (const { run } of runs) run.stop();
      await Promise.all([...kept, ...runs].map(({ done }) => done));
    }
    this.#options.onShutdown();
  }

  #keep(id: string, kept: { supervisor: Supervisor; done: Promise<void> }): void {
    this.#supervisors.set(id, kept);
  }

  #onChange(replica: ReplicaObservation): void {
    if (replica.phase === 'gone') this.#supervisors.delete(replica.id);
    this.#tellAll({ type: 'replica', replica });
  }

  #onRunChange(run: RunObservation): void {
    if (run.phase === 'gone') this.#runs.delete(run.id);
    this.#tellAll({ type: 'run', run });
  }

  #tellAll(event: FromAgent): void {
    for (const { connection, epoch } of this.#peers) {
      if (epoch === 0) continue; // Has not said who it is: it gets the whole list when it does.
      connection.send(event);
      if (connection.backlogBytes > longestBacklogBytes) connection.destroy();
    }
  }

  #onMachine(machine: MachineGpus): void {
    const { state, message } = machine;
    this.#options.log(state === 'broken' ? 'warn' : 'info', 'GPUs of this machine', { state, found: message });
    this.#tellAll({ type: 'machine', machine });
  }

  #onUsage(samples: ReplicaUsageSample[]): void {
    for (const { connection, epoch } of this.#peers) {
      if (epoch === 0 || connection.backlogBytes > longestUsageBacklogBytes) continue;
      connection.send({ type: 'usage', samples });
    }
  }

  #observations(): { replicas: ReplicaObservation[]; runs: RunObservation[] } {
    return {
      replicas: [...this.#supervisors.values()].map(({ supervisor }) => supervisor.observation),
      runs: [...this.#runs.values()].map(({ run }) => run.observation),
    };
  }

  #refuse(peer: Peer, message: string): void {
    this.#options.log('warn', 'control plane refused', { message });
    peer.connection.send({ type: 'refused', code: 'stale-epoch', message });
    peer.connection.end();
    this.#forget(peer);
  }

  #forget(peer: Peer): void {
    for (const end of peer.follows.values()) end();
    peer.follows.clear();
    this.#peers.delete(peer);
  }
}
