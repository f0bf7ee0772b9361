import { gib, pod } from '../placement/placement.fixture.ts';
import type { PlacementPod } from '../placement/types.ts';
import { minuteMs } from './fleet.fixture.ts';
import type { FleetNode, FleetPod } from './types.ts';
import type { Dice } from './world.fixture.ts';

export interface Replica {
  pod: PlacementPod;
  bound: FleetPod['bound'];
  isLeaving: boolean;
  inFlight: number;
  /** Stands for this one, whose node drains. */
  replaces: string | null;
}

/** What an engine does with replicas: as many as are wanted, others for those on nodes that drain, none ended with work in flight. */
export class Replicas {
  readonly all = new Map<string, Replica>();
  readonly drains = new Map<string, 'ready-first' | 'drain-first'>();
  readonly #dice: Dice;
  readonly #later: (inMs: number, what: () => void) => void;
  #wanted = 0;
  #names = 0;

  readonly #podOf: (id: string) => PlacementPod;

  constructor(dice: Dice, later: (inMs: number, what: () => void) => void, podOf?: (id: string) => PlacementPod) {
    this.#podOf = podOf ?? ((id) => this.#anyPod(id));
    this.#dice = dice;
    this.#later = later;
  }

  want(count: number): void {
    this.#wanted = count;
    this.#settle();
  }

  on(node: string): Replica[] {
    return [...this.all.values()].filter(({ bound }) => bound?.node === node);
  }

  asPods(): FleetPod[] {
    return [...this.all.values()].map(({ pod, bound, isLeaving, inFlight }) => ({
      ...{ pod, bound, isLeaving, inFlight, loadMs: 20_000, doNotDisrupt: false },
    }));
  }

  unbind(id: string): void {
    const one = this.all.get(id);
    if (one === undefined) return;
    one.bound = null;
    if (one.isLeaving) this.#later(1, () => this.#end(id));
  }

  /** What stands for its pods is not needed any more. */
  keep(node: string): void {
    this.drains.delete(node);
    this.#later(1, () => {
      const kept = new Set(this.on(node).flatMap(({ pod, isLeaving }) => (isLeaving ? [] : [pod.id])));
      for (const [id, one] of this.all) {
        if (one.replaces === null || !kept.has(one.replaces)) continue;
        if (one.bound === null) this.all.delete(id);
        else this.#leave(one);
      }
      this.#settle();
    });
  }

  evict(pods: readonly string[]): void {
    for (const id of pods) this.#later(1 + this.#dice.upTo(40_000), () => this.#end(id));
  }

  /** Pods of nodes that drain are replaced, and leave when their replacements are ready, or at once. */
  replace(nodes: readonly FleetNode[]): void {
    for (const [node, order] of this.drains) {
      for (const one of this.on(node)) {
        if (one.isLeaving) continue;
        const stands = [...this.all.values()].find(({ replaces }) => replaces === one.pod.id);
        if (!stands) this.#later(10, () => this.drains.has(node) && !one.isLeaving && this.#add(one.pod, one.pod.id));
        const at = stands?.bound && nodes.find(({ id }) => id === stands.bound?.node);
        if (order === 'drain-first') this.#leave(one);
        else if (at && at.phase === 'ready') this.#later(20_000, () => this.drains.has(node) && this.#leave(one));
      }
    }
  }

  #leave(one: Replica): void {
    if (one.isLeaving) return;
    one.isLeaving = true;
    this.#later(one.inFlight > 0 ? this.#dice.upTo(3 * minuteMs) : 1000, () => this.#end(one.pod.id));
  }

  #end(id: string): void {
    if (this.all.delete(id)) this.#settle();
  }

  #add(like: PlacementPod | null, replaces: string | null): void {
    if (replaces !== null && [...this.all.values()].some((one) => one.replaces === replaces)) return;
    const id = `pod-${this.#names++}`;
    const made = like === null ? this.#podOf(id) : { ...like, id };
    this.all.set(id, { pod: made, bound: null, isLeaving: false, inFlight: this.#dice.upTo(2), replaces });
  }

  #anyPod(id: string): PlacementPod {
    const dice = this.#dice;
    const gpu = dice.chance(0.15) ? { kind: 'whole' as const, count: 1, vendor: null, minMemoryBytes: 0 } : null;
    return pod(id, {
      ...{ cpuMilli: dice.pick([500, 1000, 1900, 3000]), memoryBytes: dice.pick([1, 2, 6]) * gib, gpu },
      ...{ interruptible: dice.chance(0.5), interruptionPriceMicro: 10_000, workload: dice.pick(['web', 'chat']) },
    });
  }

  #settle(): void {
    const staying = [...this.all.values()].filter(({ isLeaving }) => !isLeaving);
    const replaced = new Set(staying.map(({ replaces }) => replaces));
    const counted = staying.filter(({ pod }) => !replaced.has(pod.id));
    for (let i = counted.length; i < this.#wanted; i++) this.#add(null, null);
    for (const one of this.#wanted === 0 ? staying : counted.slice(this.#wanted)) {
      if (one.bound === null) this.all.delete(one.pod.id);
      else this.#leave(one);
    }
  }
}
