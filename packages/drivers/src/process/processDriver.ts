import type {
  Clock,
  Driver,
  DriverEvent,
  FromAgent,
  LogLine,
  MachineGpus,
  ReplicaObservation,
  ReplicaStart,
  RunObservation,
  RunStart,
  ToAgent,
} from '@ebb/core';
import { type Connection, connectLink, socketPath } from '@ebb/link';
import { keyText } from '@ebb/documents';
import { DriverError } from './driverError.ts';
import { LogStream } from './logStream.ts';
import { nowUs } from './agent/monotonic.ts';

export interface ProcessDriverOptions {
  dataDirectory: string;
  /** Leader's epoch: the agent refuses a driver with an older one than it has heard. */
  epoch: number;
  clock?: Pick<Clock, 'nowMs' | 'nowUs'>;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): void;
  /** How long the first connection may take. Default 10 s: the agent is usually started at the same moment. */
  connectTimeoutMs?: number;
}

/** Runs replicas and runs of Jobs as local processes, through the agent process of the data directory. */
export interface ProcessDriver extends Driver {
  agent(): { connected: boolean; pid: number | null };
  /** The GPUs of its machine; null before the agent has told. */
  machine(): MachineGpus | null;
  /** Calls back whenever that changes; returns the way to call it off. */
  onMachine(listener: (machine: MachineGpus) => void): () => void;
  /**
   * Ends the agent, with `stopReplicas` every replica and every run that goes on before it. Resolves when it has gone; `close` the driver then,
   * or it waits for the next agent.
   */
  shutdown(options: { stopReplicas: boolean }): Promise<void>;
}

const firstRetryMs = 20;
const longestRetryMs = 1000;
const defaultConnectTimeoutMs = 10_000;

type AgentLink = Connection<FromAgent, ToAgent>;
type Listed = Extract<FromAgent, { type: 'listed' }>;

/**
 * Connects to the agent of a data directory. Resolves with the first list of what runs; rejects with a `DriverError`
 * when no agent answers in time. From then on a lost connection is told as `disconnected`, taken up again with
 * back-off (20 ms to 1 s), and followed by a `snapshot`; what is asked in between is refused (`disconnected`).
 */
export async function connectProcessDriver(options: ProcessDriverOptions): Promise<ProcessDriver> {
  const driver = new AgentClient(options);
  try {
    await driver.connected(options.connectTimeoutMs ?? defaultConnectTimeoutMs);
  } catch (error) {
    await driver.close();
    throw error;
  }
  return driver;
}

class AgentClient implements ProcessDriver {
  readonly #options: ProcessDriverOptions;
  readonly #clock: Pick<Clock, 'nowMs' | 'nowUs'>;
  readonly #path: string;
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #machineListeners = new Set<(machine: MachineGpus) => void>();
  #machine: MachineGpus | null = null;
  readonly #lists = new Map<number, { resolve(all: Listed): void; reject(error: Error): void }>();
  readonly #streams = new Map<number, LogStream>();
  readonly #onceConnected: ((error: Error | null) => void)[] = [];
  readonly #onceDisconnected: (() => void)[] = [];
  /** Any connection; `#ready` only once its first snapshot has come. */
  #link: AgentLink | null = null;
  #ready = false;
  #agentPid: number | null = null;
  #questions = 0;
  #retry: NodeJS.Timeout | null = null;
  #retryMs = firstRetryMs;
  #final: DriverError | null = null;

  constructor(options: ProcessDriverOptions) {
    this.#options = options;
    this.#clock = options.clock ?? { nowMs: () => Date.now(), nowUs };
    this.#path = socketPath(options.dataDirectory, 'agent');
    void this.#connect();
  }

