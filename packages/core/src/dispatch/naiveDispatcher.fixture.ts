import { chat } from './dispatch.fixture.ts';
import type {
  CompletionOutcome,
  DispatchCounts,
  DispatchEndpoint,
  DispatchEvent,
  DispatchRequest,
  DispatchWorkload,
  RefusalCode,
} from './types.ts';

interface NaiveRequest {
  request: DispatchRequest;
  arrivedUs: number;
  deadlineUs: number;
  deadlineCode: RefusalCode;
  excluded: string[];
  everHeld: boolean;
  assignedUs: number;
  state: 'held' | 'inFlight' | 'over';
  /** What it is on while it is in flight. */
  replica: string;
  /** What it is counted in. */
  class: string;
}

interface NaiveEndpoint extends DispatchEndpoint {
  isListed: boolean;
  isDrained: boolean;
}

type ClassCounts = DispatchCounts['classes'][string];

/**
 * The rules of dispatch for one workload, written down as simply as they are said: arrays, and a scan for everything.
 * It is shown each call with the events of the real dispatcher and throws at the first one that the rules do not
 * allow. Where they leave a choice (which of the equally good replicas), it goes on with the one that was made.
 */
export class NaiveDispatcher {
  #nowUs = 0;
  #config: DispatchWorkload | null = null;
  #isRemoved = false;
  #queue: NaiveRequest[] = [];
  readonly #requests = new Map<number, NaiveRequest>();
  #endpoints: NaiveEndpoint[] = [];
  #classes: Record<string, ClassCounts> = {};
  #totals: DispatchCounts['requests'] = { total: 0, succeeded: 0, failed: 0, refused: 0, cancelled: 0, held: 0 };
  #lastActiveUs: number | null = null;
  #events: DispatchEvent[] = [];
  /** Final outcomes by id. */
  readonly outcomes = new Map<number, string>();

