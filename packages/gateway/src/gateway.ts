import type {
  CompletionOutcome,
  Dispatcher,
  DispatchEvent,
  DispatchRequest,
  GatewayEndpoint,
  GatewayWorkload,
  Refusal,
} from '@ebb/core';
import { Admission } from './admission.ts';
import { answerAdmin, isAdminTarget } from './admin.ts';
import { atMost, nowUs } from './clock.ts';
import { CountsReport } from './countsReport.ts';
import type { Send } from './events.ts';
import type { Exchange, Upstream } from './exchange.ts';
import { Flight, type FlightHost } from './flight.ts';
import { FlightTable } from './flightTable.ts';
import { limits } from './limits.ts';
import { GatewayMetrics } from './metrics.ts';
import type { GatewayProblem } from './problem.ts';
import { BodyMemory } from './requestBody.ts';
import { RouteTable } from './routes.ts';
import { newServedWorkload, type ServedWorkload } from './servedWorkload.ts';
import { WakeCalls } from './wakeCalls.ts';

export interface GatewayOptions {
  /** Name in every message and count. */
  name: string;
  dispatcher: Dispatcher;
  upstream: Upstream;
  send: Send;
  /** A fault of the gateway itself. */
  onFault: (error: unknown) => void;
}

/**
 * The activator and the data path's decisions: finds the workload of an exchange, asks the dispatcher for a replica,
 * holds the exchange until there is one, and tells the control plane. It goes on with what it last knew when no
 * control plane is there.
 */
