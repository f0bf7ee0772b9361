/** A level counts as needed for so long after it was last touched; shorter gaps are none. */
export const leastGapMs = 5_000;
export const gapBinCount = 53;
const growth = 1.25;

/** Begin of each bin of gap lengths, ms: 5 s, then a quarter more each time, up to about a week. */
export const gapEdgesMs: Float64Array = edges();

function edges(): Float64Array {
  const found = new Float64Array(gapBinCount + 1);
  let edge = leastGapMs;
  for (let bin = 0; bin <= gapBinCount; bin++) {
    found[bin] = Math.round(edge);
    edge *= growth;
  }
  return found;
}

/** Bin of a gap of this length; the first and the last take what is beyond them. */
export function gapBinOf(lengthMs: number): number {
  let low = 0;
  let high = gapBinCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edgeMs(middle) <= lengthMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function edgeMs(bin: number): number {
  return gapEdgesMs[bin] as number;
}
