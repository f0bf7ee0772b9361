import { chat } from './dispatch.fixture.ts';
import { bytesOf, dueUs, type NaiveEndpoint, type NaiveRequest } from './naiveRequest.fixture.ts';
import type {
  CompletionOutcome,
  DispatchCounts,
  DispatchEndpoint,
  DispatchEvent,
  DispatchRequest,
  DispatchWorkload,
  RefusalCode,
} from './types.ts';

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
  #deferred: NaiveRequest[] = [];
  #deferrals = { arrivals: 0, begun: 0, turned: 0 };
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
      else {
        this.#noteWait(held);
        this.#refuseHeld(held, 'no-class-accepts');
      }
      this.#notePeaks();
    }
    for (const one of this.#deferred) {
      if (this.#accepting(one.request).length === 0) this.#refuseDeferred(one, 'no-class-accepts');
      else one.turnUs = Math.max(this.#nowUs, this.#turnUsOf(one));
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
      for (const one of this.#deferred) this.#refuseDeferred(one, 'workload-removed');
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
    const deferrable = config.serving.deferrable ?? null;
    const { deferUntilUs = null } = request;
    const deferMs = deferUntilUs === null ? null : Math.max(0, deferUntilUs - this.#nowUs) / 1000;
    const longestMs =
      deferMs === null || deferrable === null
        ? config.serving.timeouts.holdMs
        : Math.min(deferMs, deferrable.maxDelayMs);
    const holdUs = this.#nowUs + longestMs * 1000;
    const clientUs = request.deadlineUs ?? Infinity;
    const arrived: NaiveRequest = {
      request,
      arrivedUs: this.#nowUs,
      deadlineUs: Math.min(holdUs, clientUs),
      deadlineCode: clientUs < holdUs || (deferMs !== null && deferrable !== null) ? 'deadline-passed' : 'hold-timeout',
      excluded: [],
      everHeld: false,
      isLate: false,
      assignedUs: 0,
      mayDefer: deferMs !== null && deferrable !== null,
      isDeferrable: false,
      ordinaryUs: this.#nowUs,
      turnUs: 0,
      state: 'over',
      replica: '',
      class: '',
    };
    this.#requests.set(request.id, arrived);
    this.#totals.total++;
    const cheapest = this.#accepting(request)[0];
    const { maxRequests, maxBodyBytes, maxTotalBytes } = config.serving.buffer;
    const heldBytes = bytesOf(this.#queue);
    const deferredBytes = bytesOf(this.#deferred);
    const bytes = request.bufferedBytes;
    const turned = this.#queue.filter((held) => held.ordinaryUs > held.arrivedUs).length;
    if (cheapest && arrived.mayDefer && this.#turnUsOf(arrived) > this.#nowUs) {
      this.#deferrals.arrivals++;
      arrived.isDeferrable = true;
      const most = deferrable?.maxRequests ?? 0;
      if (this.#mayFill(arrived)) this.#assign(arrived);
      else if (bytes > maxBodyBytes) this.#refuse(arrived, 'buffer-full');
      else if (this.#deferred.length + turned >= most) this.#refuse(arrived, 'queue-full');
      else if (deferredBytes + bytes > maxTotalBytes / 2) this.#refuse(arrived, 'buffer-full');
      else if (deferredBytes + bytes > maxTotalBytes - heldBytes) this.#refuse(arrived, 'buffer-full');
      else this.#defer(arrived, this.#deferred.length);
      this.#finish();
      return;
    }
    if (cheapest) this.#classOf(arrived, cheapest).arrivals++;
    if (!this.#place(arrived)) {
      if (bytes > maxBodyBytes) this.#refuse(arrived, 'buffer-full');
      else if (this.#queue.length - turned >= maxRequests) this.#refuse(arrived, 'queue-full');
      else if (heldBytes + deferredBytes + bytes > maxTotalBytes) this.#refuse(arrived, 'buffer-full');
      else this.#hold(arrived, this.#queue.length);
    }
    this.#finish();
  }

  end(nowUs: number, id: number, outcome: CompletionOutcome, events: DispatchEvent[]): void {
    this.#begin(nowUs, events);
    const request = this.#requests.get(id);
    if (request && request.state !== 'over') {
      const isCounted = request.state === 'inFlight' && !request.isDeferrable;
      if (isCounted && outcome === 'succeeded') this.#noteAnswer(request);
      if (request.state === 'held') this.#unhold(request);
      else if (request.state === 'deferred') this.#undefer(request);
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
      else if (cheapest && request.isDeferrable) this.#placeDeferrable(request);
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
    const next = Math.min(...this.#queue.map((held) => held.deadlineUs), ...this.#deferred.map((one) => one.turnUs));
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
    const arrivals = this.#queue.map((held) => held.ordinaryUs);
    const filling = this.#endpoints.map(({ replica }): [string, number] => [replica, this.#filling(replica)]);
    const replicas = this.#endpoints.filter((endpoint) => endpoint.isListed || this.#load(endpoint.replica) > 0);
    return {
      workload: chat,
      classes: this.#withWaits(),
      requests: this.#totals,
      oldestHeldUs: arrivals.length > 0 ? Math.min(...arrivals) : null,
      replicas: Object.fromEntries(replicas.map(({ replica }) => [replica, this.#load(replica)])),
      lastActiveUs: this.#active() > 0 ? this.#nowUs : this.#lastActiveUs,
      ...(this.#deferrals.arrivals > 0 && {
        deferred: {
          waiting: this.#deferred.length,
          inFlight: filling.reduce((sum, [, count]) => sum + count, 0),
          ...this.#deferrals,
          oldestUs: this.#deferred.length > 0 ? Math.min(...this.#deferred.map((one) => one.arrivedUs)) : null,
          replicas: Object.fromEntries(filling.filter(([, count]) => count > 0)),
        },
      }),
    };
  }

  #begin(nowUs: number, events: DispatchEvent[]): void {
    this.#events = [...events];
    this.#advance(nowUs);
    for (;;) {
      const due = [...this.#queue, ...this.#deferred].filter((one) => dueUs(one) <= this.#nowUs);
      due.sort((left, right) => dueUs(left) - dueUs(right) || left.request.id - right.request.id);
      const [first] = due;
      if (!first) return;
      if (first.state === 'held') {
        this.#noteWait(first, true);
        this.#refuseHeld(first, first.deadlineCode, true);
      } else if (first.deadlineUs <= this.#nowUs) this.#refuseDeferred(first, first.deadlineCode);
      else this.#turn(first);
      this.#fill();
    }
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
    if (!this.#isRemoved || [...this.#requests.values()].some(({ state }) => state !== 'over')) return;
    this.#deferrals = { arrivals: 0, begun: 0, turned: 0 };
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
    if (isCounted) {
      this.#classOf(held).held--;
      this.#noteWait(held);
    }
    this.#refuse(held, code);
  }

  #refuseDeferred(one: NaiveRequest, code: RefusalCode): void {
    this.#undefer(one);
    this.#refuse(one, code);
  }

  #undefer(one: NaiveRequest): void {
    this.#deferred = this.#deferred.filter((other) => other !== one);
  }

  #defer(one: NaiveRequest, at: number): void {
    this.#deferred.splice(at, 0, one);
    one.state = 'deferred';
    one.turnUs = this.#turnUsOf(one);
    this.#expect({ type: 'deferred', id: one.request.id, position: at + 1 });
  }

  /** When there is only time left for one and a half cold starts, or for one and a second. */
  #turnUsOf({ deadlineUs }: NaiveRequest): number {
    const coldStartUs = (this.#config?.coldStartMs ?? 0) * 1000;
    if (!this.#config?.serving.deferrable) return -Infinity;
    return deadlineUs - coldStartUs - Math.max(1_000_000, coldStartUs / 2);
  }

  /** It is an ordinary request from now on, as if it had just arrived. */
  #turn(one: NaiveRequest): void {
    this.#undefer(one);
    this.#deferrals.turned++;
    one.isDeferrable = false;
    one.ordinaryUs = this.#nowUs;
    one.excluded = [];
    this.#classOf(one, this.#accepting(one.request)[0] ?? '').arrivals++;
    if (!this.#place(one)) this.#hold(one, this.#queue.length);
  }

  #placeDeferrable(one: NaiveRequest): void {
    if (one.deadlineUs <= this.#nowUs) this.#refuse(one, one.deadlineCode);
    else if (this.#turnUsOf(one) <= this.#nowUs) this.#turn(one);
    else if (this.#mayFill(one)) this.#assign(one);
    else this.#defer(one, 0);
  }

  #mayFill(one: NaiveRequest): boolean {
    return this.#queue.length === 0 && this.#candidates(one).length > 0;
  }

  #fill(): void {
    for (;;) {
      const next = this.#deferred.find((one) => this.#mayFill(one));
      if (!next) return;
      this.#undefer(next);
      this.#assign(next);
    }
  }

  /** More slots are free in the class than are to be left free. */
  #hasSlack(name: string): boolean {
    const members = this.#endpoints.filter((one) => one.isListed && !one.draining && one.class === name);
    const reserve = this.#config?.serving.deferrable?.reserve;
    if (reserve === undefined) return false;
    if (members.some((one) => one.slots === 0)) return true;
    const slots = members.reduce((sum, one) => sum + one.slots, 0);
    const free = members.reduce((sum, one) => sum + Math.max(0, one.slots - this.#load(one.replica)), 0);
    return free - 1 >= Math.round(reserve * slots);
  }

  /** Deferrable requests in flight. */
  #filling(replica: string): number {
    return this.#on(replica).filter((one) => one.isDeferrable).length;
  }

  #on(replica: string): NaiveRequest[] {
    return [...this.#requests.values()].filter((one) => one.state === 'inFlight' && one.replica === replica);
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
    this.#lastActiveUs = this.#nowUs;
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
    this.#noteWait(held);
  }

  /** Its wait ends now, or, where it was refused for that, is over without end. */
  #noteWait(one: NaiveRequest, isWithoutEnd = false): void {
    const waitUs = isWithoutEnd ? Infinity : this.#nowUs - one.ordinaryUs;
    if (one.isLate || waitUs <= (this.#config?.onTimeUs ?? 5_000_000)) return;
    one.isLate = true;
    const counts = this.#newClass(this.#accepting(one.request)[0] ?? one.class);
    counts.late = (counts.late ?? 0) + 1;
  }

  /** What is in flight and held now has waited this. */
  #withWaits(): Record<string, ClassCounts> {
    const counted = [...this.#requests.values()].filter((one) => !one.isDeferrable);
    const entries = Object.entries(this.#classes).map(([name, counts]): [string, ClassCounts] => {
      const own = counted.filter((one) => one.class === name);
      const waits = own.filter(({ state }) => state === 'inFlight').map((one) => one.assignedUs - one.ordinaryUs);
      const inFlightWaitUs = waits.reduce((sum, waitUs) => sum + waitUs, 0);
      const held = own.filter(({ state }) => state === 'held').map((one) => one.ordinaryUs);
      return [
        name,
        {
          ...counts,
          ...(inFlightWaitUs > 0 ? { inFlightWaitUs } : {}),
          ...(held.length > 0 ? { oldestHeldUs: Math.min(...held) } : {}),
        },
      ];
    });
    return Object.fromEntries(entries);
  }

  #serve(): void {
    for (;;) {
      const next = this.#queue.find((held) => this.#candidates(held).length > 0);
      if (!next) break;
      this.#unhold(next);
      this.#assign(next);
    }
    this.#fill();
  }

  #noteAnswer(request: NaiveRequest): void {
    const one = this.#classOf(request);
    const { requests, responseUs, waitUs } = one.answered ?? { requests: 0, responseUs: 0, waitUs: 0 };
    one.answered = {
      requests: requests + 1,
      responseUs: responseUs + this.#nowUs - request.ordinaryUs,
      waitUs: waitUs + request.assignedUs - request.ordinaryUs,
    };
  }

  #assign(request: NaiveRequest): void {
    request.assignedUs = this.#nowUs;
    const candidates = this.#candidates(request);
    const deferredUs = (request.isDeferrable ? this.#nowUs : request.ordinaryUs) - request.arrivedUs;
    const event = this.#expect({
      type: 'assigned',
      id: request.request.id,
      waitedUs: this.#nowUs - request.arrivedUs,
      deferredUs: request.mayDefer ? deferredUs : undefined,
    });
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
    if (request.isDeferrable) {
      request.class = chosen.class;
      this.#deferrals.begun++;
      return;
    }
    this.#noteWait(request);
    this.#lastActiveUs = this.#nowUs;
    this.#classOf(request, chosen.class).inFlight++;
    this.#notePeaks();
  }

  #release(request: NaiveRequest): void {
    if (!request.isDeferrable) this.#classOf(request).inFlight--;
    request.state = 'over';
    const endpoint = this.#endpoints.find(({ replica }) => replica === request.replica);
    if (endpoint) this.#tellIfDrained(endpoint);
    this.#endpoints = this.#endpoints.filter((one) => one.isListed || this.#load(one.replica) > 0);
  }

  #tellIfDrained(endpoint: NaiveEndpoint): void {
    if (!endpoint.draining || endpoint.isDrained || this.#load(endpoint.replica) > 0) return;
    const { replica, drain } = endpoint;
    this.#expect({ type: 'drained', replica, ...(drain === undefined ? {} : { drain }) });
    endpoint.isDrained = true;
  }

  #list(listed: DispatchEndpoint[]): void {
    for (const request of this.#requests.values()) request.excluded = [];
    for (const endpoint of this.#endpoints) endpoint.isListed = false;
    for (const one of listed) {
      const known = this.#endpoints.find(({ replica }) => replica === one.replica);
      const isDrained = one.draining && known?.drain === one.drain && (known?.isDrained ?? false);
      if (known) delete known.drain;
      if (known) Object.assign(known, one, { isListed: true, isDrained });
      else this.#endpoints.push({ ...one, isListed: true, isDrained });
    }
    this.#endpoints = this.#endpoints.filter((one) => one.isListed || this.#load(one.replica) > 0);
    for (const endpoint of this.#endpoints) if (endpoint.isListed) this.#tellIfDrained(endpoint);
    this.#forgetClasses();
  }

  /** Endpoints with a free slot of the first class that accepts it and has one. */
  #candidates({ request, excluded, isDeferrable }: NaiveRequest): NaiveEndpoint[] {
    for (const name of this.#accepting(request)) {
      if (isDeferrable && !this.#hasSlack(name)) continue;
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
    return this.#on(replica).length;
  }

  #active(): number {
    const open = [...this.#requests.values()].filter(({ state }) => state === 'held' || state === 'inFlight');
    return open.filter((one) => !one.isDeferrable).length;
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
