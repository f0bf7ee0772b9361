import { hashText } from './affinity.ts';
import { assert } from './assert.ts';
import { ClassTable } from './classes.ts';
import { emptyTotals } from './counts.ts';
import type { Deadlines } from './deadlines.ts';
import { EndpointSet } from './endpoints.ts';
import type { Endpoint } from './classPool.ts';
import type { Prng } from './prng.ts';
import { HoldQueue, type Lane } from './queue.ts';
import { refusals } from './refusals.ts';
import type { Ticket } from './ticket.ts';
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
 * that finds a free slot passes nobody.
 */
export class WorkloadDispatch {
  readonly #shared: Shared;
  readonly #queue = new HoldQueue();
  readonly #endpoints: EndpointSet;
  readonly #totals = emptyTotals();
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

  /** Nothing is held or in flight. */
  get isIdle(): boolean {
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
    }
    this.#endpoints.forgetUnused(config.classes);
    this.#serve(nowUs, events);
    if (config.unavailable) this.#refuseHeld(nowUs, refusals.unavailable(config.unavailable), events);
  }

  remove(nowUs: number, events: DispatchEvent[]): void {
    this.isRemoved = true;
    this.#refuseHeld(nowUs, refusals.workloadRemoved(this.#config.key), events);
    this.setEndpoints(nowUs, [], events);
  }

  setEndpoints(nowUs: number, listed: readonly DispatchEndpoint[], events: DispatchEvent[]): void {
    this.#endpoints.list(listed, events);
    this.#endpoints.forgetUnused(this.#config.classes);
    this.#queue.forgetExclusions();
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
    const ticket: Ticket = {
      request,
      arrivedUs: nowUs,
      deadlineUs: Math.min(nowUs + timeouts.holdMs * 1000, request.deadlineUs ?? Infinity),
      holdMs: timeouts.holdMs,
      sessionHash: request.affinityKey === null ? null : hashText(request.affinityKey),
      acceptance,
      pool,
      endpoint: null,
      excluded: [],
      excludedIn: 0,
      everHeld: false,
      assignedUs: nowUs,
      rank: 0,
      lane: null,
      previous: null,
      next: null,
      index: -1,
    };
    pool.tally.arrivals++;
    this.#shared.tickets.set(request.id, ticket);
    if (!this.#offer(nowUs, ticket, events)) this.#hold(nowUs, ticket, events);
  }

  complete(nowUs: number, ticket: Ticket, outcome: CompletionOutcome, events: DispatchEvent[]): void {
    const { arrivedUs, assignedUs, endpoint } = ticket;
    if (endpoint) this.#release(nowUs, ticket, events);
    else this.#unhold(nowUs, ticket);
    this.#shared.tickets.delete(ticket.request.id);
    this.#totals[outcome]++;
    if (endpoint && outcome === 'succeeded') ticket.pool.tally.addAnswered(nowUs - arrivedUs, assignedUs - arrivedUs);
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
    else if (this.#classify(ticket, events) && !this.#offer(nowUs, ticket, events)) {
      this.#holdAgain(nowUs, ticket, events);
    }
    this.#serve(nowUs, events);
  }

  /** The ticket's time to wait is over. */
  expire(nowUs: number, ticket: Ticket, events: DispatchEvent[]): void {
    this.#unhold(nowUs, ticket);
    const { request, arrivedUs, holdMs } = ticket;
    const isClientsOwn = request.deadlineUs !== null && request.deadlineUs < arrivedUs + holdMs * 1000;
    const { key } = this.#config;
    const refusal = isClientsOwn ? refusals.deadlinePassed(key) : refusals.holdTimeout(key, holdMs);
    this.#refuseTicket(ticket, refusal, events);
  }

  counts(nowUs: number): DispatchCounts {
    const classes: DispatchCounts['classes'] = {};
    for (const pool of this.#endpoints.pools()) classes[pool.name] = pool.tally.read(nowUs);
    return {
      workload: this.#config.key,
      classes,
      requests: { ...this.#totals },
      oldestHeldUs: this.#queue.oldestArrivalUs(),
      replicas: this.#endpoints.loads(),
      lastActiveUs: this.isIdle ? this.#lastActiveUs : nowUs,
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
    const { size, bytes } = this.#queue;
    if (bufferedBytes > maxBodyBytes) {
      this.#refuseTicket(ticket, refusals.bodyTooLarge(key, bufferedBytes, maxBodyBytes), events);
    } else if (size >= maxRequests) {
      this.#refuseTicket(ticket, refusals.queueFull(key, maxRequests), events);
    } else if (bytes + bufferedBytes > maxTotalBytes) {
      this.#refuseTicket(ticket, refusals.bufferFull(key, bufferedBytes, bytes, maxTotalBytes), events);
    } else {
      this.#queue.pushBack(ticket);
      this.#held(nowUs, ticket, this.#queue.size, events);
    }
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
    this.#queue.remove(ticket);
    this.#shared.deadlines.remove(ticket);
    ticket.pool.tally.addHeld(nowUs, -1);
    if (this.isIdle) this.#lastActiveUs = nowUs;
  }

  /** Gives free slots to held requests, oldest first, until no slot or nobody who can use one is left. */
  #serve(nowUs: number, events: DispatchEvent[]): void {
    while (this.#queue.size > 0) {
      const ticket = this.#nextLane()?.tickets.head;
      if (!ticket) return;
      const endpoint = this.#pick(ticket);
      assert(endpoint !== null, 'a free slot was counted that no endpoint has');
      this.#unhold(nowUs, ticket);
      this.#assign(nowUs, ticket, endpoint, events);
    }
  }

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
    pool.tally.addInFlight(nowUs, 1);
    this.#inFlight++;
    ticket.pool = pool;
    ticket.endpoint = endpoint;
    ticket.assignedUs = nowUs;
    const waitedUs = nowUs - ticket.arrivedUs;
    events.push({ type: 'assigned', id: ticket.request.id, replica, class: pool.name, waitedUs });
  }

  #release(nowUs: number, ticket: Ticket, events: DispatchEvent[]): void {
    const { endpoint } = ticket;
    assert(endpoint !== null, `request ${ticket.request.id} has no slot to give back`);
    this.#endpoints.release(endpoint, events);
    ticket.pool.tally.addInFlight(nowUs, -1);
    ticket.endpoint = null;
    this.#inFlight--;
    if (this.isIdle) this.#lastActiveUs = nowUs;
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
        if (this.isIdle) this.#lastActiveUs = nowUs;
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
