const halfLimit = 0.5;

/**
 * x to the power of y as Go's math.Pow computes it: the whole part of the exponent by repeated squaring, the rest by
 * exp and log. For whole exponents the result is Go's bit by bit, which Math.pow's is not; for others it depends on
 * the last bit of exp and log.
 */
export function power(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (y === 1) return x;
  if (x === -1 && !Number.isFinite(y) && !Number.isNaN(y)) return 1;
  if (y === 0.5 && x !== 0 && Number.isFinite(x)) return Math.sqrt(x);
  if (y === -0.5 && x !== 0 && Number.isFinite(x)) return 1 / Math.sqrt(x);
  const exponent = Math.abs(y);
  let whole = Math.trunc(exponent);
  let rest = exponent - whole;
  // Zeros, infinities, NaN and results that certainly overflow are the same everywhere.
  if (x === 0 || !Number.isFinite(x) || !Number.isFinite(y) || whole >= 2 ** 63 || (rest !== 0 && x < 0)) return x ** y;
  let product = 1;
  if (rest !== 0) {
    if (rest > halfLimit) {
      rest -= 1;
      whole += 1;
    }
    product = Math.exp(rest * Math.log(x));
  }
  return raiseTo(x, BigInt(whole), product, y < 0);
}

/** product × x^whole, or one over it; mantissa and power of two apart, so that nothing on the way over- or underflows. */
function raiseTo(x: number, whole: bigint, product: number, isInverse: boolean): number {
  let [base, baseExponent] = split(x);
  let mantissa = product;
  let exponent = 0;
  for (let left = whole; left !== 0n; left >>= 1n) {
    if (Math.abs(baseExponent) > 4096) {
      // The result cannot come back into range.
      exponent += baseExponent;
      break;
    }
    if (left & 1n) {
      mantissa *= base;
      exponent += baseExponent;
    }
    base *= base;
    baseExponent *= 2;
    if (base < halfLimit) {
      base *= 2;
      baseExponent -= 1;
    }
  }
  return isInverse ? scale(1 / mantissa, -exponent) : scale(mantissa, exponent);
}

/** x = mantissa × 2^exponent with |mantissa| in [0.5, 1); x is finite and not zero. */
function split(x: number): [mantissa: number, exponent: number] {
  let mantissa = x;
  let exponent = 0;
  if (Math.abs(mantissa) < 2 ** -1022) {
    mantissa *= 2 ** 54;
    exponent -= 54;
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, mantissa);
  const high = view.getUint32(0);
  exponent += ((high >>> 20) & 0x7ff) - 1022;
  view.setUint32(0, (high & 0x800fffff) | (1022 << 20));
  return [view.getFloat64(0), exponent];
}

/** mantissa × 2^exponent, rounded once. */
function scale(mantissa: number, exponent: number): number {
  const [part, own] = split(mantissa);
  const power = own + exponent;
  if (power > 1024) return part * Number.POSITIVE_INFINITY;
  // 2^-1074 is the smallest float: the last factor brings the single rounding.
  return power > -1021 ? part * 2 * 2 ** (power - 1) : part * 2 ** -1021 * 2 ** Math.max(power + 1021, -60);
}
