/**
 * Logarithm, exponential, square root and the normal quantile from sums, products and quotients alone, which IEEE 754
 * rounds in one way only. `Math.log`, `Math.exp` and their like may differ in the last bit from engine to engine, and
 * one bit is enough to make another run of a simulation.
 */

const ln2 = 0.6931471805599453;

/** Natural logarithm of a positive finite number; relative error under 1e-14. */
export function ln(value: number): number {
  if (!(value > 0) || value === Number.POSITIVE_INFINITY) throw new RangeError(`no logarithm of ${value}`);
  let mantissa = value;
  let exponent = 0;
  for (; mantissa >= 1.5; exponent++) mantissa /= 2;
  for (; mantissa < 0.75; exponent--) mantissa *= 2;
  // ln m = 2 artanh((m − 1) / (m + 1)); the argument is at most 1/5.
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let sum = 0;
  for (let power = 25; power >= 1; power -= 2) sum = sum * square + 1 / power;
  return exponent * ln2 + 2 * ratio * sum;
}

/** e to the power; relative error under 1e-13 for |power| up to 700. */
export function exp(power: number): number {
  const doublings = Math.round(power / ln2);
  const rest = power - doublings * ln2;
  let sum = 1;
  for (let term = 16; term >= 1; term--) sum = 1 + (sum * rest) / term;
  for (let step = 0; step < doublings; step++) sum *= 2;
  for (let step = 0; step > doublings; step--) sum /= 2;
  return sum;
}

/** Square root by Newton's iteration. */
export function squareRoot(value: number): number {
  if (value <= 0) return 0;
  let root = exp(ln(value) / 2);
  for (let step = 0; step < 4; step++) root = (root + value / root) / 2;
  return root;
}

const central = {
  above: [
    -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
    2.506628277459239,
  ],
  below: [
    -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1,
  ],
};
const tail = {
  above: [
    -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ],
  below: [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1],
};
const tailShare = 0.02425;

/** Quantile of the standard normal distribution at a share within (0, 1), after Acklam: relative error under 1.2e-9. */
export function normalQuantile(share: number): number {
  if (share > 0.5) return -normalQuantile(1 - share);
  if (share < tailShare) {
    const far = squareRoot(-2 * ln(share));
    return polynomial(tail.above, far) / polynomial(tail.below, far);
  }
  const offset = share - 0.5;
  const square = offset * offset;
  return (offset * polynomial(central.above, square)) / polynomial(central.below, square);
}

function polynomial(coefficients: readonly number[], at: number): number {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * at + coefficient;
  return sum;
}
