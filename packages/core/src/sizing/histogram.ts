import { type BucketScheme, bucketOf } from './buckets.ts';

/** A histogram as upstream's VerticalPodAutoscalerCheckpoint has it: integer weights, near-zero ones left out. */
export interface HistogramCheckpoint {
  referenceMs: number;
  totalWeight: number;
  /** By bucket; relative to the heaviest bucket, which gets `maxCheckpointWeight`. */
  bucketWeights: Record<number, number>;
}

export const maxCheckpointWeight = 10_000;

/**
 * Reference time of a histogram that never had a sample: the year 1, from which half-lives are counted. Lengths that
 * do not divide a day need it, to fall on the same references as the VPA's.
 */
export const noReferenceMs = -62_135_596_800_000;

/** Beyond this many half-lives after the reference time, weights would grow out of hand. */
const maxHalfLives = 100;

/**
 * A histogram that forgets: a sample's weight is `2^((t − reference) / halfLife)` times its own, so newer samples
 * weigh more and only the proportion matters. Source: decaying histogram of the VPA recommender.
 */
export class DecayingHistogram {
  readonly scheme: BucketScheme;
  readonly halfLifeMs: number;
  referenceMs = noReferenceMs;
  totalWeight = 0;
  readonly weights: Float64Array;
  /** First and last bucket that is not empty; last and first bucket when all are. */
  #min: number;
  #max = 0;

  /** Throws a RangeError unless the half-life is a positive number. */
  constructor(scheme: BucketScheme, halfLifeMs: number) {
    if (!(halfLifeMs > 0)) throw new RangeError(`A half-life is ${halfLifeMs} ms; it has to be above 0.`);
    this.scheme = scheme;
    this.halfLifeMs = halfLifeMs;
    this.weights = new Float64Array(scheme.count);
    this.#min = scheme.count - 1;
  }

  get isEmpty(): boolean {
    return this.#weight(this.#min) < this.scheme.epsilon;
  }

  /** Adds a sample of weight `weight` (not negative) taken at `atMs`. */
  add(value: number, weight: number, atMs: number): void {
    const decayed = weight * this.#decayFactor(atMs);
    const bucket = bucketOf(this.scheme, value);
    const sum = this.#weight(bucket) + decayed;
    this.weights[bucket] = sum;
    this.totalWeight += decayed;
    if (sum < this.scheme.epsilon) return;
    this.#min = Math.min(this.#min, bucket);
    this.#max = Math.max(this.#max, bucket);
  }

  /** Takes out a sample that was added before with the same value, weight and time. */
  subtract(value: number, weight: number, atMs: number): void {
    const decayed = weight * this.#decayFactor(atMs);
    const bucket = bucketOf(this.scheme, value);
    this.totalWeight = this.#reduced(this.totalWeight, decayed);
    this.weights[bucket] = this.#reduced(this.#weight(bucket), decayed);
    this.#trim();
  }

  /**
   * A value that the fraction `p` of the weight does not exceed: the end of a bucket, or the start of the last one.
   * 0 when empty; any `p` below 0 gives the smallest, above 1 the largest.
   */
  percentile(p: number): number {
    if (this.isEmpty) return 0;
    const threshold = p * this.totalWeight;
    let bucket = this.#min;
    for (let sum = 0; bucket < this.#max; bucket++) {
      sum += this.#weight(bucket);
      if (sum >= threshold) break;
    }
    return this.scheme.starts[Math.min(bucket + 1, this.scheme.count - 1)] ?? 0;
  }

  /** Adds all of another histogram's weight, which is not changed. Both need the same buckets and half-life. */
  merge(other: DecayingHistogram): void {
    if (other.scheme !== this.scheme || other.halfLifeMs !== this.halfLifeMs) {
      throw new RangeError('Histograms of other buckets or another half-life cannot be merged.');
    }
    let aligned = other;
    if (this.referenceMs < other.referenceMs) this.#shiftReference(other.referenceMs);
    else if (other.referenceMs < this.referenceMs) {
      aligned = other.copy();
      aligned.#shiftReference(this.referenceMs);
    }
    for (let bucket = aligned.#min; bucket <= aligned.#max; bucket++) {
      this.weights[bucket] = this.#weight(bucket) + aligned.#weight(bucket);
    }
    this.totalWeight += aligned.totalWeight;
    this.#min = Math.min(this.#min, aligned.#min);
    this.#max = Math.max(this.#max, aligned.#max);
  }

