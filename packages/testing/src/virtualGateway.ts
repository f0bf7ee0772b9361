import {
  createDispatcher,
  type DispatchCounts,
  type DispatchEvent,
  type Dispatcher,
  type DispatchRequest,
  type GatewayEvent,
  type GatewayWorkload,
} from '@ebb/core';
import type { VirtualClock } from './virtualClock.ts';
import { VirtualGatewayPort } from './virtualGatewayPort.ts';

export type ExchangeOutcome = 'succeeded' | 'failed' | 'refused' | 'cancelled';

/** One request from its arrival to its one outcome. */
export interface Exchange {
  id: number;
  workload: string;
  arrivedUs: number;
  serviceUs: number;
  /** Null while it is held. */
  replica: string | null;
  assignedUs: number | null;
  outcome: ExchangeOutcome | null;
  /** Refusal code or what broke. */
  detail: string;
  endedUs: number | null;
}

export interface VirtualGatewayOptions {
  clock: VirtualClock;
  /** Whether connections to a replica are accepted now. */
  isServing: (replica: string) => boolean;
  name?: string;
  seed?: number;
  /** One way between gateway and control plane. */
  linkUs?: number;
  /** Counts leave this long after a change. */
  countsMs?: number;
  /** Counts of what is going on leave this often, and empty ones so that it is known to live. */
  heartbeatMs?: number;
}

/**
 * A gateway process in virtual time around core's real dispatcher: it holds, balances, counts and drains as the real
 * one does, while exchanges last as long as their given service time. It outlives the control plane: `port` makes a
 * new link to it, and it keeps its last routes when the link is cut.
 */
export class VirtualGateway {
  readonly #clock: VirtualClock;
  readonly #options: VirtualGatewayOptions;
  readonly #name: string;
  readonly #linkUs: number;
  readonly #countsMs: number;
  readonly #heartbeatMs: number;
  #countsDue = false;
  readonly #routedAtUs = new Map<string, number>();
  #dispatcher: Dispatcher;
  #workloads = new Map<string, GatewayWorkload>();
  #unreported = new Set<string>();
  #waking = new Set<string>();
  #link: VirtualGatewayPort | null = null;
  #tickAtUs: number | null = null;
  #process = 1;
  #nextId = 1;
  readonly #open = new Map<number, Exchange>();
  /** Times that a control plane configured a workload. */
  configured = 0;
  /** Every exchange that ever arrived, in order. */
  readonly exchanges: Exchange[] = [];
  /** Called when a request is given to a replica. */
  onAssign: ((exchange: Exchange, slots: number) => void) | null = null;
  /** Called when a request has its outcome. */
  onEnd: ((exchange: Exchange) => void) | null = null;

  constructor(options: VirtualGatewayOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#name = options.name ?? 'gateway';
    this.#linkUs = options.linkUs ?? 200;
    this.#countsMs = options.countsMs ?? 50;
    this.#heartbeatMs = options.heartbeatMs ?? 1000;
    this.#dispatcher = createDispatcher(options.seed ?? 1);
    this.#heartbeat();
  }

