import { type AllocationLimits, fleetStep, type Offering } from '@ebb/core';
import {
  type ApplyInput,
  createEngine,
  type Engine,
  type LogLevel,
  type MoneyNotice,
  type Guests,
  type NodePorts,
} from '@ebb/engine';
import { keyText, type EventSpec, type Resources, type ScheduleSpec, type WorkloadInput } from '@ebb/documents';
import { applyInput } from './builders.ts';
import { MemoryStore } from './memoryStore.ts';
import { SeededRandom } from './random.ts';
import { ProcessLife } from './processLife.ts';
import { VirtualClock } from './virtualClock.ts';
import { VirtualCloud, type VirtualCloudOptions } from './virtualCloud.ts';
import { VirtualDriver, type VirtualDriverOptions } from './virtualDriver.ts';
import { VirtualGateway } from './virtualGateway.ts';
import type { VirtualGatewayPort } from './virtualGatewayPort.ts';
import { VirtualMetrics } from './virtualMetrics.ts';
import { VirtualProvider } from './virtualProvider.ts';
import { VirtualScaler } from './virtualScaler.ts';
import { VirtualTriggers } from './virtualTriggers.ts';

export interface VirtualSystemOptions {
  seed?: number;
  limits?: AllocationLimits;
  plan?: VirtualDriverOptions['plan'];
  runPlan?: VirtualDriverOptions['runPlan'];
  stopUs?: number;
  countsMs?: number;
  scheduleScaler?: (schedules: ScheduleSpec[], events: EventSpec[]) => VirtualScaler;
  /** Why the machine can never run such replicas. */
  cannotRun?: (requests: Resources) => string | null;
  /** What can be rented of `cloud`. Left out: nothing. */
  offerings?: readonly Offering[];
  /** Pods of others that the machines are for, in place of replicas. */
  guests?: Guests;
  nodePlan?: VirtualCloudOptions['plan'];
  /** When disruption budgets with a schedule count. Left out: always. */
  window?: NodePorts['window'];
  /** The next so many providers cannot be opened. */
  failingProviders?: number;
}

export interface LogEntry {
  atMs: number;
  level: LogLevel;
  message: string;
  data: Record<string, unknown> | undefined;
}

const unlimited: AllocationLimits = {
  maxReplicas: null,
  capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
  maxPricePerHourMicro: null,
};

/**
 * The real engine on virtual ports: one clock, store, driver and gateway that outlive engines, so that the control
 * plane can be killed and started again while replicas and requests go on.
 */
export class VirtualSystem {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly store = new MemoryStore();
  readonly driver: VirtualDriver;
  readonly gateway: VirtualGateway;
  /** Where machines are rented: it outlives engines, too. */
  readonly cloud: VirtualCloud;
  /** Of the engine that runs, by cluster. */
  readonly providers = new Map<string, VirtualProvider>();
  /** Sources of ScaledObjects' and ScaledJobs' triggers. */
  readonly triggers = new VirtualTriggers(this.clock);
  /** Pages of metrics that replicas publish. */
  readonly metrics = new VirtualMetrics(this.clock);
  readonly logs: LogEntry[] = [];
  /** What was to be told of budgets and cost without use. */
  readonly notices: MoneyNotice[] = [];
  readonly #options: VirtualSystemOptions;
  #engine: Engine | null = null;
  #port: VirtualGatewayPort | null = null;
  #life: ProcessLife | null = null;
  #failingProviders: number;

  constructor(options: VirtualSystemOptions = {}) {
    this.#options = options;
    this.#failingProviders = options.failingProviders ?? 0;
    this.random = new SeededRandom(options.seed ?? 1);
    this.driver = new VirtualDriver({
      clock: this.clock,
      random: this.random.fork('driver'),
      ...(options.plan ? { plan: options.plan } : {}),
      ...(options.runPlan ? { runPlan: options.runPlan } : {}),
      ...(options.stopUs === undefined ? {} : { stopUs: options.stopUs }),
    });
    this.gateway = new VirtualGateway({
      clock: this.clock,
      isServing: (replica) => this.driver.isServing(replica),
      seed: this.random.integer(1, 1e9),
      ...(options.countsMs === undefined ? {} : { countsMs: options.countsMs }),
    });
    this.driver.onEnd = (id) => this.gateway.replicaEnded(id);
    this.cloud = new VirtualCloud({
      clock: this.clock,
      random: this.random.fork('cloud'),
      ...(options.nodePlan ? { plan: options.nodePlan } : {}),
    });
  }

