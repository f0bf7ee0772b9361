import { type AllocationLimits, type Clock, type JournalRecord, type Scaler } from '@ebb/core';
import {
  clustersOfWorkload,
  type EventSpec,
  keyText,
  placesOf,
  type ScheduleSpec,
  templateHash,
  type WorkloadSpec,
} from '@ebb/documents';
import { type ApplyInput, createEngine, type Engine, type LogLevel, type NodePorts } from '@ebb/engine';
import type { WorldModel } from '../contract/model.ts';
import type { RunResult } from '../contract/result.ts';
import type { Trace } from '../contract/trace.ts';
import { Draws } from '../kernel/draws.ts';
import { Kernel } from '../kernel/kernel.ts';
import { rehearsalEpochMs, SimulatedClock } from '../kernel/simulatedClock.ts';
import { fullSlowdown } from '../world/batching.ts';
import { classServices } from '../world/classModel.ts';
import { deferrals } from '../world/deferrals.ts';
import { EphemeralStore } from '../world/ephemeralStore.ts';
import { Fleet } from '../world/fleet.ts';
import { SimulatedGateway } from '../world/gateway.ts';
import { serviceTime } from '../world/serviceTime.ts';
import { QueueTriggers, type TargetOf, targetFromSettings } from '../world/triggers.ts';
import { Books, type Price, type RunSoFar } from './books.ts';
import { Brokers } from './brokers.ts';
import { bucketLengthMs } from './bucketLength.ts';
import { Load } from './load.ts';
import { MachineBooks } from './machineBooks.ts';
import { type Rehearsed, type Scenario, scenarioOf } from './scenario.ts';
import { firstMinuteMean } from './startReplicas.ts';

export interface SimulateOptions {
  trace: Trace;
  /** As a user wrote them: Workloads and what scales them. */
  documents: readonly ApplyInput[];
  model: WorldModel;
  seed: number;
  /** Name of the policy, for the result. */
  policy: string;
  /** Micro-units of the currency for an hour of one replica; null: as the documents have it. */
  price?: number | null;
  /** Share of the trace that has passed, about a hundred times. */
  onProgress?: (share: number) => void;
  /** Keeps the engine's journal: the result has it then, and memory grows with the run. */
  journal?: boolean;
  /**
   * Usable from the beginning, of each workload, within the bounds of its document: a number, or what the first minute needs
   * on average. Left out: none.
   */
  startReplicas?: 'first-minute-mean' | number;
  /**
   * Rehearses at least so long: a trace of single requests does not say how long nothing came after its last one, and what
   * is kept then is paid for. Left out: the trace's span.
   */
  spanMs?: number;
  /**
   * Wall time at which it begins, whole milliseconds: what schedules and rules with buckets of wall time go by. Left out: the
   * beginning of 2026 (UTC).
   */
  startAtMs?: number;
  /** Reads schedules and dated events, as the live controller does; documents with either need it. */
  scheduleScaler?: (schedules: ScheduleSpec[], events: EventSpec[]) => Scaler;
  /** Reads targets out of the settings of triggers. Left out: by the names that KEDA's scalers give them. */
  targetOf?: TargetOf;
  limits?: AllocationLimits;
  /** Rents machines on the rehearsal's clock, for documents with Clusters whose machines are rented. Left out: none can be. */
  nodes?: (clock: Clock, seed: number) => NodePorts;
  /**
   * Asked about five hundred times as virtual time goes on; the run ends where it says so. It changes nothing in a run that
   * goes to its end.
   */
  stopWhen?: (soFar: RunSoFar) => boolean;
  /** What the engine has to say. Left out: only errors, which end the run. */
  log?: (level: LogLevel, message: string, data?: Record<string, unknown>) => void;
}

export interface SimulatedRun extends RunResult {
  /** Where it was asked for. */
  journal: JournalRecord[] | null;
  /** What `stopWhen` ended the run at: all other figures are then of a part of the trace. Null: it went to its end. */
  stopped: RunSoFar | null;
}

