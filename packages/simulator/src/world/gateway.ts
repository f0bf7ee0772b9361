import {
  createDispatcher,
  type DispatchCounts,
  type Dispatcher,
  type DispatchEvent,
  type GatewayEvent,
  type GatewayPort,
  type GatewayWorkload,
} from '@ebb/core';
import type { WorldModel } from '../contract/model.ts';
import type { Draws } from '../kernel/draws.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { serviceRates } from './batching.ts';
import { CountsReport } from './countsReport.ts';
import type { SimulatedReplica } from './fleet.ts';
import { LateLink } from './lateLink.ts';
import { RequestTable } from './requestTable.ts';
import type { ServiceTime } from './serviceTime.ts';
import { SharedServices } from './sharedServices.ts';
import { Stretches } from './stretches.ts';

const name = 'rehearsal';
/** A refused connection is known after this. */
const refusedConnectionUs = 100;
const noHeaders = {};
/** In columns of numbers. */
const none = -1;

/** Who keeps the books of the requests. Times are whole microseconds. */
export interface RequestListener {
  /** One more is held or in service. */
  entered(nowUs: number): void;
  /** One less. */
  left(nowUs: number): void;
  /** It was answered well; `originUs` is the first arrival of its client, and `deferUntilUs` what it may wait until. */
  served(workload: number, originUs: number, beganUs: number, endUs: number, deferUntilUs?: number | null): void;
  /** Its client will not ask again. */
  lost(workload: number, originUs: number, nowUs: number): void;
}

export interface GatewayOptions {
  kernel: Kernel;
  model: WorldModel;
  draws: Draws;
  /** Keys of the workloads, by their numbers. */
  workloads: readonly string[];
  /** By id; null: it is gone. */
  replica: (id: string) => SimulatedReplica | null;
  listener: RequestListener;
  /** A request of this workload came or went. */
  onChange: (workload: number) => void;
  /** Each second of virtual time. */
  onBeat: () => void;
  /** Of classes that do not take as long as the trace says. */
  services?: ReadonlyMap<string, ServiceTime> | null;
}

/**
 * The gateway of a rehearsal: core's dispatcher, behind the engine's GatewayPort. It holds, balances and counts as the live
 * one does; a service takes its time on the replica and nothing else costs any.
 */
export class SimulatedGateway implements GatewayPort {
  readonly #kernel: Kernel;
  readonly #faults: WorldModel['faults'];
  readonly #slots: number;
  readonly #workloads: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #replica: GatewayOptions['replica'];
  readonly #listener: RequestListener;
  readonly #onChange: (workload: number) => void;
  readonly #dispatcher: Dispatcher;
  readonly #counts: CountsReport;
  readonly #silent: Stretches;
  /** Null: its link is never behind. */
  readonly #link: LateLink | null;
  /** Null: services on one replica do not slow each other down. */
  readonly #shared: SharedServices | null;
  /** Lengths of service of classes that have their own. */
  readonly #services: ReadonlyMap<string, ServiceTime> | null;
  readonly #table = new RequestTable();
  readonly #watchers = new Set<(event: GatewayEvent) => void>();
  readonly #routed = new Map<string, Set<string>>();
  readonly #timeouts: (GatewayWorkload['serving']['timeouts'] | null)[];
  /** Held or in service, and held, by workload. */
  readonly #inSystem: Float64Array;
  readonly #held: Float64Array;
  /** Tries that came in, by workload. */
  readonly #arrived: Float64Array;
  /** Classes that the control plane was woken for, by workload. */
  readonly #woken: Set<string>[];
  readonly #classCount: Uint32Array;
  readonly #completeKind: number;
  readonly #takesDeferrable: Uint8Array;
  readonly #giveUpKind: number;
  readonly #tickKind: number;
  readonly #refusedKind: number;
  readonly #timeoutKind: number;
  #tickAtUs = Number.POSITIVE_INFINITY;
  #requests = 0;

