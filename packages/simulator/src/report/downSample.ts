/** One value for each of `count` equal parts of a curve; fewer where the curve has fewer. */
function downSample(curve: Float64Array, count: number, join: (part: Float64Array) => number): Float64Array {
  const size = Math.min(count, curve.length);
  return Float64Array.from({ length: size }, (_, index) => {
    const from = Math.floor((index * curve.length) / size);
    const to = Math.max(from + 1, Math.floor(((index + 1) * curve.length) / size));
    return join(curve.subarray(from, to));
  });
}

/** Keeps the area: for what is paid for. */
export function means(curve: Float64Array, count: number): Float64Array {
  return downSample(curve, count, (part) => part.reduce((sum, value) => sum + value, 0) / part.length);
}

/** Keeps the peaks: for what must not be hidden. */
export function peaks(curve: Float64Array, count: number): Float64Array {
  return downSample(curve, count, (part) => part.reduce((most, value) => Math.max(most, value), 0));
}