  configure(nowUs: number, config: DispatchWorkload, events: DispatchEvent[]): void {
    this.#begin(nowUs, events);
    this.#config = config;
    this.#isRemoved = false;
    for (const held of this.#queue) {
      const accepting = this.#accepting(held.request);
      this.#classOf(held).held--;
      if (accepting[0]) this.#classOf(held, accepting[0]).held++;
      else this.#refuseHeld(held, 'no-class-accepts');
      this.#notePeaks();
    }
    this.#forgetClasses();
    this.#serve();
    if (config.unavailable) for (const held of this.#queue) this.#refuseHeld(held, 'unavailable', true);
    this.#finish();
  }

  remove(nowUs: number, events: DispatchEvent[]): void {
    this.#begin(nowUs, events);
    if (this.#config) {
      for (const held of this.#queue) this.#refuseHeld(held, 'workload-removed', true);
      this.#isRemoved = true;
      this.#list([]);
    }
    this.#finish();
  }

  setEndpoints(nowUs: number, listed: DispatchEndpoint[], events: DispatchEvent[]): void {
    this.#begin(nowUs, events);
    if (this.#config && !this.#isRemoved) {
      this.#list(listed);
      this.#serve();
    }
    this.#finish();
  }

  arrive(nowUs: number, request: DispatchRequest, events: DispatchEvent[]): void {
    this.#begin(nowUs, events);
    const config = this.#config;
    if (!config || this.#isRemoved) {
      this.#expect({ type: 'refused', id: request.id }, 'unknown-workload');
      this.outcomes.set(request.id, 'refused');
      this.#finish();
      return;
    }
    const holdUs = this.#nowUs + config.serving.timeouts.holdMs * 1000;
    const clientUs = request.deadlineUs ?? Infinity;
    const arrived: NaiveRequest = {
      request,
      arrivedUs: this.#nowUs,
      deadlineUs: Math.min(holdUs, clientUs),
      deadlineCode: clientUs < holdUs ? 'deadline-passed' : 'hold-timeout',
      excluded: [],
      everHeld: false,
      assignedUs: 0,
      state: 'over',
      replica: '',
      class: '',
    };
    this.#requests.set(request.id, arrived);
    this.#totals.total++;
    const cheapest = this.#accepting(request)[0];
    if (cheapest) this.#classOf(arrived, cheapest).arrivals++;
    if (!this.#place(arrived)) {
      const { maxRequests, maxBodyBytes, maxTotalBytes } = config.serving.buffer;
      const heldBytes = this.#queue.reduce((sum, held) => sum + held.request.bufferedBytes, 0);
      if (request.bufferedBytes > maxBodyBytes) this.#refuse(arrived, 'buffer-full');
      else if (this.#queue.length >= maxRequests) this.#refuse(arrived, 'queue-full');
      else if (heldBytes + request.bufferedBytes > maxTotalBytes) this.#refuse(arrived, 'buffer-full');
      else this.#hold(arrived, this.#queue.length);
    }
    this.#finish();
  }

  end(nowUs: number, id: number, outcome: CompletionOutcome, events: DispatchEvent[]): void {
    this.#begin(nowUs, events);
    const request = this.#requests.get(id);
    if (request && request.state !== 'over') {
      if (request.state === 'inFlight' && outcome === 'succeeded') this.#noteAnswer(request);
      if (request.state === 'held') this.#unhold(request);
      else this.#release(request);
      request.state = 'over';
      this.#totals[outcome]++;
      this.#over(id, outcome);
      this.#serve();
    }
    this.#finish();
  }

  retry(nowUs: number, id: number, events: DispatchEvent[]): void {
    this.#begin(nowUs, events);
    const request = this.#requests.get(id);
    if (request?.state === 'inFlight') {
      request.excluded.push(request.replica);
      this.#release(request);
      request.state = 'over';
      const cheapest = this.#accepting(request.request)[0];
      if (this.#isRemoved) this.#refuse(request, 'workload-removed');
      else {
        if (cheapest) this.#classOf(request, cheapest);
        if (!this.#place(request)) this.#hold(request, 0);
      }
      this.#serve();
    }
    this.#finish();
  }

  tick(nowUs: number, events: DispatchEvent[]): void {
    this.#begin(nowUs, events);
    this.#finish();
  }

  nextDeadlineUs(): number | null {
    const next = Math.min(...this.#queue.map((held) => held.deadlineUs));
    return next === Infinity ? null : next;
  }

  takePeaks(): void {
    for (const one of Object.values(this.#classes)) one.peak = one.inFlight + one.held;
  }

  /** Ids that are in flight, in the order of their arrival. */
  inFlight(): number[] {
    return [...this.#requests.values()].filter(({ state }) => state === 'inFlight').map(({ request }) => request.id);
  }

  counts(nowUs: number): DispatchCounts | null {
    this.#advance(nowUs);
    if (!this.#config) return null;
    const arrivals = this.#queue.map((held) => held.arrivedUs);
    const replicas = this.#endpoints.filter((endpoint) => endpoint.isListed || this.#load(endpoint.replica) > 0);
    return {
      workload: chat,
      classes: this.#classes,
      requests: this.#totals,
      oldestHeldUs: arrivals.length > 0 ? Math.min(...arrivals) : null,
      replicas: Object.fromEntries(replicas.map(({ replica }) => [replica, this.#load(replica)])),
      lastActiveUs: this.#active() > 0 ? this.#nowUs : this.#lastActiveUs,
    };
  }

  #begin(nowUs: number, events: DispatchEvent[]): void {
    this.#events = [...events];
    this.#advance(nowUs);
    const due = this.#queue.filter((held) => held.deadlineUs <= this.#nowUs);
    due.sort((left, right) => left.deadlineUs - right.deadlineUs || left.request.id - right.request.id);
    for (const held of due) this.#refuseHeld(held, held.deadlineCode, true);
  }

  #advance(nowUs: number): void {
    const passedUs = Math.max(0, nowUs - this.#nowUs);
    this.#nowUs += passedUs;
    for (const one of Object.values(this.#classes)) one.demandIntegralUs += (one.inFlight + one.held) * passedUs;
    if (this.#active() > 0) this.#lastActiveUs = this.#nowUs;
  }

  #finish(): void {
    if (this.#events.length > 0) throw new Error(`not expected: ${JSON.stringify(this.#events[0])}`);
    if (this.#active() > 0) this.#lastActiveUs = this.#nowUs;
    this.#notePeaks();
    if (!this.#isRemoved || this.#active() > 0) return;
    this.#config = null;
    this.#isRemoved = false;
    this.#classes = {};
    this.#totals = { total: 0, succeeded: 0, failed: 0, refused: 0, cancelled: 0, held: 0 };
    this.#lastActiveUs = null;
    this.#endpoints = [];
  }

  /** The next event has to be this one. */
  #expect(wanted: Partial<DispatchEvent> & Record<string, unknown>, code?: RefusalCode): DispatchEvent {
    const event = this.#events.shift();
    const found: Record<string, unknown> = { ...event };
    const isAsWanted = Object.entries(wanted).every(([name, value]) => found[name] === value);
    const isRightCode = code === undefined || (event?.type === 'refused' && event.refusal.code === code);
    if (event && isAsWanted && isRightCode) return event;
    throw new Error(`expected ${JSON.stringify({ ...wanted, code })}, found ${JSON.stringify(event)}`);
  }

  #over(id: number, outcome: string): void {
    if (this.outcomes.has(id)) throw new Error(`${id} ended twice`);
    this.outcomes.set(id, outcome);
  }

  #refuse(request: NaiveRequest, code: RefusalCode): void {
    this.#expect({ type: 'refused', id: request.request.id }, code);
    request.state = 'over';
    this.#totals.refused++;
    this.#over(request.request.id, 'refused');
  }

  #refuseHeld(held: NaiveRequest, code: RefusalCode, isCounted = false): void {
    this.#queue = this.#queue.filter((one) => one !== held);
    if (isCounted) this.#classOf(held).held--;
    this.#refuse(held, code);
  }

  /** Gives it to a replica or refuses it; false: it has to wait. */
  #place(request: NaiveRequest): boolean {
    const { deadlineUs } = request.request;
    if (this.#accepting(request.request).length === 0) this.#refuse(request, 'no-class-accepts');
    else if (deadlineUs !== null && deadlineUs <= this.#nowUs) this.#refuse(request, 'deadline-passed');
    else if (this.#candidates(request).length > 0) this.#assign(request);
    else if (this.#config?.unavailable) this.#refuse(request, 'unavailable');
    else return false;
    return true;
  }

  #hold(request: NaiveRequest, at: number): void {
    this.#queue.splice(at, 0, request);
    request.state = 'held';
    this.#classOf(request).held++;
    this.#notePeaks();
    if (!request.everHeld) this.#totals.held++;
    request.everHeld = true;
    const accepting = this.#accepting(request.request);
    const isServing = this.#endpoints.some(
      (one) =>
        one.isListed && !one.draining && accepting.includes(one.class) && !request.excluded.includes(one.replica),
    );
    const reason = isServing ? 'no-free-slot' : 'no-replica';
    this.#expect({ type: 'held', id: request.request.id, position: at + 1, reason });
  }

  #unhold(held: NaiveRequest): void {
    this.#queue = this.#queue.filter((one) => one !== held);
    this.#classOf(held).held--;
  }

  #serve(): void {
    for (;;) {
      const next = this.#queue.find((held) => this.#candidates(held).length > 0);
      if (!next) return;
      this.#unhold(next);
      this.#assign(next);
    }
  }

  #noteAnswer(request: NaiveRequest): void {
    const one = this.#classOf(request);
    const { requests, responseUs, waitUs } = one.answered ?? { requests: 0, responseUs: 0, waitUs: 0 };
    one.answered = {
      requests: requests + 1,
      responseUs: responseUs + this.#nowUs - request.arrivedUs,
      waitUs: waitUs + request.assignedUs - request.arrivedUs,
    };
  }

  #assign(request: NaiveRequest): void {
    request.assignedUs = this.#nowUs;
    const candidates = this.#candidates(request);
    const event = this.#expect({ type: 'assigned', id: request.request.id, waitedUs: this.#nowUs - request.arrivedUs });
    if (event.type !== 'assigned') throw new Error('not reached');
    const chosen = candidates.find(({ replica }) => replica === event.replica);
    if (!chosen || chosen.class !== event.class) throw new Error(`${event.id} may not go to ${event.replica}`);
    const serving = this.#config?.serving;
    if (serving?.balancing === 'leastConnections' && !(serving.affinity && request.request.affinityKey !== null)) {
      const least = Math.min(...candidates.map(({ replica }) => this.#load(replica)));
      if (this.#load(chosen.replica) > least) throw new Error(`${event.replica} is not the least loaded`);
    }
    request.state = 'inFlight';
    request.replica = chosen.replica;
    this.#classOf(request, chosen.class).inFlight++;
    this.#notePeaks();
  }

  #release(request: NaiveRequest): void {
    this.#classOf(request).inFlight--;
    request.state = 'over';
    const endpoint = this.#endpoints.find(({ replica }) => replica === request.replica);
    if (endpoint) this.#tellIfDrained(endpoint);
    this.#endpoints = this.#endpoints.filter((one) => one.isListed || this.#load(one.replica) > 0);
  }

  #tellIfDrained(endpoint: NaiveEndpoint): void {
    if (!endpoint.draining || endpoint.isDrained || this.#load(endpoint.replica) > 0) return;
    this.#expect({ type: 'drained', replica: endpoint.replica });
    endpoint.isDrained = true;
  }

  #list(listed: DispatchEndpoint[]): void {
    for (const request of this.#requests.values()) request.excluded = [];
    for (const endpoint of this.#endpoints) endpoint.isListed = false;
    for (const one of listed) {
      const known = this.#endpoints.find(({ replica }) => replica === one.replica);
      const isDrained = one.draining && (known?.isDrained ?? false);
      if (known) Object.assign(known, one, { isListed: true, isDrained });
      else this.#endpoints.push({ ...one, isListed: true, isDrained });
    }
    this.#endpoints = this.#endpoints.filter((one) => one.isListed || this.#load(one.replica) > 0);
    for (const endpoint of this.#endpoints) if (endpoint.isListed) this.#tellIfDrained(endpoint);
    this.#forgetClasses();
  }

  /** Endpoints with a free slot of the first class that accepts it and has one. */
  #candidates({ request, excluded }: NaiveRequest): NaiveEndpoint[] {
    for (const name of this.#accepting(request)) {
      const free = this.#endpoints.filter(
        (one) =>
          one.isListed &&
          one.class === name &&
          !one.draining &&
          !excluded.includes(one.replica) &&
          (one.slots === 0 || this.#load(one.replica) < one.slots),
      );
      if (free.length > 0) return free;
    }
    return [];
  }

  #accepting({ maxTokens, model }: DispatchRequest): string[] {
    const accepting = (this.#config?.classes ?? []).filter(
      ({ accepts }) =>
        accepts === null ||
        ((accepts.maxTokens === null || (maxTokens ?? 0) <= accepts.maxTokens) &&
          (accepts.models.length === 0 || (model !== null && accepts.models.includes(model)))),
    );
    return accepting.map(({ name }) => name);
  }

  #load(replica: string): number {
    return [...this.#requests.values()].filter((one) => one.state === 'inFlight' && one.replica === replica).length;
  }

  #active(): number {
    return [...this.#requests.values()].filter(({ state }) => state !== 'over').length;
  }

  #classOf(request: NaiveRequest, name: string = request.class): ClassCounts {
    request.class = name;
    return this.#newClass(name);
  }

  #newClass(name: string): ClassCounts {
    this.#classes[name] ??= { inFlight: 0, held: 0, demandIntegralUs: 0, arrivals: 0, peak: 0 };
    return this.#classes[name];
  }

  #notePeaks(): void {
    for (const one of Object.values(this.#classes)) one.peak = Math.max(one.peak, one.inFlight + one.held);
  }

  /** Classes are counted while they are configured, have endpoints, or requests in flight. */
  #forgetClasses(): void {
    const configured = (this.#config?.classes ?? []).map(({ name }) => name);
    const listed = this.#endpoints.filter(({ isListed }) => isListed).map((one) => one.class);
    for (const name of [...configured, ...listed]) this.#newClass(name);
    for (const [name, { inFlight }] of Object.entries(this.#classes)) {
      if (inFlight === 0 && !configured.includes(name) && !listed.includes(name)) delete this.#classes[name];
    }
  }
}
