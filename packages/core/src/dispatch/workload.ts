import { hashText } from './affinity.ts';
import { assert } from './assert.ts';
import { ClassTable } from './classes.ts';
import { defaultOnTimeUs, emptyTotals } from './counts.ts';
import { deferralMs, Deferrals, turnLeadUs } from './deferrals.ts';
import type { Deadlines } from './deadlines.ts';
import { EndpointSet } from './endpoints.ts';
import type { Endpoint } from './classPool.ts';
import type { Prng } from './prng.ts';
import { HoldQueue, type Lane } from './queue.ts';
import { refusals } from './refusals.ts';
import { type Deferral, isDeferrable, ordinarySinceUs, type Ticket } from './ticket.ts';
import type {
  CompletionOutcome,
  DispatchCounts,
  DispatchEndpoint,
  DispatchEvent,
  DispatchRequest,
  DispatchWorkload,
  Refusal,
} from './types.ts';

/** What the workloads of one dispatcher share. */
export interface Shared {
  readonly random: Prng;
  readonly deadlines: Deadlines;
  /** Everything that is held or in flight, by id. */
  readonly tickets: Map<number, Ticket>;
}

/**
 * One workload: its endpoints, its queue and its counts. Between two calls no request is held that an endpoint with a
 * free slot could take. So a slot that becomes free goes to the oldest request that can use it, and a new request
 * that finds a free slot passes nobody. The same holds of the deferrable requests and slack, while nothing is held.
 */
export class WorkloadDispatch {
  readonly #shared: Shared;
  readonly #queue = new HoldQueue();
  readonly #endpoints: EndpointSet;
  readonly #totals = emptyTotals();
  readonly #deferrals = new Deferrals();
  #inFlight = 0;
  #lastActiveUs: number | null = null;
  #config: DispatchWorkload;
  #classes: ClassTable;
  /** It takes no requests any more and is kept for those in flight. */
  isRemoved = false;

  constructor(config: DispatchWorkload, shared: Shared) {
    this.#shared = shared;
    this.#config = config;
    this.#endpoints = new EndpointSet(config.serving.balancing, shared.random);
    this.#classes = this.#newClassTable();
  }

  /** Nothing is held or in flight, and nothing waits for slack. */
  get isIdle(): boolean {
    return this.#isQuiet && this.#deferrals.inFlight + this.#deferrals.queue.size === 0;
  }

