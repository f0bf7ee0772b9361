import type { ServingSpec } from '@ebb/documents';
import type { Endpoint } from './classPool.ts';
import { LeastConnections } from './leastConnections.ts';
import type { Prng } from './prng.ts';
import { RandomChoice } from './random.ts';
import { RoundRobin } from './roundRobin.ts';

/** Orders the endpoints of one class that have a free slot. An endpoint is told of only while it has one. */
export interface Balancer {
  readonly size: number;
  /** It has a free slot now. */
  add(endpoint: Endpoint): void;
  /** It has none any more, or takes nothing new. */
  remove(endpoint: Endpoint): void;
  /** It was given a request and has a free slot still. */
  taken(endpoint: Endpoint): void;
  /** One of its requests ended. */
  released(endpoint: Endpoint): void;
  /** Whose turn it is, without those that are excluded; null: nobody's. */
  pick(excluded: readonly Endpoint[]): Endpoint | null;
}

const balancers: Record<ServingSpec['balancing'], (random: Prng) => Balancer> = {
  leastConnections: () => new LeastConnections(),
  roundRobin: () => new RoundRobin(),
  random: (random) => new RandomChoice(random),
};

export function createBalancer(balancing: ServingSpec['balancing'], random: Prng): Balancer {
  return balancers[balancing](random);
}
