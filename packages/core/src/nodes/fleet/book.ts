import { countsOf } from '../placement/limits.ts';
import type { PlacementPool } from '../placement/types.ts';
import type { Offering } from '../types.ts';
import type { FleetNode } from './types.ts';

type Used = PlacementPool['used'];
const amounts = ['nodes', 'cpuMilli', 'memoryBytes', 'gpus', 'pricePerHourMicro'] as const;

/** The nodes of the book with what they use of limits and stock: all that cost, also those that are about to go. */
export class Book {
  readonly #nodes: Map<string, FleetNode>;
  readonly #used = new Map<string, Used>();
  readonly #counts = new Map<string, number>();

  /** Nodes are copied; what is in them is replaced, never changed. */
  constructor(nodes: readonly FleetNode[]) {
    this.#nodes = new Map(nodes.map((node) => [node.id, { ...node }]));
    for (const node of nodes) this.#count(node, 1);
  }

  has(id: string): boolean {
    return this.#nodes.has(id);
  }

  get(id: string): FleetNode | undefined {
    return this.#nodes.get(id);
  }

  /** In the order in which they were bought. */
  all(): FleetNode[] {
    return [...this.#nodes.values()];
  }

  /** Those that are to stay: asked for, starting or ready. */
  staying(): FleetNode[] {
    return this.all().filter(({ phase }) => phase !== 'draining' && phase !== 'ending');
  }

  add(node: FleetNode): void {
    this.#nodes.set(node.id, node);
    this.#count(node, 1);
  }

  drop(node: FleetNode): void {
    if (this.#nodes.delete(node.id)) this.#count(node, -1);
  }

  usedOf(pool: string): Used {
    return this.#used.get(pool) ?? noUse;
  }

  get poolNames(): string[] {
    return [...this.#used.keys()];
  }

  countOf(pool: string, { id }: Offering): number {
    return this.#counts.get(`${pool}|${id}`) ?? 0;
  }

  #count({ pool, offering }: FleetNode, sign: 1 | -1): void {
    const counts = countsOf({ entry: { offering, backedOffUntilMs: null, stock: null, interruptionsPerHour: 0 } });
    const used = { ...this.usedOf(pool) };
    for (const amount of amounts) used[amount] += sign * counts[amount];
    this.#used.set(pool, used);
    const key = `${pool}|${offering.id}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + sign);
  }
}

const noUse: Used = { nodes: 0, cpuMilli: 0, memoryBytes: 0, gpus: 0, pricePerHourMicro: 0 };