  constructor(options: GatewayOptions) {
    const { kernel, model, draws, workloads, replica, listener, onChange, onBeat, services = null } = options;
    this.#services = services;
    this.#kernel = kernel;
    this.#faults = model.faults;
    this.#slots = model.concurrency;
    this.#workloads = workloads;
    this.#numbers = new Map(workloads.map((key, number) => [key, number]));
    this.#replica = replica;
    this.#listener = listener;
    this.#onChange = onChange;
    this.#dispatcher = createDispatcher(Math.floor(draws.fork('dispatcher').next() * 4294967296));
    this.#inSystem = new Float64Array(workloads.length);
    this.#held = new Float64Array(workloads.length);
    this.#arrived = new Float64Array(workloads.length);
    this.#takesDeferrable = new Uint8Array(workloads.length);
    this.#woken = workloads.map(() => new Set());
    this.#classCount = new Uint32Array(workloads.length);
    this.#completeKind = kernel.kind((row, life) => this.#complete(row, life));
    this.#giveUpKind = kernel.kind((row, life) => this.#giveUp(row, life));
    this.#tickKind = kernel.kind(() => this.#tick());
    this.#refusedKind = kernel.kind((row, life) => this.#connectionRefused(row, life));
    this.#timeouts = workloads.map(() => null);
    this.#timeoutKind = kernel.kind((row, life) => this.#timeOut(row, life));
    const rates = serviceRates(model.batching, model.concurrency);
    this.#shared = rates && new SharedServices(kernel, rates, (row) => this.#served(row));
    const { silentEveryHours, silentMs, staleEveryHours } = model.faults;
    this.#silent = new Stretches(silentEveryHours, silentMs, draws.fork('silent'));
    this.#link =
      staleEveryHours > 0
        ? new LateLink(kernel, model.faults, draws.fork('stale'), (event) => this.#deliver(event))
        : null;
    const isBusy = (workload: number) => (this.#inSystem[workload] as number) > 0;
    this.#counts = new CountsReport(kernel, workloads.length, isBusy, (some) => this.#sendCounts(some), onBeat);
  }

  /** Requests that are held or in service. */
  get open(): number {
    return this.#table.open;
  }

  /** Requests of a workload that are held or in service. */
  inSystem(workload: number): number {
    return this.#inSystem[workload] as number;
  }

  /** Requests of a workload that have come in since the beginning, retries included. */
  arrived(workload: number): number {
    return this.#arrived[workload] as number;
  }

  /** Says hello to a control plane that has just started. */
  connect(): void {
    this.#send({ type: 'connected', gateway: name, url: 'http://rehearsal.invalid', pid: 1 });
    this.#send({ type: 'counts', gateway: name, atUs: this.#kernel.nowUs, counts: [] });
  }

  configure(workload: GatewayWorkload): void {
    const number = this.#numbers.get(workload.key);
    if (number === undefined) return;
    const { endpoints, ...config } = workload;
    const { key, classes } = config;
    const nowUs = this.#kernel.nowUs;
    this.#classCount[number] = classes.length;
    this.#timeouts[number] = config.serving.timeouts;
    this.#takesDeferrable[number] = config.serving.deferrable ? 1 : 0;
    this.#handle(this.#dispatcher.configure(nowUs, config));
    this.#armTick();
    const slotted = endpoints.map(({ host: _host, port: _port, slots, ...endpoint }) => ({
      ...endpoint,
      // A replica of the model has so many slots, whatever more a document promises.
      slots: slots === 0 ? this.#slots : Math.min(slots, this.#slots),
    }));
    this.#handle(this.#dispatcher.setEndpoints(nowUs, key, slotted));
    const before = this.#routed.get(key);
    // A gateway names what it is told of, so that its silence before the first request is known to be one.
    if (!before) this.#counts.changed(number);
    this.#routed.set(key, new Set(endpoints.map(({ replica }) => replica)));
    for (const { replica } of endpoints) {
      if (!before?.has(replica)) this.#send({ type: 'routed', gateway: name, replica, atUs: nowUs });
    }
  }

  remove(key: string): void {
    this.#handle(this.#dispatcher.remove(this.#kernel.nowUs, key));
    this.#routed.delete(key);
  }

  watch(listener: (event: GatewayEvent) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  async close(): Promise<void> {
    this.#watchers.clear();
  }

  /** A client's request comes in for the first time. Sizes are what the classes of the workload look at. */
  arrive(
    workload: number,
    serviceUs: number,
    outputTokens: number,
    bodyBytes: number,
    deferForUs: number | null = null,
  ): void {
    const table = this.#table;
    const row = table.take();
    table.originUs[row] = this.#kernel.nowUs;
    table.serviceUs[row] = serviceUs;
    table.workload[row] = workload;
    table.number[row] = this.#requests++;
    table.tries[row] = 0;
    table.tokens[row] = outputTokens;
    table.bytes[row] = bodyBytes;
    table.deferUntilUs[row] = deferForUs === null ? none : this.#kernel.nowUs + deferForUs;
    this.#enter(row);
  }

  /** A replica's process has ended: what it was serving is broken. */
  replicaEnded(replica: SimulatedReplica): void {
    this.#shared?.forget(replica.number);
    for (const row of this.#table.servedBy(replica.number)) this.#fail(row);
  }

  /**
   * A replica stops answering: what it was serving stands still, until a timeout of its workload or its client has enough.
   * Clients have had something until now, so their patience begins anew.
   */
  replicaHung(replica: SimulatedReplica): void {
    const table = this.#table;
    const { clientTimeoutMs } = this.#faults;
    this.#shared?.forget(replica.number);
    for (const row of table.servedBy(replica.number)) {
      // The end that was planned for its service is void, and it waits as if that had not begun.
      const life = (table.life[row] as number) + 1;
      table.life[row] = life;
      this.#awaitAnswer(row, table.beganUs[row] as number);
      table.beganUs[row] = none;
      if (clientTimeoutMs > 0)
        this.#kernel.put(this.#kernel.nowUs + clientTimeoutMs * 1000, this.#giveUpKind, row, life);
    }
  }

  #enter(row: number): void {
    const table = this.#table;
    const { nowUs } = this.#kernel;
    const workload = table.workload[row] as number;
    table.enteredUs[row] = nowUs;
    table.beganUs[row] = none;
    table.replica[row] = none;
    table.tries[row] = (table.tries[row] as number) + 1;
    const deferUntilUs = table.deferUntilUs[row] as number;
    const isDeferred = deferUntilUs !== none && this.#takesDeferrable[workload] === 1;
    table.isDeferred[row] = isDeferred ? 1 : 0;
    if (!isDeferred) this.#isDemand(workload);
    this.#listener.entered(nowUs);
    this.#counts.changed(workload);
    this.#onChange(workload);
    const { clientTimeoutMs } = this.#faults;
    if (clientTimeoutMs > 0 && deferUntilUs === none) {
      this.#kernel.put(nowUs + clientTimeoutMs * 1000, this.#giveUpKind, row, table.life[row] as number);
    }
    const tokens = table.tokens[row] as number;
    this.#handle(
      this.#dispatcher.arrive(nowUs, {
        id: row,
        workload: this.#workloads[workload] as string,
        bodyBytes: table.bytes[row] as number,
        maxTokens: tokens < 0 ? null : tokens,
        model: null,
        headers: noHeaders,
        deadlineUs: null,
        bufferedBytes: 0,
        affinityKey: null,
        deferUntilUs: deferUntilUs === none ? null : deferUntilUs,
      }),
    );
  }

