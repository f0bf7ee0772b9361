import type { NodeObservation } from '../../ports/provider.ts';
import type { PlacedPod } from '../placement/types.ts';
import type { Offering } from '../types.ts';
import { Book } from './book.ts';
import { Hedges } from './hedges.ts';
import type {
  FleetAction,
  FleetMemory,
  FleetNode,
  FleetObservation,
  FleetPod,
  FleetPool,
  FleetReason,
  FleetSpec,
  GoingReason,
  UnbindReason,
} from './types.ts';

/** One step while it is made: the book as it will be, where pods will be, and what is to be done for that. */
export class Draft {
  readonly spec: FleetSpec;
  readonly nowMs: number;
  readonly memory: FleetMemory;
  readonly pools: ReadonlyMap<string, FleetPool>;
  readonly book: Book;
  /** By id; null: the provider is away. */
  readonly machines: ReadonlyMap<string, NodeObservation> | null;
  readonly observation: FleetObservation;
  readonly hedges: Hedges;
  /** Offerings of spot machines that were lost since the last step. */
  readonly lost: string[] = [];
  readonly actions: FleetAction[] = [];
  readonly reasons: FleetReason[] = [];
  workUnits = 0;
  /** The least that these pods could cost, where a search was made of what is there now. */
  lowerBoundMicro: number | null = null;
  readonly #podsOn = new Map<string, FleetPod[]>();
  readonly #waiting = new Map<string, FleetPod>();
  #revisitAtMs: number | null = null;

  constructor(spec: FleetSpec, memory: FleetMemory, observation: FleetObservation) {
    this.spec = spec;
    this.memory = memory;
    this.observation = observation;
    this.nowMs = observation.nowMs;
    this.pools = new Map(spec.pools.map((pool) => [pool.consolidation.pool.name, pool]));
    this.book = new Book(memory.nodes);
    this.hedges = new Hedges(this);
    const { machines } = observation;
    this.machines = machines && new Map(machines.flatMap((one) => (one.id === null ? [] : [[one.id, one] as const])));
    for (const pod of observation.pods) {
      if (pod.bound !== null) this.#put(pod, pod.bound.node);
      else if (!pod.isLeaving) this.#waiting.set(pod.pod.id, pod);
    }
  }

  /** Names of nodes on which pods are, in the book or not. */
  get nodesWithPods(): string[] {
    return [...this.#podsOn.keys()];
  }

  podsOn(node: string): readonly FleetPod[] {
    return this.#podsOn.get(node) ?? [];
  }

  waiting(): FleetPod[] {
    return [...this.#waiting.values()];
  }

  bind(pod: string, node: string, place: PlacedPod): void {
    const one = this.#waiting.get(pod);
    if (one === undefined) throw new Error(`pod ${pod} does not wait for a place`);
    this.#waiting.delete(pod);
    this.#put({ ...one, bound: { node, place } }, node);
    this.actions.push({ type: 'bind', pod, node, place });
  }

  /** The pod finds its place on a node of somebody else: nothing is bought for it. */
  leaveToOthers(pod: string): void {
    this.#waiting.delete(pod);
  }

  /** Pods of a node that is given up wait for another place, those on their way out apart. */
  unbindAll(node: string, reason: UnbindReason): void {
    for (const pod of this.podsOn(node)) {
      this.actions.push({ type: 'unbind', pod: pod.pod.id, node, reason });
      if (!pod.isLeaving) this.#waiting.set(pod.pod.id, { ...pod, bound: null });
    }
    this.#podsOn.delete(node);
  }

  /** Writes a new node into the book and asks for it. */
  buy(pool: FleetPool, offering: Offering, places: readonly PlacedPod[], replaces: readonly string[] = []): FleetNode {
    const node: FleetNode = {
      ...{ id: this.#newId(), pool: pool.consolidation.pool.name, offering, revision: pool.revision, phase: 'asked' },
      ...{ askedAtMs: this.nowMs, acceptedAtMs: null, isSeen: false, readyAtMs: null, quietSinceMs: this.nowMs },
      ...{ podsKey: '', replaces, going: null, notice: null, attempts: 0, askAgainAtMs: null, doNotDisrupt: false },
    };
    this.book.add(node);
    this.actions.push({ type: 'launch', node: { ...node }, forPods: places.map(({ id }) => id) });
    for (const place of places) this.bind(place.id, node.id, place);
    return node;
  }

  /** Nothing new comes there; it ends when its pods have left. */
  drain(node: FleetNode, reason: GoingReason, order: 'ready-first' | 'drain-first', untilMs: number | null): void {
    const sinceMs = node.going?.sinceMs ?? this.nowMs;
    node.phase = 'draining';
    node.going = { sinceMs, reason, untilMs, evictedAtMs: node.going?.evictedAtMs ?? null };
    if (untilMs !== null) this.revisit(untilMs);
    this.actions.push({ type: 'drain', node: node.id, reason, order });
  }

  keep(node: FleetNode): void {
    node.phase = 'ready';
    node.going = null;
    node.quietSinceMs = this.nowMs;
    this.actions.push({ type: 'keep', node: node.id });
  }

  /** It is asked again no later than then, though nothing happens. */
  revisit(atMs: number): void {
    if (atMs > this.nowMs && (this.#revisitAtMs === null || atMs < this.#revisitAtMs)) this.#revisitAtMs = atMs;
  }

  get revisitAtMs(): number | null {
    return this.#revisitAtMs;
  }

  #put(pod: FleetPod, node: string): void {
    const there = this.#podsOn.get(node);
    if (there) there.push(pod);
    else this.#podsOn.set(node, [pod]);
  }

  #newId(): string {
    for (;;) {
      const id = `${this.spec.idPrefix}${this.memory.nextNumber++}`;
      if (!this.book.has(id) && !this.machines?.has(id)) return id;
    }
  }
}
