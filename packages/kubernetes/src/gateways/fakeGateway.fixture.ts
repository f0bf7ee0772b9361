import {
  createDispatcher,
  type DispatchEvent,
  type Dispatcher,
  type FromGateway,
  type GatewayWorkload,
  type ToGateway,
} from '@ebb/core';
import type { VirtualClock } from '@ebb/testing';
import type { GatewayConnection } from './connection.ts';

export interface FakeRequest {
  readonly id: number;
  readonly workload: string;
  readonly serviceMs: number;
  /** Replica that has it, while it has it. */
  on: string | null;
  outcome: 'held' | 'in flight' | 'done' | 'refused' | 'lost';
}

interface Line {
  readonly connection: GatewayConnection;
  isOpen: boolean;
}

/** A gateway in virtual time around core's real dispatcher, with a clock of its own, reached over links that take time. */
export class FakeGateway {
  readonly name: string;
  readonly requests: FakeRequest[] = [];
  readonly heard: ToGateway[] = [];
  readonly #clock: VirtualClock;
  readonly #delayUs: () => number;
  #dispatcher: Dispatcher = createDispatcher(1);
  #workloads = new Map<string, GatewayWorkload>();
  #process = 1;
  #line: Line | null = null;
  #nextId = 1;
  #changed = new Set<string>();
  #isUp = true;
  #isReachable = true;

  constructor(name: string, clock: VirtualClock, delayUs: () => number = () => 200) {
    this.name = name;
    this.#clock = clock;
    this.#delayUs = delayUs;
    this.#beat();
  }

