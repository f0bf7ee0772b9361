import type { Trace, TraceBlock } from '../contract/trace.ts';
import { BlockBuilder } from './blockBuilder.ts';
import { type CountSink, RowError } from './layout.ts';
import { defaultSeed, type TraceOptions, type Window, windowOf } from './options.ts';
import { bucketRandom, hashText } from './random.ts';
import { type ChosenWorkloads, chooseWorkloads, type WorkloadNames } from './workloadNames.ts';

/** Counts that are kept: 12 bytes each. The requests themselves are made when they are asked for. */
const mostCounts = 100_000_000;
/** One bucket is sorted at once. */
const mostInBucket = 50_000_000;
const firstCapacity = 4096;

/** Counts in the order they were read. */
export class Counts implements CountSink {
  readonly #names: WorkloadNames;
  #size = 0;
  #startUs = new Float64Array(firstCapacity);
  #workload = new Uint32Array(firstCapacity);
  #count = new Uint32Array(firstCapacity);
  #bucketUs = 0;
  #spanUs: number | null = null;
  readonly notes: string[] = [];

  constructor(names: WorkloadNames) {
    this.#names = names;
  }

  get size(): number {
    return this.#size;
  }

  workload(name: string): number {
    return this.#names.indexOf(name);
  }

  add(startUs: number, workload: number, count: number): void {
    if (this.#size === mostCounts) throw new RowError(`more than ${mostCounts} counts`, true);
    if (count > mostInBucket) throw new RowError(`${count} requests in one bucket: more than ${mostInBucket}`);
    if (this.#size === this.#startUs.length) this.#grow();
    const index = this.#size++;
    this.#startUs[index] = startUs;
    this.#workload[index] = workload;
    this.#count[index] = count;
  }

  setBucketUs(bucketUs: number): void {
    this.#bucketUs = bucketUs;
  }

  setSpanUs(spanUs: number): void {
    this.#spanUs = spanUs;
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** All has been read. */
  toTrace(base: Pick<Trace, 'name' | 'description'>, options: TraceOptions): Trace {
    const order = this.#order();
    const window = windowOf(options);
    const chosen = chooseWorkloads(this.#names.names, this.#totals(window), options.workloads ?? {});
    const lastUs = this.#size === 0 ? 0 : (this.#startUs[order[this.#size - 1] ?? 0] ?? 0) + this.#bucketUs;
    const endUs = Math.min(Math.max(lastUs, this.#spanUs ?? 0), window.toUs);
    return {
      ...base,
      workloads: chosen.names,
      spanUs: Math.max(0, endUs - window.fromUs),
      arrivals: 'spread',
      hasTokens: false,
      blocks: () => this.#spread(order, chosen, window, options),
    };
  }

  *#spread(
    order: Uint32Array,
    chosen: ChosenWorkloads,
    { fromUs, toUs }: Window,
    { seed = defaultSeed, every = 1 }: TraceOptions,
  ): Generator<TraceBlock> {
    const builder = new BlockBuilder(chosen.names.length > 1, false);
    const width = Math.max(1, chosen.names.length);
    const hashes = this.#names.names.map(hashText);
    let left = 0;
    for (let from = 0; from < order.length; ) {
      const startUs = this.#startUs[order[from] ?? 0] ?? 0;
      let to = from;
      let total = 0;
      for (; to < order.length && this.#startUs[order[to] ?? 0] === startUs; to++)
        total += this.#count[order[to] ?? 0] ?? 0;
      if (startUs < toUs && startUs + this.#bucketUs > fromUs && total > 0) {
        // One number for offset and workload, so that a plain sort orders both.
        const keys = new Float64Array(total);
        let size = 0;
        for (let at = from; at < to; at++) {
          const index = order[at] ?? 0;
          const workload = this.#workload[index] ?? 0;
          const number = chosen.numbers[workload] ?? -1;
          if (number < 0) continue;
          const random = bucketRandom(seed, startUs / this.#bucketUs, hashes[workload] ?? 0);
          const count = this.#count[index] ?? 0;
          for (let one = 0; one < count; one++) keys[size++] = Math.floor(random() * this.#bucketUs) * width + number;
        }
        const sorted = keys.subarray(0, size).sort();
        for (const key of sorted) {
          const number = key % width;
          const atUs = startUs + (key - number) / width;
          if (atUs < fromUs || atUs >= toUs) continue;
          if (left++ % every === 0) builder.add(atUs - fromUs, number, 0, 0);
        }
        yield* builder.takeFull();
      }
      from = to;
    }
    yield* builder.takeRest();
  }

  /** Requests of each workload in buckets that begin within the window. */
  #totals({ fromUs, toUs }: Window): number[] {
    const totals = this.#names.names.map(() => 0);
    for (let index = 0; index < this.#size; index++) {
      const startUs = this.#startUs[index] ?? 0;
      if (startUs < fromUs || startUs >= toUs) continue;
      const workload = this.#workload[index] ?? 0;
      totals[workload] = (totals[workload] ?? 0) + (this.#count[index] ?? 0);
    }
    return totals;
  }

  /** By begin of the bucket; within one in the order read. */
  #order(): Uint32Array {
    const order = Uint32Array.from({ length: this.#size }, (_, index) => index);
    const starts = this.#startUs;
    let isSorted = true;
    for (let index = 1; index < this.#size && isSorted; index++)
      isSorted = (starts[index - 1] ?? 0) <= (starts[index] ?? 0);
    return isSorted ? order : order.sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0) || a - b);
  }

  #grow(): void {
    const capacity = this.#startUs.length * 2;
    const [starts, workloads, counts] = [
      new Float64Array(capacity),
      new Uint32Array(capacity),
      new Uint32Array(capacity),
    ];
    starts.set(this.#startUs);
    workloads.set(this.#workload);
    counts.set(this.#count);
    this.#startUs = starts;
    this.#workload = workloads;
    this.#count = counts;
  }
}
