import type { Balancer } from './balancing.ts';
import type { Endpoint } from './classPool.ts';
import { LinkedList } from './linkedList.ts';

/** Each endpoint in turn; one that was full goes to the end of the row when it has a free slot again. O(1). */
export class RoundRobin implements Balancer {
  readonly #row = new LinkedList<Endpoint>();

  get size(): number {
    return this.#row.size;
  }

  add(endpoint: Endpoint): void {
    this.#row.pushBack(endpoint);
  }

  remove(endpoint: Endpoint): void {
    this.#row.remove(endpoint);
  }

  taken(endpoint: Endpoint): void {
    this.#row.remove(endpoint);
    this.#row.pushBack(endpoint);
  }

  released(): void {
    // Its turn comes by the row, not by its load.
  }

  pick(excluded: readonly Endpoint[]): Endpoint | null {
    let endpoint = this.#row.head;
    while (endpoint && excluded.includes(endpoint)) endpoint = endpoint.next;
    return endpoint;
  }
}