  #handle(events: readonly DispatchEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'assigned':
          this.#assigned(event.id, event.replica);
          break;
        case 'held':
          this.#hold(event.id, event.reason === 'no-replica');
          break;
        case 'deferred':
          this.#armTick();
          break;
        case 'refused':
          this.#refused(event.id);
          break;
        case 'drained':
          this.#send({ ...event, gateway: name });
          break;
      }
    }
  }

  #assigned(row: number, id: string): void {
    const table = this.#table;
    const { nowUs } = this.#kernel;
    this.#unhold(row);
    const replica = this.#replica(id);
    if (!replica?.isServing) {
      this.#kernel.put(nowUs + refusedConnectionUs, this.#refusedKind, row, table.life[row] as number);
      this.#send({ type: 'endpoint-failed', gateway: name, replica: id, message: 'connection refused' });
      return;
    }
    table.replica[row] = replica.number;
    if (replica.isHanging) {
      this.#awaitAnswer(row, nowUs);
      return;
    }
    table.beganUs[row] = nowUs;
    const serviceUs = this.#serviceUs(row, replica.class);
    const lengthUs = replica.factor === 1 ? serviceUs : Math.round(serviceUs * replica.factor);
    if (this.#shared) this.#shared.begin(replica.number, row, lengthUs);
    else this.#kernel.put(nowUs + lengthUs, this.#completeKind, row, table.life[row] as number);
  }

  /** As the trace says, unless the class of the replica has lengths of its own. */
  #serviceUs(row: number, className: string): number {
    const table = this.#table;
    const own = this.#services?.get(className);
    if (!own) return table.serviceUs[row] as number;
    const tokens = table.tokens[row] as number;
    return own(table.number[row] as number, tokens < 0 ? null : tokens);
  }

  /** Nothing of an answer will come: which timeout of the workload is first. Without one it waits for the replica's end. */
  #awaitAnswer(row: number, sentUs: number): void {
    const table = this.#table;
    const timeouts = this.#timeouts[table.workload[row] as number];
    if (!timeouts) return;
    const { responseMs, requestMs } = timeouts;
    const responseUs = responseMs > 0 ? sentUs + responseMs * 1000 : Number.POSITIVE_INFINITY;
    const requestUs = requestMs > 0 ? (table.enteredUs[row] as number) + requestMs * 1000 : Number.POSITIVE_INFINITY;
    const dueUs = Math.min(responseUs, requestUs);
    if (dueUs === Number.POSITIVE_INFINITY) return;
    this.#kernel.put(dueUs, this.#timeoutKind, row, table.life[row] as number);
  }

  #timeOut(row: number, life: number): void {
    if (this.#table.life[row] === life) this.#fail(row);
  }

  /** Its try ends without an answer. */
  #fail(row: number): void {
    this.#ended(row);
    this.#handle(this.#dispatcher.complete(this.#kernel.nowUs, row, 'failed'));
    this.#again(row);
  }

  #hold(row: number, hasNoReplica: boolean): void {
    const workload = this.#table.workload[row] as number;
    this.#table.isHeld[row] = 1;
    this.#held[workload] = (this.#held[workload] as number) + 1;
    if (this.#table.isDeferred[row] === 1) {
      // It was turned: from now on it is demand as any other.
      this.#table.isDeferred[row] = 0;
      this.#isDemand(workload);
      this.#counts.changed(workload);
      this.#onChange(workload);
    }
    if (hasNoReplica) this.#wake(workload, row);
    this.#armTick();
  }

  #isDemand(workload: number): void {
    this.#inSystem[workload] = (this.#inSystem[workload] as number) + 1;
    this.#arrived[workload] = (this.#arrived[workload] as number) + 1;
  }

  #armTick(): void {
    const dueUs = this.#dispatcher.nextDeadlineUs();
    if (dueUs === null || dueUs >= this.#tickAtUs) return;
    this.#tickAtUs = dueUs;
    this.#kernel.put(dueUs, this.#tickKind);
  }

  #unhold(row: number): void {
    if (this.#table.isHeld[row] === 0) return;
    const workload = this.#table.workload[row] as number;
    this.#table.isHeld[row] = 0;
    const held = (this.#held[workload] as number) - 1;
    this.#held[workload] = held;
    if (held === 0) this.#woken[workload]?.clear();
  }

  /** Once for each class, until nothing waits any more. */
  #wake(workload: number, row: number): void {
    const woken = this.#woken[workload];
    const key = this.#workloads[workload];
    if (!woken || key === undefined || woken.size === this.#classCount[workload]) return;
    const counts = this.#dispatcher.counts(this.#kernel.nowUs, key);
    for (const [className, { held }] of Object.entries(counts?.classes ?? {})) {
      if (held === 0 || woken.has(className)) continue;
      woken.add(className);
      const heldAtUs = this.#table.enteredUs[row] as number;
      this.#send({ type: 'wake', gateway: name, workload: key, class: className, held, heldAtUs });
    }
  }

  #tick(): void {
    if (this.#kernel.nowUs < this.#tickAtUs) return;
    this.#tickAtUs = Number.POSITIVE_INFINITY;
    this.#handle(this.#dispatcher.tick(this.#kernel.nowUs));
    const dueUs = this.#dispatcher.nextDeadlineUs();
    if (dueUs === null) return;
    this.#tickAtUs = dueUs;
    this.#kernel.put(dueUs, this.#tickKind);
  }

  #complete(row: number, life: number): void {
    if (this.#table.life[row] === life) this.#served(row);
  }

  #served(row: number): void {
    const table = this.#table;
    const { nowUs } = this.#kernel;
    const workload = table.workload[row] as number;
    const deferUntilUs = table.deferUntilUs[row] as number;
    const mayWaitUntilUs = deferUntilUs === none ? null : deferUntilUs;
    this.#listener.served(workload, table.originUs[row] as number, table.beganUs[row] as number, nowUs, mayWaitUntilUs);
    this.#ended(row);
    table.release(row);
    this.#handle(this.#dispatcher.complete(nowUs, row, 'succeeded'));
  }

  #giveUp(row: number, life: number): void {
    const table = this.#table;
    if (table.life[row] !== life || table.beganUs[row] !== none) return;
    this.#unhold(row);
    this.#ended(row);
    this.#handle(this.#dispatcher.cancel(this.#kernel.nowUs, row));
    this.#again(row);
  }

  #refused(row: number): void {
    this.#unhold(row);
    this.#ended(row);
    this.#lose(row);
  }

  #connectionRefused(row: number, life: number): void {
    if (this.#table.life[row] !== life) return;
    this.#handle(this.#dispatcher.retry(this.#kernel.nowUs, row));
  }

  /** The try is over, for whatever reason; the row is still the request's. */
  #ended(row: number): void {
    const table = this.#table;
    const workload = table.workload[row] as number;
    table.life[row] = (table.life[row] as number) + 1;
    table.replica[row] = none;
    if (table.isDeferred[row] === 0) this.#inSystem[workload] = (this.#inSystem[workload] as number) - 1;
    this.#listener.left(this.#kernel.nowUs);
    this.#counts.changed(workload);
    this.#onChange(workload);
  }

  /** The client asks again at once, if it has tries left. */
  #again(row: number): void {
    if ((this.#table.tries[row] as number) <= this.#faults.retries) this.#enter(row);
    else this.#lose(row);
  }

  #lose(row: number): void {
    const table = this.#table;
    this.#listener.lost(table.workload[row] as number, table.originUs[row] as number, this.#kernel.nowUs);
    table.release(row);
  }

  #sendCounts(workloads: readonly number[]): void {
    const { nowUs } = this.#kernel;
    if (this.#silent.sinceUs(nowUs) !== null) return;
    const counts: DispatchCounts[] = [];
    for (const workload of workloads) {
      const key = this.#workloads[workload] as string;
      const one = this.#dispatcher.counts(nowUs, key);
      if (!one) continue;
      counts.push(one);
      this.#dispatcher.takePeaks(key);
    }
    this.#send({ type: 'counts', gateway: name, atUs: nowUs, counts });
  }

  #send(event: GatewayEvent): void {
    if (this.#link) this.#link.send(event);
    else this.#deliver(event);
  }

  #deliver(event: GatewayEvent): void {
    this.#kernel.tell(() => {
      for (const watcher of [...this.#watchers]) watcher(event);
    });
  }
}