  /** No ordinary request is held or in flight. */
  get #isQuiet(): boolean {
    return this.#inFlight + this.#queue.size === 0;
  }

  configure(nowUs: number, config: DispatchWorkload, events: DispatchEvent[]): void {
    const before = this.#config;
    this.#config = config;
    this.isRemoved = false;
    this.#endpoints.setBalancing(config.serving.balancing);
    if (JSON.stringify(config.classes) !== JSON.stringify(before.classes)) {
      this.#classes = this.#newClassTable();
      this.#reclassifyHeld(nowUs, events);
      this.#reclassifyDeferred(events);
    }
    this.#rescheduleDeferred(nowUs, before);
    this.#endpoints.forgetUnused(config.classes);
    this.#serve(nowUs, events);
    if (config.unavailable) this.#refuseHeld(nowUs, refusals.unavailable(config.unavailable), events);
  }

  remove(nowUs: number, events: DispatchEvent[]): void {
    this.isRemoved = true;
    const refusal = refusals.workloadRemoved(this.#config.key);
    this.#refuseHeld(nowUs, refusal, events);
    for (const ticket of this.#deferrals.queue.inOrder()) {
      this.#unhold(nowUs, ticket);
      this.#refuseTicket(ticket, refusal, events);
    }
    this.setEndpoints(nowUs, [], events);
  }

  setEndpoints(nowUs: number, listed: readonly DispatchEndpoint[], events: DispatchEvent[]): void {
    this.#endpoints.list(listed, events);
    this.#endpoints.forgetUnused(this.#config.classes);
    this.#queue.forgetExclusions();
    this.#deferrals.queue.forgetExclusions();
    this.#serve(nowUs, events);
  }

  arrive(nowUs: number, request: DispatchRequest, events: DispatchEvent[]): void {
    this.#totals.total++;
    const acceptance = this.#classes.accepting(request);
    if (!acceptance) {
      const refusal = refusals.noClassAccepts(this.#config.key, this.#classes.rejection(request));
      this.#refuse(request.id, refusal, events);
      return;
    }
    const { timeouts } = this.#config.serving;
    const pool = acceptance.pools[0];
    const ownUs = request.deadlineUs ?? Infinity;
    const deferral = this.#deferralOf(nowUs, request, ownUs);
    const ticket: Ticket = {
      request,
      arrivedUs: nowUs,
      deadlineUs: deferral ? deferral.deadlineUs : Math.min(nowUs + timeouts.holdMs * 1000, ownUs),
      holdMs: timeouts.holdMs,
      deferral,
      sessionHash: request.affinityKey === null ? null : hashText(request.affinityKey),
      acceptance,
      pool,
      endpoint: null,
      excluded: [],
      excludedIn: 0,
      everHeld: false,
      isLate: false,
      assignedUs: nowUs,
      rank: 0,
      lane: null,
      previous: null,
      next: null,
      index: -1,
    };
    this.#shared.tickets.set(request.id, ticket);
    if (deferral !== null && deferral.turnedUs === null) {
      this.#deferrals.arrivals++;
      if (!this.#offerSlack(nowUs, ticket, events)) this.#defer(ticket, events);
      return;
    }
    pool.tally.arrivals++;
    if (!this.#offer(nowUs, ticket, events)) this.#hold(nowUs, ticket, events);
  }

  complete(nowUs: number, ticket: Ticket, outcome: CompletionOutcome, events: DispatchEvent[]): void {
    const { assignedUs, endpoint } = ticket;
    if (endpoint) this.#release(nowUs, ticket, events);
    else this.#unhold(nowUs, ticket);
    this.#shared.tickets.delete(ticket.request.id);
    this.#totals[outcome]++;
    if (endpoint && outcome === 'succeeded' && !isDeferrable(ticket)) {
      const ordinaryUs = ordinarySinceUs(ticket);
      ticket.pool.tally.addAnswered(nowUs - ordinaryUs, assignedUs - ordinaryUs);
    }
    this.#serve(nowUs, events);
  }

  retry(nowUs: number, ticket: Ticket, events: DispatchEvent[]): void {
    const { endpoint } = ticket;
    if (!endpoint) return;
    this.#release(nowUs, ticket, events);
    const excluded = ticket.excludedIn === this.#endpoints.version ? ticket.excluded : [];
    ticket.excluded = [...excluded, endpoint];
    ticket.excludedIn = this.#endpoints.version;
    if (this.isRemoved) this.#refuseTicket(ticket, refusals.workloadRemoved(this.#config.key), events);
    else if (this.#classify(ticket, events)) this.#placeAgain(nowUs, ticket, events);
    this.#serve(nowUs, events);
  }

  /** The time that the ticket may wait as it does is over: a deferrable one is turned, any other is refused. */
  due(nowUs: number, ticket: Ticket, events: DispatchEvent[]): void {
    this.#unhold(nowUs, ticket);
    const { deferral } = ticket;
    if (deferral && deferral.turnedUs === null && deferral.deadlineUs > nowUs) {
      this.#turn(nowUs, ticket, deferral, events);
    } else {
      if (!isDeferrable(ticket)) this.#noteLate(ticket);
      this.#refuseTicket(ticket, this.#expired(ticket), events);
    }
    // What was held may have been all that deferrable requests had to let pass.
    this.#fill(nowUs, events);
  }

  #expired({ request, arrivedUs, holdMs, deferral }: Ticket): Refusal {
    const longestUs = (deferral?.ms ?? holdMs) * 1000;
    const { key } = this.#config;
    if (request.deadlineUs !== null && request.deadlineUs < arrivedUs + longestUs) return refusals.deadlinePassed(key);
    return deferral ? refusals.deferralPassed(key, Math.round(deferral.ms)) : refusals.holdTimeout(key, holdMs);
  }

  counts(nowUs: number): DispatchCounts {
    const classes: DispatchCounts['classes'] = {};
    const oldest = this.#queue.oldestByPool();
    for (const pool of this.#endpoints.pools()) classes[pool.name] = pool.tally.read(nowUs, oldest.get(pool));
    return {
      workload: this.#config.key,
      classes,
      requests: { ...this.#totals },
      oldestHeldUs: this.#queue.oldestUs(),
      replicas: this.#endpoints.loads(),
      lastActiveUs: this.#isQuiet ? this.#lastActiveUs : nowUs,
      ...this.#deferrals.counts(this.#endpoints.deferredLoads()),
    };
  }

  takePeaks(): void {
    for (const pool of this.#endpoints.pools()) pool.tally.resetPeak();
  }

  /** Gives the ticket to an endpoint or turns it away; false: neither, it has to wait. */
  #offer(nowUs: number, ticket: Ticket, events: DispatchEvent[]): boolean {
    const { deadlineUs } = ticket.request;
    const { key, unavailable } = this.#config;
    if (deadlineUs !== null && deadlineUs <= nowUs) {
      this.#refuseTicket(ticket, refusals.deadlinePassed(key), events);
      return true;
    }
    const endpoint = this.#pick(ticket);
    if (endpoint) this.#assign(nowUs, ticket, endpoint, events);
    else if (unavailable) this.#refuseTicket(ticket, refusals.unavailable(unavailable), events);
    return endpoint !== null || unavailable !== null;
  }

  /** Puts a new request at the end of the queue, or turns it away where that is full. */
  #hold(nowUs: number, ticket: Ticket, events: DispatchEvent[]): void {
    const { key, serving } = this.#config;
    const { maxRequests, maxBodyBytes, maxTotalBytes } = serving.buffer;
    const { bufferedBytes } = ticket.request;
    const { size, turned } = this.#queue;
    const bytes = this.#queue.bytes + this.#deferrals.queue.bytes;
    if (bufferedBytes > maxBodyBytes) {
      this.#refuseTicket(ticket, refusals.bodyTooLarge(key, bufferedBytes, maxBodyBytes), events);
    } else if (size - turned >= maxRequests) {
      this.#refuseTicket(ticket, refusals.queueFull(key, maxRequests), events);
    } else if (bytes + bufferedBytes > maxTotalBytes) {
      this.#refuseTicket(ticket, refusals.bufferFull(key, bufferedBytes, bytes, maxTotalBytes), events);
    } else {
      this.#holdLast(nowUs, ticket, events);
    }
  }

  #holdLast(nowUs: number, ticket: Ticket, events: DispatchEvent[]): void {
    this.#queue.pushBack(ticket);
    this.#held(nowUs, ticket, this.#queue.size, events);
  }

  /** Not bounded again: what is retried was let in already, and its body is in memory as long as it can be retried. */
  #holdAgain(nowUs: number, ticket: Ticket, events: DispatchEvent[]): void {
    this.#queue.pushFront(ticket);
    this.#held(nowUs, ticket, 1, events);
  }

  #held(nowUs: number, ticket: Ticket, position: number, events: DispatchEvent[]): void {
    this.#shared.deadlines.add(ticket);
    ticket.pool.tally.addHeld(nowUs, 1);
    if (!ticket.everHeld) this.#totals.held++;
    ticket.everHeld = true;
    const isServing = ticket.acceptance.pools.some((pool) => pool.isServing(ticket.excluded));
    events.push({ type: 'held', id: ticket.request.id, position, reason: isServing ? 'no-free-slot' : 'no-replica' });
  }

  #unhold(nowUs: number, ticket: Ticket): void {
    this.#shared.deadlines.remove(ticket);
    if (isDeferrable(ticket)) {
      this.#deferrals.queue.remove(ticket);
      return;
    }
    this.#queue.remove(ticket);
    ticket.pool.tally.addHeld(nowUs, -1);
    this.#noteWait(nowUs, ticket);
    if (this.#isQuiet) this.#lastActiveUs = nowUs;
  }

  /** The wait of an ordinary request is over. How long it was. */
  #noteWait(nowUs: number, ticket: Ticket): number {
    const waitUs = nowUs - ordinarySinceUs(ticket);
    if (waitUs > (this.#config.onTimeUs ?? defaultOnTimeUs)) this.#noteLate(ticket);
    return waitUs;
  }

  /** Once for each request, in the class that its arrival is counted in. */
  #noteLate(ticket: Ticket): void {
    if (!ticket.isLate) ticket.acceptance.pools[0].tally.late++;
    ticket.isLate = true;
  }

  /** Gives free slots to held requests, oldest first, until no slot or nobody who can use one is left; then slack. */
  #serve(nowUs: number, events: DispatchEvent[]): void {
    while (this.#queue.size > 0) {
      const ticket = this.#nextLane()?.tickets.head;
      if (!ticket) return;
      const endpoint = this.#pick(ticket);
      assert(endpoint !== null, 'a free slot was counted that no endpoint has');
      this.#unhold(nowUs, ticket);
      this.#assign(nowUs, ticket, endpoint, events);
    }
    this.#fill(nowUs, events);
  }

  // ---- Deferrable requests

  /** Gives slack to deferrable requests, oldest first. Nothing while an ordinary one is held. */
  #fill(nowUs: number, events: DispatchEvent[]): void {
    const { queue } = this.#deferrals;
    while (queue.size > 0 && this.#queue.size === 0) {
      const ticket = this.#deferrals.next(this.#reserve);
      const endpoint = ticket && this.#pickSlack(ticket);
      if (!ticket || !endpoint) return;
      this.#unhold(nowUs, ticket);
      this.#assign(nowUs, ticket, endpoint, events);
    }
  }

  /** All slots once it is turned off: nothing that still waits is to be served as a deferrable one. */
  get #reserve(): number {
    return this.#config.serving.deferrable?.reserve ?? Infinity;
  }

  #pickSlack(ticket: Ticket): Endpoint | null {
    return this.#deferrals.pick(ticket, this.#reserve, this.#config.serving.affinity !== null);
  }

  /** Null for a request that may not wait; already turned where its deadline is near. */
  #deferralOf(nowUs: number, { deferUntilUs }: DispatchRequest, ownDeadlineUs: number): Deferral | null {
    if (deferUntilUs === null || deferUntilUs === undefined) return null;
    const ms = deferralMs(this.#config, deferUntilUs, nowUs);
    if (ms === null) return null;
    const deadlineUs = Math.min(nowUs + Math.round(ms * 1000), ownDeadlineUs);
    return { ms, deadlineUs, turnedUs: this.#turnUs(deadlineUs) > nowUs ? null : nowUs };
  }

  /** When a request with this deadline has to be turned into an ordinary one. */
  #turnUs(deadlineUs: number): number {
    return this.#config.serving.deferrable ? deadlineUs - turnLeadUs(this.#config) : -Infinity;
  }

  /** Gives the ticket to an endpoint with slack, or turns it away; false: neither, it has to wait. */
  #offerSlack(nowUs: number, ticket: Ticket, events: DispatchEvent[]): boolean {
    const endpoint = this.#queue.size === 0 ? this.#pickSlack(ticket) : null;
    if (endpoint) this.#assign(nowUs, ticket, endpoint, events);
    return endpoint !== null;
  }

  /**
   * Puts a new deferrable request at the end of its queue, or turns it away where that is full, with those that were
   * turned and wait still. Bodies take at most half of the buffer: ordinary requests have the other half for themselves.
   */
  #defer(ticket: Ticket, events: DispatchEvent[]): void {
    const { key, serving } = this.#config;
    const { maxBodyBytes, maxTotalBytes } = serving.buffer;
    const maxRequests = serving.deferrable?.maxRequests ?? 0;
    const { bufferedBytes } = ticket.request;
    const { queue } = this.#deferrals;
    const mostBytes = Math.min(maxTotalBytes / 2, maxTotalBytes - this.#queue.bytes);
    if (bufferedBytes > maxBodyBytes) {
      this.#refuseTicket(ticket, refusals.bodyTooLarge(key, bufferedBytes, maxBodyBytes), events);
    } else if (queue.size + this.#queue.turned >= maxRequests) {
      this.#refuseTicket(ticket, refusals.deferredFull(key, maxRequests), events);
    } else if (queue.bytes + bufferedBytes > mostBytes) {
      const heldBytes = queue.bytes + this.#queue.bytes;
      this.#refuseTicket(ticket, refusals.bufferFull(key, bufferedBytes, heldBytes, maxTotalBytes), events);
    } else {
      queue.pushBack(ticket);
      this.#deferred(ticket, queue.size, events);
    }
  }

  #deferred(ticket: Ticket, position: number, events: DispatchEvent[]): void {
    ticket.deadlineUs = this.#turnUs(ticket.deferral?.deadlineUs ?? 0);
    this.#shared.deadlines.add(ticket);
    events.push({ type: 'deferred', id: ticket.request.id, position });
  }

  /** From now on it is an ordinary request that has just arrived: held without bounds, since it was let in already. */
  #turn(nowUs: number, ticket: Ticket, deferral: Deferral, events: DispatchEvent[]): void {
    this.#deferrals.turned++;
    deferral.turnedUs = nowUs;
    ticket.deadlineUs = deferral.deadlineUs;
    ticket.excluded = [];
    ticket.pool = ticket.acceptance.pools[0];
    ticket.pool.tally.arrivals++;
    if (!this.#offer(nowUs, ticket, events)) this.#holdLast(nowUs, ticket, events);
  }

  /** A retried ticket without an endpoint gets another one, or waits before all others of its kind. */
  #placeAgain(nowUs: number, ticket: Ticket, events: DispatchEvent[]): void {
    const { deferral } = ticket;
    if (deferral === null || deferral.turnedUs !== null) {
      if (!this.#offer(nowUs, ticket, events)) this.#holdAgain(nowUs, ticket, events);
    } else if (deferral.deadlineUs <= nowUs) {
      this.#refuseTicket(ticket, this.#expired(ticket), events);
    } else if (this.#turnUs(deferral.deadlineUs) <= nowUs) {
      this.#turn(nowUs, ticket, deferral, events);
    } else if (!this.#offerSlack(nowUs, ticket, events)) {
      this.#deferrals.queue.pushFront(ticket);
      this.#deferred(ticket, 1, events);
    }
  }

  #reclassifyDeferred(events: DispatchEvent[]): void {
    for (const ticket of this.#deferrals.queue.takeAll()) {
      if (this.#classify(ticket, events)) this.#deferrals.queue.restore(ticket);
      else this.#shared.deadlines.remove(ticket);
    }
  }

  /** A cold start that became longer, or a workload that takes no deferrable requests any more, turns them earlier. */
  #rescheduleDeferred(nowUs: number, before: DispatchWorkload): void {
    if (this.#deferrals.queue.size === 0) return;
    if (this.#config.serving.deferrable && turnLeadUs(before) === turnLeadUs(this.#config)) return;
    for (const ticket of this.#deferrals.queue.inOrder()) {
      this.#shared.deadlines.remove(ticket);
      ticket.deadlineUs = Math.max(nowUs, this.#turnUs(ticket.deferral?.deadlineUs ?? 0));
      this.#shared.deadlines.add(ticket);
    }
  }

  // ---- Slots

  /** The lane with the oldest head among those that a free slot can serve. Linear in the lanes, which are few. */
  #nextLane(): Lane | null {
    let next: Lane | null = null;
    let nextRank = Infinity;
    for (const lane of this.#queue.lanes()) {
      const rank = lane.tickets.head?.rank ?? Infinity;
      if (rank > nextRank || !lane.acceptance.pools.some((pool) => pool.hasFreeSlot(lane.excluded))) continue;
      next = lane;
      nextRank = rank;
    }
    return next;
  }

  #pick({ acceptance, excluded, sessionHash }: Ticket): Endpoint | null {
    const session = this.#config.serving.affinity ? sessionHash : null;
    for (const pool of acceptance.pools) {
      const endpoint = pool.pick(excluded, session);
      if (endpoint) return endpoint;
    }
    return null;
  }

  #assign(nowUs: number, ticket: Ticket, endpoint: Endpoint, events: DispatchEvent[]): void {
    const { pool, replica } = endpoint;
    pool.take(endpoint);
    ticket.pool = pool;
    ticket.endpoint = endpoint;
    ticket.assignedUs = nowUs;
    const { request, arrivedUs, deferral } = ticket;
    if (deferral) {
      this.#assignDeferred(nowUs, ticket, deferral, endpoint, events);
      return;
    }
    pool.tally.addInFlight(nowUs, 1);
    pool.tally.inFlightWaitUs += this.#noteWait(nowUs, ticket);
    this.#inFlight++;
    events.push({ type: 'assigned', id: request.id, replica, class: pool.name, waitedUs: nowUs - arrivedUs });
  }

  #assignDeferred(
    nowUs: number,
    ticket: Ticket,
    { turnedUs }: Deferral,
    endpoint: Endpoint,
    events: DispatchEvent[],
  ): void {
    const { pool, replica } = endpoint;
    const { request, arrivedUs } = ticket;
    if (turnedUs === null) {
      endpoint.deferred++;
      this.#deferrals.inFlight++;
      this.#deferrals.begun++;
    } else {
      pool.tally.addInFlight(nowUs, 1);
      pool.tally.inFlightWaitUs += this.#noteWait(nowUs, ticket);
      this.#inFlight++;
    }
    const deferredUs = (turnedUs ?? nowUs) - arrivedUs;
    const waitedUs = nowUs - arrivedUs;
    events.push({ type: 'assigned', id: request.id, replica, class: pool.name, waitedUs, deferredUs });
  }

  #release(nowUs: number, ticket: Ticket, events: DispatchEvent[]): void {
    const { endpoint } = ticket;
    assert(endpoint !== null, `request ${ticket.request.id} has no slot to give back`);
    this.#endpoints.release(endpoint, events);
    ticket.endpoint = null;
    if (isDeferrable(ticket)) {
      endpoint.deferred--;
      this.#deferrals.inFlight--;
      return;
    }
    ticket.pool.tally.addInFlight(nowUs, -1);
    ticket.pool.tally.inFlightWaitUs -= ticket.assignedUs - ordinarySinceUs(ticket);
    this.#inFlight--;
    if (this.#isQuiet) this.#lastActiveUs = nowUs;
  }

  /** Finds the classes of a ticket that is not held, by the present configuration; false: none, it was refused. */
  #classify(ticket: Ticket, events: DispatchEvent[]): boolean {
    const acceptance = this.#classes.accepting(ticket.request);
    if (!acceptance) {
      const refusal = refusals.noClassAccepts(this.#config.key, this.#classes.rejection(ticket.request));
      this.#refuseTicket(ticket, refusal, events);
      return false;
    }
    ticket.acceptance = acceptance;
    ticket.pool = acceptance.pools[0];
    return true;
  }

  #reclassifyHeld(nowUs: number, events: DispatchEvent[]): void {
    for (const ticket of this.#queue.takeAll()) {
      ticket.pool.tally.addHeld(nowUs, -1);
      if (this.#classify(ticket, events)) {
        this.#queue.restore(ticket);
        ticket.pool.tally.addHeld(nowUs, 1);
      } else {
        this.#shared.deadlines.remove(ticket);
        this.#noteWait(nowUs, ticket);
        if (this.#isQuiet) this.#lastActiveUs = nowUs;
      }
    }
  }

  #refuseHeld(nowUs: number, refusal: Refusal, events: DispatchEvent[]): void {
    for (const ticket of this.#queue.inOrder()) {
      this.#unhold(nowUs, ticket);
      this.#refuseTicket(ticket, refusal, events);
    }
  }

  #refuseTicket(ticket: Ticket, refusal: Refusal, events: DispatchEvent[]): void {
    this.#shared.tickets.delete(ticket.request.id);
    this.#refuse(ticket.request.id, refusal, events);
  }

  #refuse(id: number, refusal: Refusal, events: DispatchEvent[]): void {
    this.#totals.refused++;
    events.push({ type: 'refused', id, refusal });
  }

  #newClassTable(): ClassTable {
    return new ClassTable(this.#config.classes, (name) => this.#endpoints.pool(name));
  }
}
