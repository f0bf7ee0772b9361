import type { Driver, DriverEvent, LogLine, ReplicaObservation, ReplicaStart } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import type { WorldModel } from '../contract/model.ts';
import type { Draws } from '../kernel/draws.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimulatedClock } from '../kernel/simulatedClock.ts';
import { drawUs } from './distribution.ts';

/** One replica of the simulated world. */
export interface SimulatedReplica {
  readonly number: number;
  readonly id: string;
  readonly workload: string;
  readonly class: string;
  readonly askedUs: number;
  /** How many times longer its services take. */
  readonly factor: number;
  seen: ReplicaObservation;
  /** Its process answers. */
  isServing: boolean;
  /** Machine time ends here; null: it runs. */
  endedUs: number | null;
  /** It will be taken away. */
  isNoticed: boolean;
  life: number;
}

/** Who wants to know what becomes of replicas. */
export interface FleetListener {
  /** A start was asked for; `isCold`: it did not run from the beginning. */
  asked(replica: SimulatedReplica, isCold: boolean): void;
  ready(replica: SimulatedReplica): void;
  /** It serves no more; what it was serving breaks. `wasReady`: it had been usable until now. */
  ended(replica: SimulatedReplica, wasReady: boolean): void;
}

const microsecondsPerHour = 3_600_000_000;
const settled = Promise.resolve();

/**
 * The Driver of a rehearsal: replicas start by the stages of the model, fail, crash and are taken away by its faults, and
 * end at once when they are stopped. Draws of a replica hang on its number alone.
 */
export class Fleet implements Driver {
  readonly #kernel: Kernel;
  readonly #clock: SimulatedClock;
  readonly #model: WorldModel;
  readonly #draws: Draws;
  readonly #listener: FleetListener;
  readonly #known = new Map<string, SimulatedReplica>();
  readonly #byNumber: (SimulatedReplica | null)[] = [];
  readonly #watchers = new Set<(event: DriverEvent) => void>();
  readonly #readyKind: number;
  readonly #failKind: number;
  readonly #crashKind: number;
  readonly #endKind: number;