  connected(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new DriverError('disconnected', `no agent answers on ${this.#path} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#onceConnected.push((error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  agent(): { connected: boolean; pid: number | null } {
    return { connected: this.#ready, pid: this.#ready ? this.#agentPid : null };
  }

  machine(): MachineGpus | null {
    return this.#machine;
  }

  onMachine(listener: (machine: MachineGpus) => void): () => void {
    this.#machineListeners.add(listener);
    if (this.#machine) listener(this.#machine);
    return () => this.#machineListeners.delete(listener);
  }

  async ensure(start: ReplicaStart): Promise<void> {
    this.#send({ type: 'ensure', start, askedAtMs: this.#clock.nowMs(), askedAtUs: this.#clock.nowUs() });
  }

  async run(start: RunStart): Promise<void> {
    this.#send({ type: 'run', start, askedAtMs: this.#clock.nowMs(), askedAtUs: this.#clock.nowUs() });
  }

  async stop(id: string): Promise<void> {
    this.#send({ type: 'stop', id });
  }

  async list(): Promise<ReplicaObservation[]> {
    return (await this.#ask()).replicas;
  }

  async listRuns(): Promise<RunObservation[]> {
    return (await this.#ask()).runs ?? [];
  }

  /** The listener hears a snapshot first when the agent is connected. */
  watch(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#ready) {
      const tell = ({ replicas, runs = [] }: Listed) => {
        if (this.#listeners.has(listener)) listener({ type: 'snapshot', replicas, runs });
      };
      this.#ask().then(tell, () => {}); // Disconnected meanwhile: the next snapshot is for everyone.
    }
    return () => this.#listeners.delete(listener);
  }

  logs(query: Parameters<Driver['logs']>[0]): AsyncIterableIterator<LogLine> {
    const question = ++this.#questions;
    const stream = new LogStream(() => {
      this.#streams.delete(question);
      this.#link?.send({ type: 'logs-end', question });
    });
    const { tailLines, follow, replica = null } = query;
    try {
      this.#send({ type: 'logs', question, workload: keyText(query.workload), replica, tailLines, follow });
      this.#streams.set(question, stream);
    } catch (error) {
      stream.end(error instanceof Error ? error : new Error(String(error)));
    }
    return stream;
  }

  async shutdown({ stopReplicas }: { stopReplicas: boolean }): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#onceDisconnected.push(resolve));
    this.#send({ type: 'shutdown', stopReplicas });
    await gone;
  }

  async close(): Promise<void> {
    this.#giveUp(new DriverError('closed', 'the driver is closed'));
    this.#listeners.clear();
    this.#machineListeners.clear();
    this.#link?.end();
    this.#drop('closed');
  }

  async #ask(): Promise<Listed> {
    const question = ++this.#questions;
    this.#send({ type: 'list', question });
    return new Promise((resolve, reject) => this.#lists.set(question, { resolve, reject }));
  }

  #send(message: ToAgent): void {
    if (this.#final) throw this.#final;
    if (!this.#ready || !this.#link?.send(message)) throw new DriverError('disconnected', 'the agent is not connected');
  }

  async #connect(): Promise<void> {
    this.#retry = null;
    const { epoch } = this.#options;
    let link: AgentLink;
    try {
      link = await connectLink<FromAgent, ToAgent>(this.#path, { sender: 'control-plane', epoch });
    } catch {
      return this.#retryLater();
    }
    if (this.#final) return link.destroy();
    this.#link = link;
    link.onMessage = (message) => {
      if (this.#link === link) this.#onMessage(message);
    };
    link.onGap = () => link.send({ type: 'list' });
    link.onClose = (error) => {
      if (this.#link !== link) return;
      this.#drop(error?.message ?? 'the agent closed the connection');
      this.#retryLater();
    };
    link.send({ type: 'list' });
  }

  #retryLater(): void {
    if (this.#final) return;
    this.#retry = setTimeout(() => void this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
  }

  #onMessage(message: FromAgent): void {
    switch (message.type) {
      case 'hello':
        this.#agentPid = message.pid;
        return;
      case 'snapshot':
        if (!this.#ready) this.#becomeReady();
        return this.#tell(message);
      case 'replica':
      case 'run':
      case 'usage':
        return this.#tell(message);
      case 'machine':
        this.#machine = message.machine;
        for (const listener of this.#machineListeners) listener(message.machine);
        return;
      case 'listed':
        this.#lists.get(message.question)?.resolve(message);
        this.#lists.delete(message.question);
        return;
      case 'log':
        this.#streams.get(message.question)?.push(message.line);
        return;
      case 'log-end':
        this.#streams.get(message.question)?.end(null);
        this.#streams.delete(message.question);
        return;
      case 'refused':
        this.#options.log('error', message.message);
        return this.#giveUp(new DriverError(message.code, message.message));
      default:
        this.#options.log('warn', 'message of an unknown type from the agent');
    }
  }

  #becomeReady(): void {
    this.#ready = true;
    this.#retryMs = firstRetryMs;
    this.#options.log('info', 'agent connected', { pid: this.#agentPid });
    for (const tell of this.#onceConnected.splice(0)) tell(null);
  }

  /** The connection is gone: whoever waits for an answer of it is told. */
  #drop(reason: string): void {
    this.#link = null;
    const wasReady = this.#ready;
    this.#ready = false;
    const error = this.#final ?? new DriverError('disconnected', `the connection to the agent is lost: ${reason}`);
    for (const { reject } of this.#lists.values()) reject(error);
    this.#lists.clear();
    for (const stream of this.#streams.values()) stream.end(error);
    this.#streams.clear();
    for (const tell of this.#onceDisconnected.splice(0)) tell();
    if (wasReady) this.#tell({ type: 'disconnected', message: error.message });
  }

  #giveUp(error: DriverError): void {
    this.#final ??= error;
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    for (const tell of this.#onceConnected.splice(0)) tell(this.#final);
  }

  #tell(event: DriverEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