const unlimited: AllocationLimits = {
  maxReplicas: null,
  capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
  maxPricePerHourMicro: null,
};
const node = 'rehearsal';
/** After the last arrival requests are waited for at most this long: with no replica to be had they never end. */
const longestEndUs = 6 * 3_600_000_000;
const letters = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * Runs the engine on virtual time against a trace: the same engine, core and dispatcher as live, on simulated ports. The same
 * options give the same result to the last bit, on every machine.
 *
 * @throws Error where documents and trace do not fit, a document is not valid, or the engine meets an error.
 */
export async function simulate(options: SimulateOptions): Promise<SimulatedRun> {
  const { trace, model, seed, policy, price = null } = options;
  const scenario = scenarioOf(trace, options.documents, model.source);
  refuseUnreadable(scenario, options.targetOf ?? targetFromSettings);
  const spanUs = Math.max(trace.spanUs, (options.spanMs ?? 0) * 1000);
  const draws = new Draws(seed);
  const service = serviceTime(model.service, draws.fork('service'));
  const start = await startCounts(options, scenario, draws);
  const journal: JournalRecord[] | null = options.journal ? [] : null;

  const rented = rentedWorkloads(scenario);
  const prices = priceOf(price, workloadsOf(scenario), rented);
  const books = new Books(model.onTimeMs, bucketLengthMs(spanUs / 1000), prices);
  const machines = new MachineBooks();
  // A step about machines is read, decided, saved and asked for, one promise after the other, in one moment.
  const kernel = new Kernel({ settlesAll: rented.size > 0 });
  const epochMs = options.startAtMs ?? rehearsalEpochMs;
  const clock = new SimulatedClock(kernel, epochMs);
  const progress = progressOf(options, spanUs);
  const services = classServices(model, () => draws.fork('service'));
  const stop = stopOf(options, spanUs, books);
  const fleet: Fleet = new Fleet(kernel, clock, model, draws.fork('fleet'), {
    asked: (replica, isCold) => books.asked(replica, isCold),
    ready: (replica) => {
      books.ready(replica);
      brokers.replicas.ready(replica);
    },
    hung: (replica) => {
      gateway.replicaHung(replica);
      brokers.replicas.hung(replica);
    },
    stopping: (replica) => brokers.replicas.stopping(replica),
    ended: (replica, wasReady) => {
      books.ended(replica, wasReady);
      brokers.replicas.ended(replica);
      gateway.replicaEnded(replica);
    },
  });
  const gateway = new SimulatedGateway({
    kernel,
    model,
    draws: draws.fork('gateway'),
    workloads: scenario.workloads.map(({ key }) => keyText(key)),
    services,
    replica: (id) => fleet.replicas.get(id) ?? null,
    listener: books,
    onChange: (workload) => triggers.changed(workload),
    onBeat: () => {
      triggers.beat();
      progress(kernel.nowUs);
      stop.ask(kernel.nowUs);
    },
  });
  const triggers: QueueTriggers = new QueueTriggers({
    kernel,
    clock,
    targetOf: options.targetOf ?? targetFromSettings,
    workloadOf: (document) => brokers.workloadOf(document),
    queueOf: (workload) => brokers.queueOf(workload),
    inSystem: (workload) => gateway.inSystem(workload),
    arrived: (workload) => gateway.arrived(workload),
  });
  const onQueueChange = (workload: number) => triggers.queueChanged(workload);
  const own = draws.fork('runs');
  const brokers = new Brokers({ kernel, clock, model, draws: own, scenario, services, books, onChange: onQueueChange });
  const store = new EphemeralStore((records) => {
    books.recorded(records);
    journal?.push(...records);
  }, machines.wrote.bind(machines));
  const failures: string[] = [];
  const engine = createEngine({
    epoch: await store.takeEpoch(),
    version: 'rehearsal',
    node,
    limits: options.limits ?? unlimited,
    ports: {
      clock,
      store,
      driver: brokers.driver(fleet),
      gateway,
      scheduleScaler: options.scheduleScaler ?? noSchedules,
      triggers,
      ...(options.nodes && rented.size > 0 ? { nodes: options.nodes(clock, seed) } : {}),
      newSuffix: suffixes(draws.fork('suffix')),
      log: (level, message, data) => {
        options.log?.(level, message, data);
        if (level === 'error') failures.push(`${message}: ${JSON.stringify(data ?? {})}`);
      },
    },
  });

  for (const input of scenario.documents) {
    await store.documents.put({ ...input, atMs: epochMs, epoch: 1 });
  }
  for (const [index, count] of start?.entries() ?? []) {
    const one = scenario.workloads[index];
    // A replica that needs a machine is not there before one is.
    if (one && !rented.has(keyText(one.key))) begin(fleet, one, count);
  }
  await startEngine(engine, kernel, gateway, failures);

  const mayDefer = deferrals(model, seed);
  let requests = 0;
  const load = new Load(trace, service, (workload, serviceUs, outputTokens, bodyBytes) => {
    const deferForUs = mayDefer(requests++);
    books.arrived(kernel.nowUs);
    if (brokers.publish(workload, serviceUs, outputTokens)) return;
    if (deferForUs !== null) books.arrivedDeferrable();
    gateway.arrive(workload, serviceUs, outputTokens, bodyBytes, deferForUs);
  });
  await load.refill();
  const mostUs = spanUs + longestEndUs;
  let endUs = 0;
  await kernel.run(load, (nextUs) => {
    if (failures.length > 0) throw new Error(`the engine met an error: ${failures[0]}`);
    if (stop.at !== null) {
      endUs = kernel.nowUs;
      return true;
    }
    if (load.nextUs !== Number.POSITIVE_INFINITY) return false;
    if (nextUs <= spanUs || (gateway.open + brokers.open > 0 && nextUs <= mostUs)) return false;
    endUs = Math.min(mostUs, Math.max(spanUs, kernel.nowUs));
    return true;
  });
  await load.close();
  kernel.nowUs = endUs;
  fleet.finish();
  brokers.finish();
  await kernel.settle();
  await engine.stop();
  progress(Number.POSITIVE_INFINITY);
  const currency = workloadsOf(scenario)[0]?.classes[0]?.currency ?? null;
  const result = books.result(endUs);
  const ofMachines = machines.result(epochMs + endUs / 1000);
  const costMicro = ofMachines
    ? String(BigInt(result.costMicro ?? 0) + BigInt(ofMachines.costMicro))
    : result.costMicro;
  return {
    trace: trace.name,
    policy,
    seed,
    ...result,
    costMicro,
    ...(ofMachines ? { machines: ofMachines } : {}),
    currency: costMicro === null ? null : (ofMachines?.currency ?? currency),
    journal,
    stopped: stop.at,
  };
}