  /** Its machine's clock is another one than ours. */
  #nowUs(): number {
    return this.#clock.nowUs() + this.#process * 1_000_000_000;
  }

  get workloads(): ReadonlyMap<string, GatewayWorkload> {
    return this.#workloads;
  }

  /** Slots of a replica as it was told; 0: none. */
  slots(replica: string): number {
    for (const { endpoints } of this.#workloads.values()) {
      for (const one of endpoints) if (one.replica === replica && !one.draining) return one.slots;
    }
    return 0;
  }

  inFlight(replica: string): number {
    return this.requests.filter(({ on }) => on === replica).length;
  }

  async connect(): Promise<GatewayConnection> {
    if (!this.#isUp || !this.#isReachable) throw new Error(`${this.name} does not answer`);
    let lastInUs = 0;
    const line: Line = {
      isOpen: true,
      connection: {
        send: (message) => {
          if (!line.isOpen) return false;
          lastInUs = Math.max(lastInUs, this.#clock.nowUs() + this.#delayUs());
          const text = JSON.stringify(message);
          this.#clock.atUs(lastInUs, () => this.#take(line, JSON.parse(text) as ToGateway));
          return true;
        },
        close: () => {
          line.isOpen = false;
        },
        onMessage: () => {},
        onClose: () => {},
      },
    };
    this.#lastOutUs = 0;
    this.#sayHello(line);
    return line.connection;
  }

  #sayHello(line: Line): void {
    const slots = this.#slotsNow();
    this.#out(line, { type: 'hello', gateway: this.name, url: `http://${this.name}`, pid: 1, slots });
  }

  /** The link breaks; both sides live on. */
  cut(isReachable = true): void {
    this.#isReachable = isReachable;
    const line = this.#line;
    this.#line = null;
    if (!line?.isOpen) return;
    line.isOpen = false;
    this.#clock.afterUs(1, () => line.connection.onClose('cut'));
  }

  mend(): void {
    this.#isReachable = true;
  }

  /** Its process ends; what it had is lost. */
  kill(): void {
    this.#isUp = false;
    for (const request of this.requests) {
      if (request.outcome !== 'held' && request.outcome !== 'in flight') continue;
      request.outcome = 'lost';
      request.on = null;
    }
    this.cut();
  }

  /** Another process in its place. */
  restart(): void {
    this.kill();
    this.#process++;
    this.#dispatcher = createDispatcher(this.#process);
    this.#workloads = new Map();
    this.#changed = new Set();
    this.#isUp = true;
  }

  arrive(workload: string, serviceMs: number): FakeRequest {
    const request: FakeRequest = { id: this.#nextId++, workload, serviceMs, on: null, outcome: 'held' };
    this.requests.push(request);
    this.#apply(
      this.#dispatcher.arrive(this.#nowUs(), {
        id: request.id,
        workload,
        bodyBytes: 0,
        maxTokens: null,
        model: null,
        headers: {},
        deadlineUs: null,
        bufferedBytes: 0,
        affinityKey: null,
      }),
    );
    this.#report(workload);
    return request;
  }

  #lastOutUs = 0;
  #out(line: Line | null, message: FromGateway): void {
    if (!line?.isOpen) return;
    this.#lastOutUs = Math.max(this.#lastOutUs, this.#clock.nowUs() + this.#delayUs());
    const process = this.#process;
    const text = JSON.stringify(message);
    this.#clock.atUs(this.#lastOutUs, () => {
      if (line.isOpen) line.connection.onMessage(JSON.parse(text) as FromGateway, process);
    });
  }

  #take(line: Line, message: ToGateway): void {
    // What was under way when a link broke may still come, until a new one has said everything.
    if (!this.#isUp) return;
    this.heard.push(message);
    if (message.type === 'lead') {
      this.#line = line;
      this.#sayHello(line);
    } else if (message.type === 'sync') {
      this.#line = line;
      const named = new Set(message.workloads.map(({ key }) => key));
      for (const key of this.#workloads.keys()) if (!named.has(key)) this.#remove(key);
      for (const workload of message.workloads) this.#configure(workload);
      this.#sendCounts([...this.#workloads.keys()]);
      for (const { endpoints } of message.workloads) {
        for (const { replica, draining, drain } of endpoints) {
          if (!draining || this.inFlight(replica) > 0) continue;
          this.#out(line, { type: 'drained', gateway: this.name, replica, ...(drain === undefined ? {} : { drain }) });
        }
      }
      for (const { key } of message.workloads) this.#wake(key);
      if (message.revision !== undefined) this.#out(line, { type: 'applied', revision: message.revision });
    } else if (this.#line !== line && this.#line !== null) {
      return;
    } else if (message.type === 'workload') {
      this.#configure(message.workload);
      this.#sendCounts([message.workload.key]);
      if (message.revision !== undefined) this.#out(line, { type: 'applied', revision: message.revision });
    } else if (message.type === 'remove') this.#remove(message.workload);
  }

  #configure(workload: GatewayWorkload): void {
    this.#workloads.set(workload.key, workload);
    const { key, classes, serving, unavailable } = workload;
    this.#apply([
      ...this.#dispatcher.configure(this.#nowUs(), { key, classes, serving, unavailable }),
      ...this.#dispatcher.setEndpoints(this.#nowUs(), key, workload.endpoints),
    ]);
  }

  #remove(key: string): void {
    this.#workloads.delete(key);
    this.#apply(this.#dispatcher.remove(this.#nowUs(), key));
  }

  #slotsNow(): Record<string, number> {
    const slots: Record<string, number> = {};
    for (const key of this.#workloads.keys()) {
      Object.assign(slots, this.#dispatcher.counts(this.#nowUs(), key)?.replicas ?? {});
    }
    for (const { endpoints } of this.#workloads.values()) {
      for (const one of endpoints) {
        if (!one.draining) slots[one.replica] = Math.max(slots[one.replica] ?? 0, one.slots);
      }
    }
    return slots;
  }

  #apply(events: DispatchEvent[]): void {
    for (const event of events) {
      if (event.type === 'drained') {
        this.#out(this.#line, { ...event, gateway: this.name });
        continue;
      }
      const request = this.requests.find(({ id }) => id === event.id);
      if (!request) continue;
      if (event.type === 'assigned') {
        request.outcome = 'in flight';
        request.on = event.replica;
        const process = this.#process;
        this.#clock.afterUs(request.serviceMs * 1000, () => {
          if (process !== this.#process || request.outcome !== 'in flight') return;
          request.outcome = 'done';
          request.on = null;
          this.#apply(this.#dispatcher.complete(this.#nowUs(), request.id, 'succeeded'));
          this.#report(request.workload);
        });
      } else if (event.type === 'refused') {
        request.outcome = 'refused';
      } else if (event.type === 'held' && event.reason === 'no-replica') this.#wake(request.workload);
    }
  }

  #wake(key: string): void {
    const counts = this.#dispatcher.counts(this.#nowUs(), key);
    for (const [name, { held, oldestHeldUs }] of Object.entries(counts?.classes ?? {})) {
      if (held === 0) continue;
      const heldAtUs = oldestHeldUs ?? this.#nowUs();
      this.#out(this.#line, { type: 'wake', gateway: this.name, workload: key, class: name, held, heldAtUs });
    }
  }

  /** As the real one: counts of what changed leave within 50 ms. */
  #report(key: string): void {
    if (this.#changed.size === 0) {
      const process = this.#process;
      this.#clock.afterUs(50_000, () => {
        if (process !== this.#process) return;
        const keys = [...this.#changed];
        this.#changed.clear();
        this.#sendCounts(keys);
      });
    }
    this.#changed.add(key);
  }

  #sendCounts(keys: readonly string[]): void {
    const atUs = this.#nowUs();
    const counts = keys.flatMap((key) => this.#dispatcher.counts(atUs, key) ?? []);
    this.#out(this.#line, { type: 'counts', gateway: this.name, atUs, counts });
  }

  #beat(): void {
    this.#clock.afterUs(1_000_000, () => {
      if (this.#isUp) this.#sendCounts([...this.#workloads.keys()]);
      this.#beat();
    });
  }
}
