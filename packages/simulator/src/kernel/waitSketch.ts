/** Every time up to 2⁵³ µs has a bin. */
const mostBits = 53;
/** Exact powers of two: `2 ** n` is only near enough by the standard. */
const powers = Array.from({ length: mostBits + 1 }, (_, power) => {
  let product = 1;
  for (let step = 0; step < power; step++) product *= 2;
  return product;
});

/**
 * Quantiles of times in fixed memory: log-linear bins as in HdrHistogram, 2^`bits` to each doubling. A quantile is off by
 * less than 2^−(bits+1) of its value; largest value, mean and count are exact. Whole microseconds.
 */
export class WaitSketch {
  readonly #bits: number;
  readonly #bins: Float64Array;
  #count = 0;
  #sumUs = 0;
  #mostUs = 0;

  constructor(bits = 7) {
    this.#bits = bits;
    this.#bins = new Float64Array(binCount(bits));
  }

  add(us: number): void {
    const bin = binOf(us, this.#bits);
    this.#bins[bin] = (this.#bins[bin] as number) + 1;
    this.#count++;
    this.#sumUs += us;
    if (us > this.#mostUs) this.#mostUs = us;
  }

  get count(): number {
    return this.#count;
  }

  /** The smallest value that this share of all values does not exceed, to the bin; 0 of nothing. */
  quantileMs(share: number): number {
    return quantileUs(this.#bins, 0, this.#count, share, this.#bits, this.#mostUs) / 1000;
  }

  meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumUs / this.#count / 1000;
  }

  mostMs(): number {
    return this.#mostUs / 1000;
  }
}

/** Bins of one sketch. */
export function binCount(bits: number): number {
  return (mostBits - bits + 1) << bits;
}

/** Bin of a whole number of microseconds below 2⁵³. */
export function binOf(us: number, bits: number): number {
  const high = Math.floor(us / 4294967296);
  const length = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(us);
  if (length <= bits) return us;
  const shift = length - bits - 1;
  const top = shift >= 31 || high > 0 ? Math.floor(us / (powers[shift] as number)) : us >>> shift;
  return (shift << bits) + top;
}

/** Middle of a bin. */
function middleOf(bin: number, bits: number): number {
  const shift = Math.max(0, (bin >> bits) - 1);
  const top = bin - (shift << bits);
  return shift === 0 ? top : (top + 0.5) * (powers[shift] as number);
}

/** Quantile of the bins that begin at `from`, which hold `count` values. */
export function quantileUs(
  bins: Float64Array | Uint32Array,
  from: number,
  count: number,
  share: number,
  bits: number,
  mostUs = Number.POSITIVE_INFINITY,
): number {
  if (count === 0) return 0;
  const rank = Math.max(1, Math.ceil(share * count - 1e-9));
  const bound = binCount(bits);
  let seen = 0;
  for (let bin = 0; bin < bound; bin++) {
    seen += bins[from + bin] as number;
    if (seen >= rank) return Math.min(mostUs, middleOf(bin, bits));
  }
  return mostUs;
}