async function startEngine(
  engine: Engine,
  kernel: Kernel,
  gateway: SimulatedGateway,
  failures: string[],
): Promise<void> {
  await engine.start();
  gateway.connect();
  // Opening a provider may load a module: that takes no time of the rehearsal.
  await engine.machinesTakenUp();
  await kernel.settle();
  if (failures.length > 0) throw new Error(failures[0]);
}

async function startCounts(
  { startReplicas, trace, model }: SimulateOptions,
  scenario: Scenario,
  draws: Draws,
): Promise<number[] | null> {
  if (startReplicas === undefined) return null;
  if (startReplicas !== 'first-minute-mean') return scenario.workloads.map(() => startReplicas);
  return firstMinuteMean(
    trace,
    serviceTime(model.service, draws.fork('service')),
    model.concurrency / fullSlowdown(model),
  );
}

/** Replicas of the cheapest class, within the bounds of the document. */
function begin(fleet: Fleet, rehearsed: Rehearsed | undefined, count: number): void {
  // A Job is not kept: none is there from the beginning.
  if (!rehearsed || rehearsed.source === 'jobs') return;
  const { key, classes, probes, scaling } = rehearsed.workload;
  const cheapest = [...classes].sort((a, b) => a.pricePerHourMicro - b.pricePerHourMicro)[0];
  if (!cheapest) return;
  const bounded = Math.min(scaling.maxReplicas, Math.max(scaling.minReplicas, count));
  for (let number = 0; number < bounded; number++) {
    const id = `${key.name}-begin-${number}`;
    const { name, terminationGraceMs } = cheapest;
    const revision = templateHash(cheapest, probes);
    fleet.begin({ id, workload: key, class: name, revision, node, probes, terminationGraceMs });
  }
}

