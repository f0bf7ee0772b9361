import type { Driver, DriverEvent, LogLine, ReplicaObservation, ReplicaStart } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import type { WorldModel } from '../contract/model.ts';
import type { Draws } from '../kernel/draws.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimulatedClock } from '../kernel/simulatedClock.ts';
import { drawUs } from './distribution.ts';
import { noAnswerText, noticedAtUs } from './hanging.ts';

/** One replica of the simulated world. */
export interface SimulatedReplica {
  readonly number: number;
  readonly id: string;
  readonly workload: string;
  readonly class: string;
  readonly askedUs: number;
  /** How many times longer its services take. */
  readonly factor: number;
  readonly probes: ReplicaStart['probes'];
  readonly terminationGraceMs: number;
  seen: ReplicaObservation;
  /** Its process is there and takes connections. */
  isServing: boolean;
  /** Its process does not answer any more. */
  isHanging: boolean;
  /** It hangs and was asked to end, which it does not hear. */
  isEnding: boolean;
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
  /** What it was serving, and what it is given, gets no answer. */
  hung(replica: SimulatedReplica): void;
  /** It serves no more; what it was serving breaks. `wasReady`: it had been usable until now. */
  ended(replica: SimulatedReplica, wasReady: boolean): void;
  /** It is told to end. Microseconds for which it would still work; left out: it ends at once. */
  stopping?(replica: SimulatedReplica): number;
}

/** What is known of a replica that is asked for. */
type Begin = Pick<ReplicaStart, 'id' | 'workload' | 'class' | 'revision' | 'node' | 'probes' | 'terminationGraceMs'>;

const microsecondsPerHour = 3_600_000_000;
const settled = Promise.resolve();

