import { GpuRoom } from './gpuRoom.ts';
import { type Bin, dimensions, type Problem } from './problem.ts';

/** A node with the pods it gets: a column of the packing problem. */
export interface Pattern {
  bin: Bin;
  /** Classes, in the order in which they were put there, and how many of each. */
  classes: number[];
  counts: number[];
  /** GPUs of each pod, by class, where GPUs are not all alike to a pod; null otherwise. */
  gpus: ReadonlyMap<number, readonly (readonly number[])[]> | null;
  /** Node and penalties. */
  costMicro: number;
}

/** A node while it is filled. */
export class Room {
  readonly bin: Bin;
  readonly #problem: Problem;
  readonly #free: Float64Array;
  readonly #counts = new Map<number, number>();
  readonly #gpuRoom: GpuRoom | null;
  readonly #gpus = new Map<number, number[][]>();

  constructor(problem: Problem, bin: Bin) {
    this.bin = bin;
    this.#problem = problem;
    this.#free = bin.capacity.slice();
    const { point } = bin.supply;
    const uses = bin.supply.kind === 'node' ? bin.supply.node.gpuUse : [];
    this.#gpuRoom = point.shape.isAdditive ? null : new GpuRoom(point.shape, uses);
  }

  /** Puts in as many pods of a class as fit, up to `wanted`, and says how many. */
  add(c: number, wanted: number): number {
    let fits = Math.min(wanted, this.bin.most[c] ?? 0);
    if (fits === 0) return 0;
    const { demand } = this.bin;
    const free = this.#free;
    const at = c * dimensions;
    for (let r = 0; r < dimensions; r++) {
      const each = demand[at + r] ?? 0;
      if (each > 0) fits = Math.min(fits, Math.floor((free[r] ?? 0) / each));
    }
    fits = Math.min(fits, this.#allowedByRules(c));
    if (fits > 0) fits = this.#takeGpus(c, fits);
    if (fits <= 0) return 0;
    for (let r = 0; r < dimensions; r++) free[r] = (free[r] ?? 0) - fits * (demand[at + r] ?? 0);
    this.#counts.set(c, (this.#counts.get(c) ?? 0) + fits);
    return fits;
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** Part of a resource that is taken, 0 to 1, the fullest one. */
  get fullness(): number {
    let most = 0;
    for (let r = 0; r < dimensions; r++) {
      const all = this.bin.capacity[r] ?? 0;
      if (all > 0) most = Math.max(most, 1 - (this.#free[r] ?? 0) / all);
    }
    return most;
  }

  pattern(): Pattern {
    return patternOf(this.bin, [...this.#counts.keys()], [...this.#counts.values()], this.#gpuRoom ? this.#gpus : null);
  }

  #allowedByRules(c: number): number {
    const { apart, caps } = this.#problem.rules;
    let allowed = Number.POSITIVE_INFINITY;
    for (const other of apart[c] ?? []) {
      if (other === c) allowed = 1 - (this.#counts.get(c) ?? 0);
      else if (this.#counts.has(other)) return 0;
    }
    for (const { members, cap, present } of caps) {
      if (!members[c]) continue;
      let there = this.bin.supply.kind === 'node' ? (present.get(this.bin.supply.node.name) ?? 0) : 0;
      for (const [other, count] of this.#counts) if (members[other]) there += count;
      allowed = Math.min(allowed, cap - there);
    }
    return Math.max(0, allowed);
  }

  #takeGpus(c: number, wanted: number): number {
    const gpu = this.#problem.classes[c]?.needs.pod.gpu ?? null;
    if (this.#gpuRoom === null || gpu === null) return wanted;
    const taken = this.#gpus.get(c) ?? [];
    let count = 0;
    for (; count < wanted; count++) {
      const gpus = this.#gpuRoom.take(gpu);
      if (gpus === null) break;
      taken.push(gpus);
    }
    if (count > 0) this.#gpus.set(c, taken);
    return count;
  }
}

export function patternOf(bin: Bin, classes: number[], counts: number[], gpus: Pattern['gpus']): Pattern {
  let costMicro = bin.costMicro;
  for (let i = 0; i < classes.length; i++) costMicro += (counts[i] ?? 0) * (bin.penalty[classes[i] ?? 0] ?? 0);
  return { bin, classes, counts, gpus, costMicro };
}

/** The pattern with no more of each class than is left, the last ones left out; null when nothing remains. */
export function trimmed(pattern: Pattern, left: ArrayLike<number>): Pattern | null {
  let isWhole = true;
  const classes: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < pattern.classes.length; i++) {
    const c = pattern.classes[i] ?? 0;
    const count = Math.min(pattern.counts[i] ?? 0, left[c] ?? 0);
    if (count !== pattern.counts[i]) isWhole = false;
    if (count === 0) continue;
    classes.push(c);
    counts.push(count);
  }
  if (isWhole) return pattern;
  return classes.length === 0 ? null : patternOf(pattern.bin, classes, counts, pattern.gpus);
}

/** Whether GPUs or rules between pods ask for more than amounts that add up. */
export function hasRules({ rules }: Problem, bin: Bin): boolean {
  return !bin.supply.point.shape.isAdditive || rules.caps.length > 0 || rules.isAnyApart;
}

/** Steps that `packBin` takes for a class, about. */
export function stepsPerClass(problem: Problem, bin: Bin): number {
  return hasRules(problem, bin) ? 10 : 2;
}

/** One node filled in the order of the classes, with no more than is left of each. */
export function packBin(problem: Problem, bin: Bin, order: Int32Array, left: ArrayLike<number>): Pattern | null {
  if (hasRules(problem, bin)) return packByRules(problem, bin, order, left);
  const { demand, most, capacity } = bin;
  let cpu = capacity[0] ?? 0;
  let memory = capacity[1] ?? 0;
  let pods = capacity[2] ?? 0;
  let first = capacity[3] ?? 0;
  const classes: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < order.length; i++) {
    const c = order[i] ?? 0;
    let fits = Math.min(left[c] ?? 0, most[c] ?? 0, pods);
    if (fits <= 0) continue;
    const at = c * dimensions;
    const eachCpu = demand[at] ?? 0;
    const eachMemory = demand[at + 1] ?? 0;
    const eachFirst = demand[at + 3] ?? 0;
    if (eachCpu > cpu || eachMemory > memory || eachFirst > first) continue;
    if (eachCpu > 0) fits = Math.min(fits, Math.floor(cpu / eachCpu));
    if (eachMemory > 0) fits = Math.min(fits, Math.floor(memory / eachMemory));
    if (eachFirst > 0) fits = Math.min(fits, Math.floor(first / eachFirst));
    cpu -= fits * eachCpu;
    memory -= fits * eachMemory;
    first -= fits * eachFirst;
    pods -= fits;
    classes.push(c);
    counts.push(fits);
  }
  return classes.length === 0 ? null : patternOf(bin, classes, counts, null);
}

function packByRules(problem: Problem, bin: Bin, order: Int32Array, left: ArrayLike<number>): Pattern | null {
  const room = new Room(problem, bin);
  for (const c of order) {
    const wanted = left[c] ?? 0;
    if (wanted > 0) room.add(c, wanted);
  }
  return room.isEmpty ? null : room.pattern();
}