  copy(): DecayingHistogram {
    const copy = new DecayingHistogram(this.scheme, this.halfLifeMs);
    copy.restore(this.referenceMs, this.totalWeight, this.weights);
    return copy;
  }

  /** Takes over weights exactly as they were. */
  restore(referenceMs: number, totalWeight: number, weights: ArrayLike<number>): void {
    this.referenceMs = referenceMs;
    this.totalWeight = totalWeight;
    this.weights.set(weights);
    this.#min = 0;
    this.#max = this.scheme.count - 1;
    this.#trim();
  }

  /** The integer form, with the heaviest bucket at `heaviest`. Loses what is below half a unit of it. */
  save(heaviest: number = maxCheckpointWeight): HistogramCheckpoint {
    const bucketWeights: Record<number, number> = {};
    let max = 0;
    for (let bucket = this.#min; bucket <= this.#max; bucket++) max = Math.max(max, this.#weight(bucket));
    const ratio = heaviest / max;
    for (let bucket = this.#min; bucket <= this.#max; bucket++) {
      const weight = Math.floor(this.#weight(bucket) * ratio + 0.5);
      if (weight > 0) bucketWeights[bucket] = weight;
    }
    return { referenceMs: this.referenceMs, totalWeight: this.totalWeight, bucketWeights };
  }

  /**
   * Adds what was saved, scaled to the saved total. Rounding may bring the outermost buckets below the empty
   * threshold; the range is then drawn in, or all of it would read as empty (kubernetes/autoscaler#7726).
   * Throws a RangeError for a negative total or weight and for buckets that do not exist.
   */
  load(checkpoint: HistogramCheckpoint): void {
    const { totalWeight, referenceMs } = checkpoint;
    if (!(totalWeight >= 0)) throw new RangeError(`A checkpoint's total weight is ${totalWeight}; it is at least 0.`);
    const entries = Object.entries(checkpoint.bucketWeights).map(([key, weight]) => [Number(key), weight] as const);
    let sum = 0;
    for (const [bucket, weight] of entries) {
      if (!Number.isInteger(bucket) || bucket < 0 || bucket >= this.scheme.count) {
        throw new RangeError(`A checkpoint names bucket ${bucket}; there are 0 to ${this.scheme.count - 1}.`);
      }
      if (!(weight >= 0)) throw new RangeError(`Bucket ${bucket} of a checkpoint weighs ${weight}; at least 0 can.`);
      sum += weight;
    }
    if (sum > 0) {
      for (const [bucket, weight] of entries) {
        this.#min = Math.min(this.#min, bucket);
        this.#max = Math.max(this.#max, bucket);
        this.weights[bucket] = this.#weight(bucket) + weight * (totalWeight / sum);
      }
      this.totalWeight += totalWeight;
      this.#trim();
    }
    this.referenceMs = referenceMs;
  }

  #weight(bucket: number): number {
    return this.weights[bucket] ?? 0;
  }

  #reduced(weight: number, by: number): number {
    const rest = weight - by;
    return rest < this.scheme.epsilon ? 0 : rest;
  }

  #decayFactor(atMs: number): number {
    if (atMs > this.referenceMs + this.halfLifeMs * maxHalfLives) this.#shiftReference(atMs);
    return 2 ** ((atMs - this.referenceMs) / this.halfLifeMs);
  }

  /** Moves the reference to the multiple of the half-life nearest to `toMs`; percentiles stay as they are. */
  #shiftReference(toMs: number): void {
    const halfLives = Math.floor((toMs - noReferenceMs) / this.halfLifeMs + 0.5);
    const referenceMs = noReferenceMs + halfLives * this.halfLifeMs;
    const factor = 2 ** Math.floor((this.referenceMs - referenceMs) / this.halfLifeMs + 0.5);
    for (let bucket = this.#min; bucket <= this.#max; bucket++) this.weights[bucket] = this.#weight(bucket) * factor;
    this.totalWeight *= factor;
    this.#trim();
    this.referenceMs = referenceMs;
  }

  #trim(): void {
    const { epsilon, count } = this.scheme;
    while (this.#weight(this.#min) < epsilon && this.#min < count - 1) this.#min++;
    while (this.#weight(this.#max) < epsilon && this.#max > 0) this.#max--;
  }
}
