const bucketMs = 1000;
export const curveSeconds = 60;

/** The last minute of a value that is reported when it changes: one bucket a second, each with the largest value in it. */
export class Curve {
  #buckets: number[] = [];
  #lastBucket = 0;
  #current = 0;

  record(atMs: number, value: number): void {
    this.#advance(atMs);
    const last = this.#buckets.length - 1;
    this.#buckets[last] = Math.max(this.#buckets[last] ?? 0, value);
    this.#current = value;
  }

  /** Oldest first, at most a minute; a second without a report repeats the value before it. */
  values(nowMs: number): number[] {
    this.#advance(nowMs);
    return [...this.#buckets];
  }

  #advance(atMs: number): void {
    const bucket = Math.floor(atMs / bucketMs);
    if (this.#buckets.length === 0) {
      this.#buckets.push(0);
      this.#lastBucket = bucket;
      return;
    }
    const missing = Math.min(curveSeconds, bucket - this.#lastBucket);
    for (let index = 0; index < missing; index += 1) this.#buckets.push(this.#current);
    if (missing > 0) this.#lastBucket = bucket;
    if (this.#buckets.length > curveSeconds) this.#buckets.splice(0, this.#buckets.length - curveSeconds);
  }
}
