/** exp(-x) without a library function, so that it is the same to the last bit everywhere: (1 + x/64)⁻⁶⁴. */
export function decayed(x: number): number {
  let power = 1 / (1 + x / 64);
  for (let square = 0; square < 6; square++) power *= power;
  return power;
}