export class Gateway implements FlightHost {
  readonly upstream: Upstream;
  readonly memory = new BodyMemory();
  readonly metrics = new GatewayMetrics();
  readonly workloads = new Map<string, ServedWorkload>();
  readonly #name: string;
  readonly #dispatcher: Dispatcher;
  readonly #send: Send;
  readonly #onFault: (error: unknown) => void;
  readonly #report: CountsReport;
  readonly #wakes: WakeCalls;
  readonly #routes = new RouteTable();
  readonly #admission = new Admission({
    routes: this.#routes,
    workloads: this.workloads,
    memory: this.memory,
    arrive: (flight, request) => this.#arrive(flight, request),
  });
  readonly #flights = new FlightTable();
  readonly #events: DispatchEvent[] = [];
  readonly #failuresReportedUs = new Map<string, number>();
  #applying = false;
  #tickAtUs = Number.POSITIVE_INFINITY;
  #tickTimer: NodeJS.Timeout | null = null;
  #stopping = false;
  /** Resolves with the end of the last exchange, for all who wait for it; null: nobody does. */
  #emptied: PromiseWithResolvers<void> | null = null;

  constructor(options: GatewayOptions) {
    this.#name = options.name;
    this.#dispatcher = options.dispatcher;
    this.upstream = options.upstream;
    this.#send = options.send;
    this.#onFault = options.onFault;
    this.#wakes = new WakeCalls(options.name, options.dispatcher, options.send);
    this.#report = new CountsReport(
      options.name,
      {
        counts: (workload, atUs) => this.#dispatcher.counts(atUs, workload),
        takePeaks: (workload) => this.#dispatcher.takePeaks(workload),
        workloads: () => this.workloads.keys(),
      },
      options.send,
    );
  }

  // ---- What the control plane says

  /** Everything at once: what is not named is removed. Answers with all that a fresh control plane needs to know. */
  sync(workloads: GatewayWorkload[]): void {
    const named = new Set(workloads.map(({ key }) => key));
    for (const key of this.workloads.keys()) if (!named.has(key)) this.remove(key);
    for (const workload of workloads) this.configure(workload);
    this.#report.all();
    for (const workload of this.workloads.values()) this.#tellAgain(workload);
  }

  configure(spec: GatewayWorkload): void {
    const now = nowUs();
    let workload = this.workloads.get(spec.key);
    if (!workload) {
      workload = newServedWorkload(spec);
      this.workloads.set(spec.key, workload);
    }
    workload.spec = spec;
    const before = workload.endpoints;
    workload.endpoints = new Map();
    const routed: string[] = [];
    for (const endpoint of spec.endpoints) {
      const known = before.get(endpoint.replica);
      const same = known?.endpoint.host === endpoint.host && known.endpoint.port === endpoint.port;
      let routedAtUs = same ? known.routedAtUs : null;
      if (routedAtUs === null && !endpoint.draining) {
        routedAtUs = now;
        routed.push(endpoint.replica);
      }
      workload.endpoints.set(endpoint.replica, { endpoint, routedAtUs });
      if (same) before.delete(endpoint.replica);
    }
    this.#routes.set(spec.key, spec.serving.routes);
    const { key, classes, serving, unavailable, coldStartMs, onTimeUs } = spec;
    this.#apply([
      ...this.#dispatcher.configure(now, {
        key,
        classes,
        serving,
        unavailable,
        ...(coldStartMs === undefined ? {} : { coldStartMs }),
        ...(onTimeUs === undefined ? {} : { onTimeUs }),
      }),
      ...this.#dispatcher.setEndpoints(now, key, spec.endpoints),
    ]);
    for (const replica of routed) this.#send({ type: 'routed', gateway: this.#name, replica, atUs: now });
    for (const { endpoint } of before.values()) this.#forgetEndpoint(endpoint);
    this.#report.changed(key);
  }

  remove(key: string): void {
    const workload = this.workloads.get(key);
    if (!workload) return;
    this.workloads.delete(key);
    this.#routes.remove(key);
    this.#apply(this.#dispatcher.remove(nowUs(), key));
    for (const { endpoint } of workload.endpoints.values()) this.#forgetEndpoint(endpoint);
    this.#report.forget(key);
    this.metrics.forget(key);
  }

  #forgetEndpoint(endpoint: GatewayEndpoint): void {
    this.upstream.forget(endpoint);
    this.#failuresReportedUs.delete(endpoint.replica);
  }

  /** A new control plane may have missed what was told once: held requests, routes, drained replicas. */
  #tellAgain(workload: ServedWorkload): void {
    const counts = this.#dispatcher.counts(nowUs(), workload.key);
    for (const [replica, { endpoint, routedAtUs }] of workload.endpoints) {
      if (routedAtUs !== null) this.#send({ type: 'routed', gateway: this.#name, replica, atUs: routedAtUs });
      const inFlight = counts?.replicas[replica] ?? 0;
      if (endpoint.draining && inFlight === 0) this.#drained(endpoint);
    }
    this.#wakes.callAgain(workload);
  }

  /** How many requests it may have on each replica by what it was told last, or has still; unlimited ones are left out. */
  slots(): Record<string, number> {
    const slots: Record<string, number> = {};
    const now = nowUs();
    for (const { key, endpoints } of this.workloads.values()) {
      const loads = this.#dispatcher.counts(now, key)?.replicas ?? {};
      for (const [replica, load] of Object.entries(loads)) if (load > 0) slots[replica] = load;
      for (const { endpoint } of endpoints.values()) {
        if (endpoint.draining) continue;
        if (endpoint.slots === 0) delete slots[endpoint.replica];
        else slots[endpoint.replica] = Math.max(slots[endpoint.replica] ?? 0, endpoint.slots);
      }
    }
    return slots;
  }

  /** Counts that have changed go out now. */
  reportNow(): void {
    this.#report.flush();
  }

  // ---- What clients ask

  handle(exchange: Exchange): void {
    const admin = isAdminTarget(exchange.head.target);
    if (admin && answerAdmin(this, exchange)) return;
    const flight = this.#flights.add((id) => new Flight(id, exchange, this));
    if (this.#stopping) {
      flight.refuse(shuttingDown, 'cancelled');
      return;
    }
    if (admin) flight.refuse({ code: 'no-route', detail: 'Paths under /-/ are for this machine only.' }, 'cancelled');
    else this.#admission.admit(flight);
  }

  #arrive(flight: Flight, request: DispatchRequest): void {
    flight.admitted = true;
    this.#apply(this.#dispatcher.arrive(nowUs(), request));
    this.#report.changed(request.workload);
  }

  // ---- What flights tell

  settled(flight: Flight, outcome: CompletionOutcome): void {
    this.#flights.delete(flight);
    this.#leaveQueue(flight);
    if (flight.admitted && flight.workload) {
      flight.admitted = false;
      const now = nowUs();
      this.#apply(
        outcome === 'cancelled'
          ? this.#dispatcher.cancel(now, flight.id)
          : this.#dispatcher.complete(now, flight.id, outcome),
      );
      this.#report.changed(flight.workload.key);
      // A slot that was given to another gateway and is free only now: that one waits for it.
      if (flight.replica !== '' && !flight.workload.endpoints.has(flight.replica)) this.#report.flush();
    }
    if (this.#flights.size > 0) return;
    this.#emptied?.resolve();
    this.#emptied = null;
  }

  retry(flight: Flight): void {
    this.#apply(this.#dispatcher.retry(nowUs(), flight.id));
    if (flight.workload) this.#report.changed(flight.workload.key);
  }

  endpointFailed(replica: string, message: string): void {
    const now = nowUs();
    // Replicas that were forgotten before their last exchange failed.
    if (this.#failuresReportedUs.size > limits.failingReplicas) this.#failuresReportedUs.clear();
    const last = this.#failuresReportedUs.get(replica);
    if (last !== undefined && now - last < limits.failureReportMs * 1000) return;
    if (this.#send({ type: 'endpoint-failed', gateway: this.#name, replica, message })) {
      this.#failuresReportedUs.set(replica, now);
    }
  }

  refused(flight: Flight, problem: GatewayProblem): void {
    this.metrics.refused(flight.workload?.key ?? '', problem.code);
  }

  // ---- What the dispatcher decides

  #apply(events: DispatchEvent[]): void {
    for (const event of events) this.#events.push(event);
    if (this.#applying) return;
    this.#applying = true;
    try {
      for (let event = this.#events.shift(); event; event = this.#events.shift()) {
        try {
          this.#applyOne(event);
        } catch (error) {
          // One exchange that cannot go on must neither keep its slot nor stop the others.
          this.#onFault(error);
          if ('id' in event) this.#flights.get(event.id)?.abort();
        }
      }
    } finally {
      this.#applying = false;
    }
    if (this.#wakes.flush()) this.#report.flush();
    this.#armTick();
  }

  #applyOne(event: DispatchEvent): void {
    if (event.type === 'drained') {
      this.#drained(event);
      return;
    }
    const flight = this.#flights.get(event.id);
    const workload = flight?.workload;
    if (!flight || !workload) return;
    this.#report.changed(workload.key);
    switch (event.type) {
      case 'assigned': {
        this.#leaveQueue(flight);
        const { waitedUs, deferredUs } = event;
        if (waitedUs > (deferredUs ?? 0)) this.metrics.held(workload.key, waitedUs - (deferredUs ?? 0));
        if (deferredUs !== undefined && deferredUs > 0) this.metrics.deferred(workload.key, deferredUs);
        const known = workload.endpoints.get(event.replica);
        if (!known) {
          // It was just taken out by the same message that made room on it.
          this.#events.push(...this.#dispatcher.retry(nowUs(), flight.id));
          return;
        }
        flight.forward(known.endpoint, waitedUs, deferredUs);
        this.metrics.forwarded(workload.key, flight.addedUs);
        return;
      }
      case 'held': {
        if (this.#stopping) {
          flight.refuse(shuttingDown, 'cancelled');
          return;
        }
        // One that was deferrable has its body in memory already.
        if (flight.deferUntilUs !== null) this.#leaveQueue(flight);
        workload.held.add(flight);
        workload.heldBodyBytes += flight.heldBodyBytes;
        flight.hold(event.reason, flight.heldBodyBytes);
        if (event.reason === 'no-replica') this.#wakes.note(workload);
        return;
      }
      case 'deferred': {
        if (this.#stopping) {
          flight.refuse(shuttingDown, 'cancelled');
          return;
        }
        workload.deferred.add(flight);
        workload.heldBodyBytes += flight.heldBodyBytes;
        workload.deferredBodyBytes += flight.heldBodyBytes;
        flight.defer(flight.heldBodyBytes);
        return;
      }
      case 'refused': {
        this.#leaveQueue(flight);
        flight.admitted = false;
        flight.refuse(problemOf(event.refusal, workload), 'cancelled');
        return;
      }
    }
  }

  /** With the number of the drain: a control plane that has begun another one since must not take this for its end. */
  #drained({ replica, drain }: { replica: string; drain?: number }): void {
    this.#send({ type: 'drained', gateway: this.#name, replica, ...(drain === undefined ? {} : { drain }) });
  }

  #leaveQueue(flight: Flight): void {
    const { workload } = flight;
    if (workload?.held.delete(flight)) {
      workload.heldBodyBytes -= flight.heldBodyBytes;
      this.#wakes.forget(workload);
    } else if (workload?.deferred.delete(flight)) {
      workload.heldBodyBytes -= flight.heldBodyBytes;
      workload.deferredBodyBytes -= flight.heldBodyBytes;
    }
  }

  #armTick(): void {
    const atUs = this.#dispatcher.nextDeadlineUs();
    if (atUs === null || atUs >= this.#tickAtUs) return;
    if (this.#tickTimer) clearTimeout(this.#tickTimer);
    this.#tickAtUs = atUs;
    const delayMs = Math.min(longestTimerMs, Math.max(0, Math.ceil((atUs - nowUs()) / 1000)));
    this.#tickTimer = setTimeout(() => {
      this.#tickTimer = null;
      this.#tickAtUs = Number.POSITIVE_INFINITY;
      this.#apply(this.#dispatcher.tick(nowUs()));
    }, delayMs);
  }

  // ---- The end

  /** Exchanges that it holds or carries now. */
  load(): number {
    return this.#flights.size;
  }

  /** Resolves when nothing is held or in flight, or after `graceMs`; requests are taken as before. */
  async empty(graceMs: number): Promise<void> {
    if (this.#flights.size === 0) return;
    this.#emptied ??= Promise.withResolvers<void>();
    await atMost(graceMs, this.#emptied.promise);
  }

  /** Refuses what is held, lets what is in flight end, and breaks off what has not ended after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const flight of this.#flights) {
      if (flight.state === 'held' || flight.state === 'reading') flight.refuse(shuttingDown, 'cancelled');
    }
    await this.empty(graceMs);
    for (const flight of this.#flights) flight.abort();
    this.#report.flush();
  }

  close(): void {
    this.#report.close();
    if (this.#tickTimer) clearTimeout(this.#tickTimer);
    this.upstream.close();
  }

  /** Counts of every workload, for the gateway's own metrics. */
  allCounts() {
    const now = nowUs();
    return [...this.workloads.keys()].flatMap((key) => this.#dispatcher.counts(now, key) ?? []);
  }
}

function problemOf({ code, status, message, retryAfterMs }: Refusal, workload: ServedWorkload): GatewayProblem {
  const reason = code === 'unavailable' ? workload.spec.unavailable?.code : undefined;
  return {
    // A body that is too large to wait, not a buffer that others have filled.
    code: code === 'buffer-full' && status === 413 ? 'body-too-large' : code,
    status,
    detail: sentence(message),
    retryAfterMs,
    ...(reason && { reason }),
  };
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase();
  return `${first}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

const shuttingDown: GatewayProblem = {
  code: 'shutting-down',
  detail: 'The gateway is stopping; another one, or the next one, will take the request.',
  retryAfterMs: 1000,
};

const longestTimerMs = 2 ** 31 - 1;