  constructor(kernel: Kernel, clock: SimulatedClock, model: WorldModel, draws: Draws, listener: FleetListener) {
    this.#kernel = kernel;
    this.#clock = clock;
    this.#model = model;
    this.#draws = draws;
    this.#listener = listener;
    this.#readyKind = kernel.kind((number, life) => this.#living(number, life, (one) => this.#becomeReady(one)));
    this.#failKind = kernel.kind((number, life) => this.#living(number, life, (one) => this.#failStart(one)));
    this.#crashKind = kernel.kind((number, life) => this.#living(number, life, (one) => this.#crash(one)));
    this.#endKind = kernel.kind((number, life) => this.#living(number, life, (one) => this.#gone(one)));
    const notice = kernel.kind((index) => this.#notice(index));
    const { preemptionsMs, noticeMs } = model.faults;
    for (const [index, atMs] of preemptionsMs.entries()) kernel.put(Math.max(0, atMs - noticeMs) * 1000, notice, index);
  }

  /** Those that exist or have ended and were not yet stopped. */
  get replicas(): ReadonlyMap<string, SimulatedReplica> {
    return this.#known;
  }

  /** One that is usable from the beginning. */
  begin(start: Pick<ReplicaStart, 'id' | 'workload' | 'class' | 'revision' | 'node'>): void {
    const replica = this.#add(start, false);
    this.#serve(replica);
  }

  ensure(start: ReplicaStart): Promise<void> {
    if (this.#known.has(start.id)) return settled;
    const replica = this.#add(start, true);
    const draws = this.#draws.fork('start', replica.number);
    let delayUs = 0;
    const stages = this.#model.coldStart.map(({ ms }) => {
      const us = drawUs(ms, draws);
      delayUs += us;
      return us;
    });
    const [askToSpawn = 0, ...others] = stages;
    const listenToReady = others.pop() ?? 0;
    const spawnToListen = others.reduce((sum, us) => sum + us, 0);
    replica.seen.stagesUs = { askToSpawn, spawnToListen, listenToReady };
    const { failedStartShare } = this.#model.faults;
    if (failedStartShare > 0 && draws.next() < failedStartShare) {
      this.#kernel.put(
        this.#kernel.nowUs + Math.floor(delayUs * draws.next()),
        this.#failKind,
        replica.number,
        replica.life,
      );
    } else {
      this.#kernel.put(this.#kernel.nowUs + delayUs, this.#readyKind, replica.number, replica.life);
    }
    return settled;
  }

  stop(id: string): Promise<void> {
    const replica = this.#known.get(id);
    // Its machine is paid for until the notice is over, unless the engine lets it go before.
    if (replica) this.#kernel.put(this.#kernel.nowUs, this.#endKind, replica.number, replica.life);
    return settled;
  }

  async list(): Promise<ReplicaObservation[]> {
    return [...this.#known.values()].map(({ seen }) => ({ ...seen }));
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** Simulated replicas write nothing. */
  logs(): AsyncIterableIterator<LogLine> {
    return (async function* nothing(): AsyncGenerator<LogLine> {})();
  }

  async close(): Promise<void> {
    this.#watchers.clear();
  }

  /** The run is over: what still runs is billed until now. */
  finish(): void {
    for (const replica of this.#known.values()) this.#endService(replica);
  }

  #add(
    start: Pick<ReplicaStart, 'id' | 'workload' | 'class' | 'revision' | 'node'>,
    isCold: boolean,
  ): SimulatedReplica {
    const number = this.#byNumber.length;
    const { slowShare, slowFactor } = this.#model.faults;
    const isSlow = slowShare > 0 && this.#draws.fork('slow', number).next() < slowShare;
    const replica: SimulatedReplica = {
      number,
      id: start.id,
      workload: keyText(start.workload),
      class: start.class,
      askedUs: this.#kernel.nowUs,
      factor: isSlow ? slowFactor : 1,
      seen: this.#firstSeen(start),
      isServing: false,
      endedUs: null,
      isNoticed: false,
      life: 0,
    };
    this.#byNumber.push(replica);
    this.#known.set(replica.id, replica);
    this.#listener.asked(replica, isCold);
    return replica;
  }

  #firstSeen({
    id,
    workload,
    class: className,
    revision,
    node,
  }: Pick<ReplicaStart, 'id' | 'workload' | 'class' | 'revision' | 'node'>): ReplicaObservation {
    return {
      id,
      workload: workload as ObjectKey,
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

  #living(number: number, life: number, action: (replica: SimulatedReplica) => void): void {
    const replica = this.#byNumber[number];
    if (replica && replica.life === life) action(replica);
  }

  #becomeReady(replica: SimulatedReplica): void {
    this.#serve(replica);
    this.#tell(replica);
  }

  #serve(replica: SimulatedReplica): void {
    replica.isServing = true;
    replica.seen = {
      ...replica.seen,
      phase: 'ready',
      // Nothing listens there; the gateway of a rehearsal knows replicas by their ids.
      endpoint: { host: '127.0.0.1', port: 1 },
      readyAtMs: this.#clock.nowMs(),
      readyAtUs: this.#kernel.nowUs,
    };
    this.#listener.ready(replica);
    const { crashEveryHours } = this.#model.faults;
    if (crashEveryHours <= 0) return;
    const lifeUs = this.#draws.fork('crash', replica.number).exponential(crashEveryHours * microsecondsPerHour);
    this.#kernel.put(this.#kernel.nowUs + Math.ceil(lifeUs), this.#crashKind, replica.number, replica.life);
  }

  #failStart(replica: SimulatedReplica): void {
    this.#endService(replica);
    this.#report(replica, { phase: 'failed', failure: 'start-failed', message: 'the start failed' });
  }

  #crash(replica: SimulatedReplica): void {
    if (replica.isNoticed) return;
    this.#endService(replica);
    this.#report(replica, { phase: 'failed', failure: 'crashed', message: 'exit code 1' });
  }

  /** The provider wants a machine back: whose, the seed says. It ends when the notice is over. */
  #notice(index: number): void {
    const ready = [...this.#known.values()].filter((one) => one.isServing && !one.isNoticed);
    const replica = ready[Math.floor(this.#draws.fork('preemption', index).next() * ready.length)];
    if (!replica) return;
    replica.isNoticed = true;
    this.#report(replica, { phase: 'stopping', message: 'its machine is taken away' });
    const atMs = this.#model.faults.preemptionsMs[index] ?? 0;
    this.#kernel.put(atMs * 1000, this.#endKind, replica.number, replica.life);
  }

  #gone(replica: SimulatedReplica): void {
    this.#endService(replica);
    this.#report(replica, { phase: 'gone', message: '' });
    replica.life++;
    this.#known.delete(replica.id);
    this.#byNumber[replica.number] = null;
  }

  #endService(replica: SimulatedReplica): void {
    if (replica.endedUs !== null) return;
    const wasReady = replica.isServing;
    replica.isServing = false;
    replica.endedUs = this.#kernel.nowUs;
    this.#listener.ended(replica, wasReady);
  }

  #report(replica: SimulatedReplica, change: Partial<ReplicaObservation>): void {
    replica.seen = { ...replica.seen, ...change };
    this.#tell(replica);
  }

  #tell({ seen }: SimulatedReplica): void {
    this.#kernel.tell(() => {
      for (const watcher of [...this.#watchers]) watcher({ type: 'replica', replica: seen });
    });
  }
}
