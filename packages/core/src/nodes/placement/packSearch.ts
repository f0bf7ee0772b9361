import type { Guide } from './fill.ts';
import { type Bin, dimensions, type Problem } from './problem.ts';
import { hasRules, packBin, type Pattern, patternOf, stepsPerClass } from './room.ts';

/** Fewer of a class than fit are tried down to this many below. */
const mostBelow = 2;

/**
 * The pattern worth most for one kind of node: depth first through the classes in the given order, as many as fit first,
 * then fewer. A branch ends where even the best price for what is left of the node cannot beat the best pattern so far. At most
 * `mostSteps` branches; the first one is what `packBin` packs. Where GPUs or rules between pods are in play, that one alone.
 */
export function packBest(
  problem: Problem,
  bin: Bin,
  order: Int32Array,
  left: ArrayLike<number>,
  guide: Guide,
  mostSteps: number,
): { pattern: Pattern | null; steps: number } {
  if (hasRules(problem, bin)) {
    return { pattern: packBin(problem, bin, order, left), steps: order.length * stepsPerClass(problem, bin) };
  }
  const search = new PackSearch(bin, order, left, guide, mostSteps);
  return { pattern: search.best(), steps: search.steps * 4 + order.length * 8 };
}

class PackSearch {
  steps = 0;
  readonly #bin: Bin;
  readonly #classes: number[] = [];
  readonly #worth: Float64Array;
  readonly #demand: Float64Array;
  readonly #most: Int32Array;
  /** Largest worth of a weighted unit from each place in the order on. */
  readonly #densityFrom: Float64Array;
  readonly #weights: Float64Array;
  readonly #taken: Int32Array;
  readonly #mostSteps: number;
  #best: Int32Array | null = null;
  #bestWorth = 0;

  constructor(bin: Bin, order: Int32Array, left: ArrayLike<number>, guide: Guide, mostSteps: number) {
    this.#bin = bin;
    this.#mostSteps = mostSteps;
    for (const c of order) if ((left[c] ?? 0) > 0 && (bin.most[c] ?? 0) > 0) this.#classes.push(c);
    const count = this.#classes.length;
    this.#worth = new Float64Array(count);
    this.#demand = new Float64Array(count * dimensions);
    this.#most = new Int32Array(count);
    this.#taken = new Int32Array(count);
    this.#weights = new Float64Array(dimensions);
    this.#densityFrom = new Float64Array(count + 1);
    for (let r = 0; r < dimensions; r++) {
      const all = bin.capacity[r] ?? 0;
      if (all > 0) this.#weights[r] = ((guide.scarcity?.[bin.index * dimensions + r] ?? 0.25) + 0.001) / all;
    }
    for (let i = count - 1; i >= 0; i--) {
      const c = this.#classes[i] ?? 0;
      let weighted = 0;
      for (let r = 0; r < dimensions; r++) {
        const each = bin.demand[c * dimensions + r] ?? 0;
        this.#demand[i * dimensions + r] = each;
        weighted += each * (this.#weights[r] ?? 0);
      }
      this.#worth[i] = (guide.pods[c] ?? 0) - (bin.penalty[c] ?? 0) / 1e6;
      this.#most[i] = Math.min(left[c] ?? 0, bin.most[c] ?? 0);
      this.#densityFrom[i] = Math.max(this.#densityFrom[i + 1] ?? 0, (this.#worth[i] ?? 0) / (weighted || 1e-12));
    }
  }

  best(): Pattern | null {
    const [cpu = 0, memory = 0, pods = 0, gpu = 0] = this.#bin.capacity;
    this.#go(0, cpu, memory, pods, gpu, 0);
    const best = this.#best;
    if (best === null) return null;
    const places = [...best.keys()].filter((i) => (best[i] ?? 0) > 0);
    if (places.length === 0) return null;
    const classes = places.map((i) => this.#classes[i] ?? 0);
    const counts = places.map((i) => best[i] ?? 0);
    return patternOf(this.#bin, classes, counts, null);
  }

  #go(from: number, cpu: number, memory: number, pods: number, gpu: number, worth: number): void {
    const demand = this.#demand;
    const count = this.#classes.length;
    let i = from;
    let fits = 0;
    for (; i < count; i++) {
      const at = i * dimensions;
      const eachCpu = demand[at] ?? 0;
      const eachMemory = demand[at + 1] ?? 0;
      const eachGpu = demand[at + 3] ?? 0;
      if (eachCpu > cpu || eachMemory > memory || eachGpu > gpu) continue;
      fits = Math.min(this.#most[i] ?? 0, pods);
      if (eachCpu > 0) fits = Math.min(fits, Math.floor(cpu / eachCpu));
      if (eachMemory > 0) fits = Math.min(fits, Math.floor(memory / eachMemory));
      if (eachGpu > 0) fits = Math.min(fits, Math.floor(gpu / eachGpu));
      if (fits > 0) break;
    }
    this.steps += 1 + (i - from) / 8;
    if (i >= count || fits <= 0) {
      if (worth > this.#bestWorth) {
        this.#bestWorth = worth;
        this.#best = this.#taken.slice();
      }
      return;
    }
    const at = i * dimensions;
    const weights = this.#weights;
    const least = Math.max(0, fits - mostBelow);
    for (let k = fits; k >= 0; k = k > least ? k - 1 : k > 0 ? 0 : -1) {
      if (k < fits && this.steps >= this.#mostSteps) break;
      const leftCpu = cpu - k * (demand[at] ?? 0);
      const leftMemory = memory - k * (demand[at + 1] ?? 0);
      const leftGpu = gpu - k * (demand[at + 3] ?? 0);
      const after = worth + k * (this.#worth[i] ?? 0);
      const room =
        leftCpu * (weights[0] ?? 0) +
        leftMemory * (weights[1] ?? 0) +
        (pods - k) * (weights[2] ?? 0) +
        leftGpu * (weights[3] ?? 0);
      if (this.#best !== null && after + room * (this.#densityFrom[i + 1] ?? 0) <= this.#bestWorth * (1 + 1e-9))
        continue;
      this.#taken[i] = k;
      this.#go(i + 1, leftCpu, leftMemory, pods - k, leftGpu, after);
    }
    this.#taken[i] = 0;
  }
}
