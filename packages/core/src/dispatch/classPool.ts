import { endpointOfSession, hashText } from './affinity.ts';
import { assert } from './assert.ts';
import type { Balancer } from './balancing.ts';
import { ClassTally } from './counts.ts';
import type { DispatchEndpoint } from './types.ts';

/** A replica as the dispatcher sees it: slots, and how many of them are taken. */
export interface Endpoint {
  readonly replica: string;
  readonly hash: number;
  /** Class it belongs to now. */
  pool: ClassPool;
  slots: number;
  draining: boolean;
  /** It is not among the workload's endpoints any more, but has requests in flight still. */
  isGone: boolean;
  /** Number of its drain; null: it has none. */
  drain: number | null;
  /** The end of this drain was told already. */
  isDrained: boolean;
  inFlight: number;
  /** How many of those are deferrable. */
  deferred: number;
  /** Free slots it is counted with in its pool's slack. */
  free: number;
  /** It has a free slot that may be given away: it stands in its pool's balancer. */
  isAvailable: boolean;
  /** Rises with each request it is given, over all endpoints of its pool: lowest waited longest. */
  lastTurn: number;
  /** Place within the balancer. */
  index: number;
  previous: Endpoint | null;
  next: Endpoint | null;
}

/** What an endpoint without a limit counts as: more than is ever in flight, and sums of it stay exact. */
const unlimitedSlots = 1e9;

/** The endpoints of one class of a workload. */
export class ClassPool {
  readonly name: string;
  readonly tally = new ClassTally();
  readonly members = new Set<Endpoint>();
  #balancer: Balancer;
  #turns = 0;
  /** Members that are not draining. */
  #serving = 0;
  /** Their slots, and how many of them are free. */
  #slots = 0;
  #free = 0;

  constructor(name: string, balancer: Balancer) {
    this.name = name;
    this.#balancer = balancer;
  }

  /** Endpoints keep their loads and change the rule by which they are picked. */
  setBalancer(balancer: Balancer): void {
    this.#balancer = balancer;
    for (const endpoint of this.members) if (endpoint.isAvailable) balancer.add(endpoint);
  }

  join(endpoint: Endpoint): void {
    this.members.add(endpoint);
    endpoint.pool = this;
    endpoint.lastTurn = ++this.#turns;
    if (!endpoint.draining) {
      this.#serving++;
      this.#slots += endpoint.slots;
    }
    this.#refresh(endpoint);
  }

  leave(endpoint: Endpoint): void {
    if (endpoint.isAvailable) this.#balancer.remove(endpoint);
    endpoint.isAvailable = false;
    this.#recount(endpoint);
    if (!endpoint.draining) {
      this.#serving--;
      this.#slots -= endpoint.slots;
    }
    this.members.delete(endpoint);
  }

  /** What is in flight stays, also when it is more than the new slots. */
  update(endpoint: Endpoint, slots: number, draining: boolean): void {
    if (draining !== endpoint.draining) this.#serving += draining ? -1 : 1;
    this.#slots += (draining ? 0 : slots) - (endpoint.draining ? 0 : endpoint.slots);
    endpoint.slots = slots;
    endpoint.draining = draining;
    this.#refresh(endpoint);
  }

  /** Whether an endpoint outside `excluded` has a free slot. */
  hasFreeSlot(excluded: readonly Endpoint[]): boolean {
    let free = this.#balancer.size;
    for (const endpoint of excluded) if (endpoint.pool === this && endpoint.isAvailable) free--;
    return free > 0;
  }

  /** Whether a slot is free beyond the share of all slots that is kept free, rounded to whole slots. O(1). */
  hasSlack(reserve: number): boolean {
    return this.#free > Math.round(reserve * this.#slots);
  }

  /** Whether an endpoint outside `excluded` is there that is not draining, with a free slot or without. */
  isServing(excluded: readonly Endpoint[]): boolean {
    let serving = this.#serving;
    for (const endpoint of excluded) if (this.members.has(endpoint) && !endpoint.draining) serving--;
    return serving > 0;
  }

  /** The endpoint that gets the next request (of this session); null: none has a free slot. */
  pick(excluded: readonly Endpoint[], sessionHash: number | null): Endpoint | null {
    if (!this.hasFreeSlot(excluded)) return null;
    if (sessionHash !== null) return endpointOfSession(sessionHash, this.members, excluded);
    return this.#balancer.pick(excluded);
  }

  take(endpoint: Endpoint): void {
    assert(endpoint.isAvailable, `${endpoint.replica} was given a request without having a free slot`);
    endpoint.inFlight++;
    endpoint.lastTurn = ++this.#turns;
    this.#refresh(endpoint);
    if (endpoint.isAvailable) this.#balancer.taken(endpoint);
  }

  release(endpoint: Endpoint): void {
    assert(endpoint.inFlight > 0, `${endpoint.replica} gave back a slot that was not taken`);
    endpoint.inFlight--;
    if (endpoint.isAvailable) {
      this.#balancer.released(endpoint);
      this.#recount(endpoint);
    } else this.#refresh(endpoint);
  }

  #refresh(endpoint: Endpoint): void {
    const isFree = endpoint.slots === 0 || endpoint.inFlight < endpoint.slots;
    const isAvailable = isFree && !endpoint.draining && this.members.has(endpoint);
    if (isAvailable !== endpoint.isAvailable) {
      endpoint.isAvailable = isAvailable;
      if (isAvailable) this.#balancer.add(endpoint);
      else this.#balancer.remove(endpoint);
    }
    this.#recount(endpoint);
  }

  /** Brings the count of free slots to what the endpoint has now. */
  #recount(endpoint: Endpoint): void {
    const slots = endpoint.slots === 0 ? unlimitedSlots : endpoint.slots;
    const free = endpoint.isAvailable ? slots - endpoint.inFlight : 0;
    this.#free += free - endpoint.free;
    endpoint.free = free;
  }
}

/** An endpoint that nothing was given to yet; it joins its pool by `pool.join`. */
export function newEndpoint({ replica, slots, draining }: DispatchEndpoint, pool: ClassPool): Endpoint {
  return {
    replica,
    hash: hashText(replica),
    pool,
    slots,
    draining,
    isGone: false,
    drain: null,
    isDrained: false,
    inFlight: 0,
    deferred: 0,
    free: 0,
    isAvailable: false,
    lastTurn: 0,
    index: -1,
    previous: null,
    next: null,
  };
}
