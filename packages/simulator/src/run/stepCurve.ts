const firstCapacity = 64;

/** A count that changes in steps, as its mean over buckets of time. Exact as long as the integral of a bucket stays below 2⁵³. */
export class StepCurve {
  readonly #bucketUs: number;
  #sums = new Float64Array(firstCapacity);
  #bucket = 0;
  #bucketEndUs: number;
  #lastUs = 0;
  value = 0;
  most = 0;

  constructor(bucketUs: number) {
    this.#bucketUs = bucketUs;
    this.#bucketEndUs = bucketUs;
  }

  change(nowUs: number, by: number): void {
    this.#advance(nowUs);
    this.value += by;
    if (this.value > this.most) this.most = this.value;
  }

  /** Means by bucket until now; the last one over the part of it that has passed. */
  means(nowUs: number, buckets: number): Float64Array {
    this.#advance(nowUs);
    const means = new Float64Array(buckets);
    for (let index = 0; index < buckets; index++) {
      const lengthUs = Math.min(this.#bucketUs, nowUs - index * this.#bucketUs);
      means[index] = lengthUs > 0 ? (this.#sums[index] ?? 0) / lengthUs : 0;
    }
    return means;
  }

  #advance(nowUs: number): void {
    while (nowUs >= this.#bucketEndUs) {
      this.#add(this.#bucketEndUs);
      this.#bucket++;
      this.#bucketEndUs += this.#bucketUs;
      if (this.#bucket === this.#sums.length) {
        const wider = new Float64Array(2 * this.#sums.length);
        wider.set(this.#sums);
        this.#sums = wider;
      }
    }
    this.#add(nowUs);
  }

  #add(untilUs: number): void {
    this.#sums[this.#bucket] = (this.#sums[this.#bucket] as number) + this.value * (untilUs - this.#lastUs);
    this.#lastUs = untilUs;
  }
}