function workloadsOf({ workloads }: Scenario): WorkloadSpec[] {
  return workloads.flatMap((one) => (one.source === 'jobs' ? [] : [one.workload]));
}

/** The engine passes over a trigger that cannot be opened; here that would be a rehearsal of nothing. */
function refuseUnreadable({ workloads }: Scenario, targetOf: TargetOf): void {
  for (const one of workloads) {
    const wrong = one.source === 'jobs' ? one.job.triggers.find((trigger) => targetOf(trigger) === null) : undefined;
    if (!wrong) continue;
    throw new Error(
      `ScaledJob ${one.key.name}: trigger ${wrong.name} of type ${wrong.type} names no target that a rehearsal knows`,
    );
  }
}

/** Keys of the workloads whose replicas need machines that are rented. */
function rentedWorkloads({ documents, workloads }: Scenario): Set<string> {
  const places = placesOf(documents, true);
  const isRented = (name: string) => {
    const cluster = places.clusters.get(name);
    return cluster?.type === 'rehearsal' && cluster.cloud !== 'local';
  };
  const found = workloads.filter(
    (one) => one.source !== 'jobs' && clustersOfWorkload(one.workload, places).some(isRented),
  );
  return new Set(found.map(({ key }) => keyText(key)));
}

/** Null where not even one class has a price. What runs on rented machines is paid for by those. */
function priceOf(price: number | null, workloads: readonly WorkloadSpec[], rented: ReadonlySet<string>): Price {
  if (rented.size > 0) return (workload, name) => (rented.has(workload) ? 0 : (listed(workloads, workload, name) ?? 0));
  if (price !== null) return () => price;
  const prices = new Map<string, number>();
  for (const { key, classes } of workloads) {
    for (const { name, pricePerHourMicro } of classes) prices.set(`${keyText(key)} ${name}`, pricePerHourMicro);
  }
  const isKnown = [...prices.values()].some((each) => each > 0);
  return (workload, className) => (isKnown ? (prices.get(`${workload} ${className}`) ?? null) : null);
}

function listed(workloads: readonly WorkloadSpec[], workload: string, className: string): number | undefined {
  const spec = workloads.find(({ key }) => keyText(key) === workload);
  return spec?.classes.find(({ name }) => name === className)?.pricePerHourMicro;
}

function suffixes(draws: Draws): () => string {
  return () => {
    let text = '';
    for (let index = 0; index < 5; index++) text += letters[Math.floor(draws.next() * letters.length)];
    return text;
  };
}

function progressOf({ onProgress }: SimulateOptions, spanUs: number): (nowUs: number) => void {
  let nextUs = 0;
  return (nowUs) => {
    if (!onProgress || nowUs < nextUs) return;
    onProgress(Math.min(1, nowUs / Math.max(1, spanUs)));
    nextUs = nowUs + spanUs / 100;
  };
}

/** Shares of the span at which a run is asked whether it should end. */
const stopChecks = 500;

function stopOf(
  { stopWhen }: SimulateOptions,
  spanUs: number,
  books: Books,
): { at: RunSoFar | null; ask: (nowUs: number) => void } {
  let nextUs = 0;
  const stop = {
    at: null as RunSoFar | null,
    ask: (nowUs: number) => {
      if (!stopWhen || nowUs < nextUs || stop.at) return;
      nextUs = nowUs + spanUs / stopChecks;
      const soFar = books.soFar(nowUs);
      if (stopWhen(soFar)) stop.at = soFar;
    },
  };
  return stop;
}

function noSchedules(): Scaler {
  throw new Error('this rehearsal was given no way to read schedules');
}
