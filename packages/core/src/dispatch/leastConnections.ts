import type { Balancer } from './balancing.ts';
import type { Endpoint } from './classPool.ts';
import { IndexedHeap } from './indexedHeap.ts';

/** The endpoint with the fewest requests in flight; among equals the one that waited longest for its turn. O(log n). */
export class LeastConnections implements Balancer {
  readonly #heap = new IndexedHeap<Endpoint>(
    (left, right) =>
      left.inFlight < right.inFlight || (left.inFlight === right.inFlight && left.lastTurn < right.lastTurn),
  );

  get size(): number {
    return this.#heap.size;
  }

  add(endpoint: Endpoint): void {
    this.#heap.add(endpoint);
  }

  remove(endpoint: Endpoint): void {
    this.#heap.remove(endpoint);
  }

  taken(endpoint: Endpoint): void {
    this.#heap.update(endpoint);
  }

  released(endpoint: Endpoint): void {
    this.#heap.update(endpoint);
  }

  pick(excluded: readonly Endpoint[]): Endpoint | null {
    return this.#heap.firstExcept(excluded);
  }
}
