import type { ServingSpec } from '@ebb/documents';
import { assert } from './assert.ts';
import { createBalancer } from './balancing.ts';
import { ClassPool, type Endpoint, newEndpoint } from './classPool.ts';
import type { Prng } from './prng.ts';
import type { DispatchClass, DispatchCounts, DispatchEndpoint, DispatchEvent } from './types.ts';

/** The endpoints of one workload, by replica and by class, through listing, draining and going. */
export class EndpointSet {
  readonly #random: Prng;
  #balancing: ServingSpec['balancing'];
  readonly #pools = new Map<string, ClassPool>();
  /** Also those that are gone and have requests in flight still. */
  readonly #endpoints = new Map<string, Endpoint>();
  /** Rises with each list. */
  version = 0;

  constructor(balancing: ServingSpec['balancing'], random: Prng) {
    this.#balancing = balancing;
    this.#random = random;
  }

  pools(): IterableIterator<ClassPool> {
    return this.#pools.values();
  }

  /** Where the endpoints of a class are; made when it is first asked for. */
  pool(name: string): ClassPool {
    let pool = this.#pools.get(name);
    if (!pool) {
      pool = new ClassPool(name, createBalancer(this.#balancing, this.#random));
      this.#pools.set(name, pool);
    }
    return pool;
  }

  setBalancing(balancing: ServingSpec['balancing']): void {
    if (balancing === this.#balancing) return;
    this.#balancing = balancing;
    for (const pool of this.#pools.values()) pool.setBalancer(createBalancer(balancing, this.#random));
  }

  /** Takes a full list: what is not in it is gone. Tells which of the listed ones are drained now. */
  list(listed: readonly DispatchEndpoint[], events: DispatchEvent[]): void {
    for (const { replica, slots } of listed) {
      assert(Number.isSafeInteger(slots) && slots >= 0, `${replica} has ${slots} slots; 0, 1, 2, … are allowed`);
    }
    this.version++;
    const replicas = new Set<string>();
    for (const one of listed) {
      replicas.add(one.replica);
      this.#put(one);
    }
    for (const endpoint of this.#endpoints.values()) {
      if (replicas.has(endpoint.replica)) this.#tellIfDrained(endpoint, events);
      else this.#drop(endpoint);
    }
  }

  /** A request on the endpoint is over. */
  release(endpoint: Endpoint, events: DispatchEvent[]): void {
    endpoint.pool.release(endpoint);
    this.#tellIfDrained(endpoint, events);
    if (endpoint.isGone && endpoint.inFlight === 0) this.#endpoints.delete(endpoint.replica);
  }

  /** A class that is not configured any more is counted as long as it has endpoints or requests in flight. */
  forgetUnused(configured: readonly DispatchClass[]): void {
    const names = new Set(configured.map(({ name }) => name));
    for (const { name, members, tally } of this.#pools.values()) {
      if (!names.has(name) && members.size === 0 && tally.inFlight === 0) this.#pools.delete(name);
    }
  }

  /** Requests in flight by replica, idle ones with 0. */
  loads(): DispatchCounts['replicas'] {
    const loads: DispatchCounts['replicas'] = {};
    for (const { replica, inFlight } of this.#endpoints.values()) loads[replica] = inFlight;
    return loads;
  }

  /** Deferrable requests in flight by replica, those without left out. */
  deferredLoads(): Record<string, number> {
    const loads: Record<string, number> = {};
    for (const { replica, deferred } of this.#endpoints.values()) if (deferred > 0) loads[replica] = deferred;
    return loads;
  }

  #put(listed: DispatchEndpoint): void {
    const pool = this.pool(listed.class);
    const endpoint = this.#endpoints.get(listed.replica) ?? null;
    const drain = listed.drain ?? null;
    if (endpoint && endpoint.drain !== drain) Object.assign(endpoint, { drain, isDrained: false });
    if (endpoint?.pool === pool && !endpoint.isGone) {
      pool.update(endpoint, listed.slots, listed.draining);
    } else if (endpoint) {
      if (!endpoint.isGone) endpoint.pool.leave(endpoint);
      endpoint.isGone = false;
      endpoint.slots = listed.slots;
      endpoint.draining = listed.draining;
      pool.join(endpoint);
    } else {
      const added = newEndpoint(listed, pool);
      added.drain = drain;
      this.#endpoints.set(listed.replica, added);
      pool.join(added);
    }
  }

  #drop(endpoint: Endpoint): void {
    if (!endpoint.isGone) endpoint.pool.leave(endpoint);
    endpoint.isGone = true;
    if (endpoint.inFlight === 0) this.#endpoints.delete(endpoint.replica);
  }

  /** Once for each drain: one that served again in between, or is drained under another number, is told again. */
  #tellIfDrained(endpoint: Endpoint, events: DispatchEvent[]): void {
    if (!endpoint.draining) endpoint.isDrained = false;
    if (!endpoint.draining || endpoint.isDrained || endpoint.inFlight > 0) return;
    endpoint.isDrained = true;
    const { replica, drain } = endpoint;
    events.push({ type: 'drained', replica, ...(drain === null ? {} : { drain }) });
  }
}
