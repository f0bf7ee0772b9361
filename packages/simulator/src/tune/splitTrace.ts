import type { PackedTrace } from '../compare/packedTrace.ts';

/** What arrives from one moment on and before another, microseconds; time begins anew at the first. */
export function partOf(trace: PackedTrace, begin: number, end: number, label: string): PackedTrace {
  const [fromUs, toUs] = [Math.round(begin), Math.round(end)];
  const from = firstAt(trace.atUs, fromUs);
  const to = firstAt(trace.atUs, toUs);
  const atUs = new Float64Array(new SharedArrayBuffer(8 * (to - from)));
  for (let row = from; row < to; row++) atUs[row - from] = (trace.atUs[row] as number) - fromUs;
  return {
    about: { ...trace.about, name: `${trace.about.name} (${label})`, spanUs: toUs - fromUs },
    requests: to - from,
    atUs,
    // Views of the same shared memory.
    workload: trace.workload && trace.workload.subarray(from, to),
    inputTokens: trace.inputTokens && trace.inputTokens.subarray(from, to),
    outputTokens: trace.outputTokens && trace.outputTokens.subarray(from, to),
  };
}

function firstAt(atUs: Float64Array, us: number): number {
  let low = 0;
  let high = atUs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((atUs[middle] as number) < us) low = middle + 1;
    else high = middle;
  }
  return low;
}