  get engine(): Engine {
    if (!this.#engine) throw new Error('no engine runs');
    return this.#engine;
  }

  get isRunning(): boolean {
    return this.#engine !== null;
  }

  /** The link between gateway and control plane, to cut and connect. */
  get link(): VirtualGatewayPort {
    if (!this.#port) throw new Error('no engine runs');
    return this.#port;
  }

  /** Starts a control plane; the clock runs until it is up and has heard of the gateway. */
  async start(): Promise<Engine> {
    const starting = this.startWithoutWaiting();
    let up = false;
    void starting.then(() => {
      up = true;
    });
    await this.clock.runUntilTrue(() => up, 60_000, 'the start of the engine');
    await this.clock.advance(1);
    return starting;
  }

  async startWithoutWaiting(): Promise<Engine> {
    if (this.#life) throw new Error('an engine runs already');
    const life = new ProcessLife();
    this.#life = life;
    const epoch = await this.store.takeEpoch();
    const port = this.gateway.port();
    const engine = createEngine({
      epoch,
      version: 'test',
      node: 'local',
      limits: this.#options.limits ?? unlimited,
      ports: {
        clock: life.clock(this.clock),
        store: life.store(this.store),
        driver: life.driver(this.driver),
        gateway: port,
        scheduleScaler: this.#options.scheduleScaler ?? (() => new VirtualScaler()),
        triggers: this.triggers,
        metrics: this.metrics,
        notify: (notice) => this.notices.push(notice),
        ...(this.#options.offerings ? { nodes: this.#nodes(life, this.#options.offerings) } : {}),
        ...(this.#options.cannotRun ? { cannotRun: this.#options.cannotRun } : {}),
        newSuffix: () => this.random.suffix(),
        log: (level, message, data) => this.logs.push({ atMs: this.clock.nowMs(), level, message, data }),
      },
    });
    this.#port = port;
    this.#engine = engine;
    await engine.start();
    if (this.#life === life) port.connect();
    return engine;
  }

  /** Ends the control plane as SIGKILL would: nothing is flushed, nothing is told. */
  kill(): void {
    this.#life?.kill();
    this.#life = null;
    // Closed, it tells nothing more and answers nobody.
    for (const provider of this.providers.values()) void provider.close();
    this.providers.clear();
    void this.#port?.close();
    this.#port = null;
    this.#engine = null;
  }

  /** Ends the control plane in good order. */
  async stop(): Promise<void> {
    const engine = this.engine;
    await this.await(engine.stop());
    this.kill();
  }

  /** Lets time run until the promise is kept. */
  async await<Value>(promise: Promise<Value>, limitMs = 600_000): Promise<Value> {
    let done = false;
    promise.then(
      () => {
        done = true;
      },
      () => {
        done = true;
      },
    );
    await this.clock.runUntilTrue(() => done, limitMs, 'a promise');
    return promise;
  }

  async applyInputs(...inputs: ApplyInput[]): Promise<string[]> {
    const outcomes = await this.await(this.engine.apply(inputs));
    return outcomes.map((outcome) => keyText(outcome.key));
  }

  #nodes(life: ProcessLife, offerings: readonly Offering[]): NodePorts {
    return {
      currency: 'USD',
      ...(this.#options.guests ? { guests: this.#options.guests } : {}),
      offerings: async () => offerings,
      open: async (cluster) => {
        const { name } = cluster.key;
        if (this.#failingProviders-- > 0) throw new Error('the credentials are not there');
        const provider = new VirtualProvider({ clock: this.clock, cloud: this.cloud, cluster: name });
        this.providers.set(name, provider);
        return provider;
      },
      // Little: without a solver nothing tells when a plan is good enough.
      workUnits: 100,
      // In a turn of its own, as from another thread.
      step: (spec, memory, observation) =>
        life.ask(async () => structuredClone(fleetStep(spec, memory, structuredClone(observation), null))),
      window: this.#options.window ?? (() => ({ isOpen: true, changesAtMs: null })),
    };
  }

  async apply(...documents: WorkloadInput[]): Promise<string[]> {
    const outcomes = await this.await(this.engine.apply(documents.map((document) => applyInput(document))));
    return outcomes.map((outcome) => keyText(outcome.key));
  }
}
