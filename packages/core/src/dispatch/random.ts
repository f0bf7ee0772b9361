import type { Balancer } from './balancing.ts';
import type { Endpoint } from './classPool.ts';
import type { Prng } from './prng.ts';

/** Any endpoint with the same chance. O(1). */
export class RandomChoice implements Balancer {
  readonly #endpoints: Endpoint[] = [];
  readonly #random: Prng;

  constructor(random: Prng) {
    this.#random = random;
  }

  get size(): number {
    return this.#endpoints.length;
  }

  add(endpoint: Endpoint): void {
    endpoint.index = this.#endpoints.length;
    this.#endpoints.push(endpoint);
  }

  remove(endpoint: Endpoint): void {
    const { index } = endpoint;
    const last = this.#endpoints.pop();
    endpoint.index = -1;
    if (last === undefined || last === endpoint) return;
    this.#endpoints[index] = last;
    last.index = index;
  }

  taken(): void {
    // Load does not matter.
  }

  released(): void {
    // Load does not matter.
  }

  pick(excluded: readonly Endpoint[]): Endpoint | null {
    const barred = excluded.filter((endpoint) => this.#endpoints[endpoint.index] === endpoint);
    const candidates = this.#endpoints.length - barred.length;
    if (candidates === 0) return null;
    // One draw among the places that are left: each barred place at or before the drawn one moves it on by one.
    let index = this.#random.below(candidates);
    for (const place of barred.map((endpoint) => endpoint.index).sort((left, right) => left - right)) {
      if (place <= index) index++;
    }
    return this.#endpoints[index] ?? null;
  }
}