  /** A control plane's end of the link. Replaces the one before; call `connect` on it once everything is configured. */
  port(): VirtualGatewayPort {
    return new VirtualGatewayPort(this.#clock, this.#linkUs, this);
  }

  /** A request comes in. */
  arrive(workload: string, serviceUs: number, request: Partial<DispatchRequest> = {}): Exchange {
    const nowUs = this.#clock.nowUs();
    const exchange: Exchange = {
      id: this.#nextId++,
      workload,
      arrivedUs: nowUs,
      serviceUs: Math.max(1, Math.round(serviceUs)),
      replica: null,
      assignedUs: null,
      outcome: null,
      detail: '',
      endedUs: null,
    };
    this.exchanges.push(exchange);
    this.#open.set(exchange.id, exchange);
    this.#changed(workload);
    this.#handle(
      this.#dispatcher.arrive(nowUs, {
        bodyBytes: null,
        maxTokens: null,
        model: null,
        headers: {},
        deadlineUs: null,
        bufferedBytes: 0,
        affinityKey: null,
        ...request,
        id: exchange.id,
        workload,
      }),
    );
    return exchange;
  }

  /** The client goes away. */
  cancel(id: number): void {
    const exchange = this.#open.get(id);
    if (!exchange) return;
    this.#end(exchange, 'cancelled', 'client went away');
    this.#handle(this.#dispatcher.cancel(this.#clock.nowUs(), id));
  }

  /** A replica's process ended: what it was answering is broken. */
  replicaEnded(replica: string): void {
    for (const exchange of [...this.#open.values()]) {
      if (exchange.replica !== replica) continue;
      this.#end(exchange, 'failed', `replica ${replica} ended mid-answer`);
      this.#handle(this.#dispatcher.complete(this.#clock.nowUs(), exchange.id, 'failed'));
    }
  }

  /** The gateway process is killed and comes back empty: its clients see broken connections. */
  restart(): void {
    for (const exchange of [...this.#open.values()]) this.#end(exchange, 'failed', 'gateway ended');
    this.#dispatcher = createDispatcher((this.#options.seed ?? 1) + this.#process);
    this.#workloads.clear();
    this.#routedAtUs.clear();
    this.#unreported.clear();
    this.#waking.clear();
    this.#tickAtUs = null;
    this.#process++;
    const link = this.#link;
    link?.cut('gateway ended');
    link?.connect();
  }

  inFlight(replica: string): number {
    let count = 0;
    for (const exchange of this.#open.values()) if (exchange.replica === replica) count++;
    return count;
  }

  /** Exchanges without an outcome. */
  openCount(): number {
    return this.#open.size;
  }

  counts(workload: string): DispatchCounts | null {
    return this.#dispatcher.counts(this.#clock.nowUs(), workload);
  }

  workloads(): GatewayWorkload[] {
    return [...this.#workloads.values()];
  }

  /** First message of a connection: what is not named is removed. What was told once is told again. */
  sync(link: VirtualGatewayPort, workloads: GatewayWorkload[]): void {
    this.#link = link;
    const known = new Map(this.#routedAtUs);
    const named = new Set(workloads.map((workload) => workload.key));
    for (const key of [...this.#workloads.keys()]) if (!named.has(key)) this.removeWorkload(key);
    for (const workload of workloads) this.applyWorkload(workload);
    this.#waking.clear();
    for (const { key, endpoints } of workloads) {
      this.#unreported.add(key);
      const counts = this.#dispatcher.counts(this.#clock.nowUs(), key);
      for (const { replica, draining, drain } of endpoints) {
        const atUs = known.get(replica);
        if (atUs !== undefined) this.#send({ type: 'routed', gateway: this.#name, replica, atUs });
        if (draining && (counts?.replicas[replica] ?? 0) === 0) {
          this.#send({ type: 'drained', gateway: this.#name, replica, ...(drain === undefined ? {} : { drain }) });
        }
      }
      for (const exchange of this.#open.values()) {
        if (exchange.workload === key && exchange.replica === null) this.#held(exchange.id);
      }
    }
    this.#sendCounts();
  }

  applyWorkload(workload: GatewayWorkload): void {
    const nowUs = this.#clock.nowUs();
    const before = this.#workloads.get(workload.key)?.endpoints ?? [];
    this.#workloads.set(workload.key, workload);
    const { endpoints, ...config } = workload;
    const { key } = config;
    this.#handle(this.#dispatcher.configure(nowUs, config));
    this.#handle(this.#dispatcher.setEndpoints(nowUs, key, endpoints));
    const listed = new Set(endpoints.map((endpoint) => endpoint.replica));
    for (const { replica } of before) if (!listed.has(replica)) this.#routedAtUs.delete(replica);
    for (const { replica, draining } of endpoints) {
      if (draining || this.#routedAtUs.has(replica)) continue;
      this.#routedAtUs.set(replica, nowUs);
      this.#send({ type: 'routed', gateway: this.#name, replica, atUs: nowUs });
    }
    this.#changed(key);
  }

  removeWorkload(key: string): void {
    this.#workloads.delete(key);
    this.#unreported.delete(key);
    this.#handle(this.#dispatcher.remove(this.#clock.nowUs(), key));
  }

  linkCut(link: VirtualGatewayPort): void {
    if (this.#link === link) this.#link = null;
  }

  hello(): GatewayEvent {
    return { type: 'connected', gateway: this.#name, url: 'http://127.0.0.1:8080', pid: this.#process };
  }

  get name(): string {
    return this.#name;
  }

  #handle(events: DispatchEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'assigned':
          this.#assigned(event.id, event.replica);
          break;
        case 'held':
          this.#held(event.id);
          break;
        case 'refused': {
          const exchange = this.#open.get(event.id);
          if (exchange) this.#end(exchange, 'refused', event.refusal.code);
          break;
        }
        case 'drained':
          this.#send({ ...event, gateway: this.#name });
          break;
      }
    }
    this.#scheduleTick();
  }

  #assigned(id: number, replica: string): void {
    const exchange = this.#open.get(id);
    if (!exchange) throw new Error(`request ${id} was assigned after its end`);
    exchange.replica = replica;
    exchange.assignedUs = this.#clock.nowUs();
    const endpoints = this.#workloads.get(exchange.workload)?.endpoints;
    this.onAssign?.(exchange, endpoints?.find((endpoint) => endpoint.replica === replica)?.slots ?? 0);
    const process = this.#process;
    const still = () => process === this.#process && this.#open.get(id) === exchange && exchange.replica === replica;
    if (!this.#options.isServing(replica)) {
      this.#clock.afterUs(100, () => {
        if (!still()) return;
        exchange.replica = null;
        this.#send({ type: 'endpoint-failed', gateway: this.#name, replica, message: 'connection refused' });
        this.#handle(this.#dispatcher.retry(this.#clock.nowUs(), id));
      });
      return;
    }
    this.#clock.afterUs(exchange.serviceUs, () => {
      if (!still()) return;
      this.#end(exchange, 'succeeded', '');
      this.#handle(this.#dispatcher.complete(this.#clock.nowUs(), id, 'succeeded'));
    });
  }

  #held(id: number): void {
    const exchange = this.#open.get(id);
    if (!exchange) return;
    const counts = this.#dispatcher.counts(this.#clock.nowUs(), exchange.workload);
    for (const [className, { held }] of Object.entries(counts?.classes ?? {})) {
      const waking = `${exchange.workload} ${className}`;
      if (held === 0) this.#waking.delete(waking);
      else if (!this.#waking.has(waking)) {
        if (this.#link) this.#waking.add(waking);
        this.#send({
          type: 'wake',
          gateway: this.#name,
          workload: exchange.workload,
          class: className,
          held,
          heldAtUs: exchange.arrivedUs,
        });
      }
    }
  }

  #end(exchange: Exchange, outcome: ExchangeOutcome, detail: string): void {
    if (exchange.outcome)
      throw new Error(`request ${exchange.id} ended as ${exchange.outcome} and again as ${outcome}`);
    exchange.outcome = outcome;
    exchange.detail = detail;
    exchange.endedUs = this.#clock.nowUs();
    this.#open.delete(exchange.id);
    this.#changed(exchange.workload);
    this.onEnd?.(exchange);
  }

  #scheduleTick(): void {
    const dueUs = this.#dispatcher.nextDeadlineUs();
    if (dueUs === null || (this.#tickAtUs !== null && this.#tickAtUs <= dueUs)) return;
    this.#tickAtUs = dueUs;
    const process = this.#process;
    this.#clock.atUs(dueUs, () => {
      if (process !== this.#process || this.#tickAtUs !== dueUs) return;
      this.#tickAtUs = null;
      this.#handle(this.#dispatcher.tick(this.#clock.nowUs()));
    });
  }

  #heartbeat(): void {
    this.#clock.afterUs(this.#heartbeatMs * 1000, () => {
      this.#sendCounts();
      this.#heartbeat();
    });
  }

  #changed(workload: string): void {
    this.#unreported.add(workload);
    if (this.#countsDue) return;
    this.#countsDue = true;
    this.#clock.afterUs(this.#countsMs * 1000, () => {
      this.#countsDue = false;
      if (this.#unreported.size > 0) this.#sendCounts();
    });
  }

  #sendCounts(): void {
    if (!this.#link) return;
    const nowUs = this.#clock.nowUs();
    const counts: DispatchCounts[] = [];
    for (const key of this.#workloads.keys()) {
      const found = this.#dispatcher.counts(nowUs, key);
      if (!found) continue;
      const busy = Object.values(found.classes).some((one) => one.inFlight + one.held > 0);
      for (const [className, one] of Object.entries(found.classes)) {
        if (one.held === 0) this.#waking.delete(`${key} ${className}`);
      }
      if (!busy && !this.#unreported.has(key)) continue;
      this.#unreported.delete(key);
      this.#dispatcher.takePeaks(key);
      counts.push(structuredClone(found));
    }
    this.#send({ type: 'counts', gateway: this.#name, atUs: nowUs, counts });
  }

  #send(event: GatewayEvent): void {
    this.#link?.receive(event);
  }
}