/**
 * The Driver of a rehearsal: replicas start by the stages of the model, fail, crash, hang and are taken away by its faults,
 * and end at once when they are stopped and hear it. Draws of a replica hang on its number alone.
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
  readonly #hangKind: number;
  readonly #unreadyKind: number;
  readonly #unliveKind: number;

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
    this.#hangKind = kernel.kind((number, life) => this.#living(number, life, (one) => this.#hang(one)));
    this.#unreadyKind = kernel.kind((number, life) => this.#living(number, life, (one) => this.#becomeUnready(one)));
    this.#unliveKind = kernel.kind((number, life) => this.#living(number, life, (one) => this.#endHanging(one)));
    const notice = kernel.kind((index) => this.#notice(index));
    const { preemptionsMs, noticeMs } = model.faults;
    for (const [index, atMs] of preemptionsMs.entries()) kernel.put(Math.max(0, atMs - noticeMs) * 1000, notice, index);
  }

  /** Those that exist or have ended and were not yet stopped. */
  get replicas(): ReadonlyMap<string, SimulatedReplica> {
    return this.#known;
  }

  /** One that is usable from the beginning. */
  begin(start: Begin): void {
    const replica = this.#add(start, false);
    this.#serve(replica);
  }

  ensure(start: ReplicaStart): Promise<void> {
    if (this.#known.has(start.id)) return settled;
    const replica = this.#add(start, true);
    const draws = this.#draws.fork('start', replica.number);
    let delayUs = 0;
    const stages = (this.#model.classes?.[start.class]?.coldStart ?? this.#model.coldStart).map(({ ms }) => {
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
    if (replica) this.#askToEnd(replica);
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

  #add(start: Begin, isCold: boolean): SimulatedReplica {
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
      probes: start.probes,
      terminationGraceMs: start.terminationGraceMs,
      seen: this.#firstSeen(start),
      isServing: false,
      isHanging: false,
      isEnding: false,
      endedUs: null,
      isNoticed: false,
      life: 0,
    };
    this.#byNumber.push(replica);
    this.#known.set(replica.id, replica);
    this.#listener.asked(replica, isCold);
    return replica;
  }

  #firstSeen({ id, workload, class: className, revision, node }: Begin): ReplicaObservation {
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
    const { crashEveryHours, hangEveryHours } = this.#model.faults;
    this.#plan(replica, 'crash', crashEveryHours, this.#crashKind);
    this.#plan(replica, 'hang', hangEveryHours, this.#hangKind);
  }

  #plan(replica: SimulatedReplica, fault: string, everyHours: number, kind: number): void {
    if (everyHours <= 0) return;
    const lifeUs = this.#draws.fork(fault, replica.number).exponential(everyHours * microsecondsPerHour);
    this.#kernel.put(this.#kernel.nowUs + Math.ceil(lifeUs), kind, replica.number, replica.life);
  }

  #failStart(replica: SimulatedReplica): void {
    this.#endService(replica);
    this.#report(replica, { phase: 'failed', failure: 'start-failed', message: 'the start failed' });
  }

  #crash(replica: SimulatedReplica): void {
    if (replica.isNoticed || replica.isEnding) return;
    this.#endService(replica);
    this.#report(replica, { phase: 'failed', failure: 'crashed', message: 'exit code 1' });
  }

  /** From now on nothing it is asked is answered, probes included; what the live agent would make of that follows. */
  #hang(replica: SimulatedReplica): void {
    if (!replica.isServing || replica.seen.phase === 'stopping') return;
    const { nowUs } = this.#kernel;
    const { probes, seen } = replica;
    replica.isHanging = true;
    this.#listener.hung(replica);
    const readyUs = seen.readyAtUs ?? nowUs;
    const unreadyUs = noticedAtUs(probes.readiness, readyUs, nowUs);
    if (unreadyUs !== null) this.#kernel.put(unreadyUs, this.#unreadyKind, replica.number, replica.life);
    const unliveUs = probes.liveness && noticedAtUs(probes.liveness, readyUs, nowUs);
    if (unliveUs !== null) this.#kernel.put(unliveUs, this.#unliveKind, replica.number, replica.life);
  }

  #becomeUnready(replica: SimulatedReplica): void {
    if (replica.seen.phase !== 'ready' || replica.isEnding) return;
    this.#report(replica, { phase: 'unready', message: `readiness probe: ${noAnswerText(replica.probes.readiness)}` });
  }

  /** Its liveness probe has found it out. The engine, which has seen it ready, replaces it and has it stopped. */
  #endHanging(replica: SimulatedReplica): void {
    const { liveness } = replica.probes;
    if (!liveness || replica.isEnding || replica.isNoticed || replica.endedUs !== null) return;
    const message = `liveness probe failed: ${noAnswerText(liveness)}`;
    const restarts = replica.seen.restarts + 1;
    this.#report(replica, { phase: 'backoff', failure: 'liveness', message, endpoint: null, restarts });
    this.#askToEnd(replica);
  }

  /**
   * When it has done what it has, and its grace at the latest, where it can hear that; one that hangs is killed when its
   * grace is over, and paid for until then.
   */
  #askToEnd(replica: SimulatedReplica): void {
    const { nowUs } = this.#kernel;
    const isDeaf = replica.isHanging && replica.endedUs === null;
    if (isDeaf && replica.isEnding) return;
    replica.isEnding ||= isDeaf;
    const graceUs = replica.terminationGraceMs * 1000;
    const workUs = isDeaf || replica.endedUs !== null ? 0 : Math.min(graceUs, this.#listener.stopping?.(replica) ?? 0);
    if (workUs > 0) this.#report(replica, { phase: 'stopping', message: 'asked to end' });
    const atUs = nowUs + (isDeaf ? graceUs : workUs);
    this.#kernel.put(atUs, this.#endKind, replica.number, replica.life);
  }

  /** The provider wants a machine back: whose, the seed says. It ends when the notice is over. */
  #notice(index: number): void {
    const ready = [...this.#known.values()].filter((one) => one.isServing && !one.isNoticed);
    const replica = ready[Math.floor(this.#draws.fork('preemption', index).next() * ready.length)];
    if (!replica) return;
    replica.isNoticed = true;
    this.#listener.stopping?.(replica);
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
