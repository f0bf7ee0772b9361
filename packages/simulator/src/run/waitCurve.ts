import { binCount, binOf, quantileUs } from '../kernel/waitSketch.ts';

/** Eight bins to a doubling: a plotted quantile is within 6 %. */
const bits = 3;
const binsOfBucket = binCount(bits);

/** A quantile of waits for each bucket of time. Memory follows the number of buckets alone. */
export class WaitCurve {
  readonly #bucketUs: number;
  readonly #buckets: Uint32Array[] = [];
  readonly #counts: number[] = [];

  constructor(bucketUs: number) {
    this.#bucketUs = bucketUs;
  }

  add(atUs: number, waitUs: number): void {
    const index = Math.floor(atUs / this.#bucketUs);
    let bins = this.#buckets[index];
    if (!bins) {
      bins = new Uint32Array(binsOfBucket);
      this.#buckets[index] = bins;
    }
    const bin = binOf(waitUs, bits);
    bins[bin] = (bins[bin] as number) + 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  quantilesMs(share: number, buckets: number): Float64Array {
    return Float64Array.from({ length: buckets }, (_, index) => {
      const bins = this.#buckets[index];
      return bins ? quantileUs(bins, 0, this.#counts[index] ?? 0, share, bits) / 1000 : 0;
    });
  }
}
