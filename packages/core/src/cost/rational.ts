const msPerHour = 3_600_000n;

/** Micro-units of what was paid, of a sum of prices an hour times milliseconds; rounded half up, once. */
export function microOf(priceMs: bigint): bigint {
  return roundDiv(priceMs, msPerHour);
}

/** Quotient of two non-negative integers, rounded half up. */
export function roundDiv(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator);
}

/**
 * Whole parts that add up to `total`, in proportion to the weights: each is rounded down, and what is left goes to the
 * largest remainders, one each, earlier ones first at a tie. All zero weights: everything to nobody.
 */
export function apportion(total: bigint, weights: readonly bigint[]): bigint[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0n);
  if (whole === 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => (total * weight) / whole);
  let left = total - parts.reduce((sum, part) => sum + part, 0n);
  const order = weights
    .map((weight, index) => ({ index, remainder: (total * weight) % whole }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of order) {
    if (left === 0n) break;
    parts[index] = (parts[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return parts;
}
