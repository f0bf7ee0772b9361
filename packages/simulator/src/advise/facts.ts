import type { Trace } from '../contract/trace.ts';
import { WaitSketch } from '../kernel/waitSketch.ts';
import type { ServiceTime } from '../world/serviceTime.ts';

/** What a trace says before anything is rehearsed. */
export interface LoadFacts {
  requests: number;
  workloads: number;
  spanMs: number;
  requestsPerDay: number;
  /** Share of the time in which nothing is in service when nobody waits; the mean over the workloads. */
  idleShare: number;
  /** The same, only of gaps that are longer than so much. */
  idleShareLonger: { thanMs: number; share: number }[];
  /** Times without a request in service, between two that had one. */
  gaps: { count: number; p10Ms: number; p50Ms: number; p90Ms: number; p99Ms: number; mostMs: number };
  /** Share of the gaps that are longer than the first of the lengths asked for. */
  longerGaps: number;
}

const sketchBits = 7;

/**
 * Reads a trace once, in memory that does not grow with it. A gap begins when the last request that came would have been
 * served without waiting, and ends with the next; the quantiles are right to half a per cent.
 */
export async function loadFacts(
  trace: Trace,
  service: ServiceTime,
  lengthsMs: readonly number[],
  leastSpanMs = 0,
): Promise<LoadFacts> {
  const spanUs = Math.max(trace.spanUs, leastSpanMs * 1000);
  const workloads = Math.max(1, trace.workloads.length);
  /** End of all that is in service, by workload; before the first request there is a gap as well. */
  const endUs = new Float64Array(workloads);
  const sketch = new WaitSketch(sketchBits);
  const longerUs = lengthsMs.map(() => 0);
  let [idleUs, requests, longerGaps] = [0, 0, 0];
  const gap = (us: number) => {
    if (us <= 0) return;
    sketch.add(Math.round(us));
    idleUs += us;
    if (us > (lengthsMs[0] ?? 0) * 1000) longerGaps++;
    for (const [index, ms] of lengthsMs.entries()) if (us > ms * 1000) longerUs[index] = (longerUs[index] ?? 0) + us;
  };
  for await (const { count, atUs, workload, outputTokens } of trace.blocks()) {
    for (let row = 0; row < count; row++) {
      const at = atUs[row] as number;
      const own = workload ? (workload[row] as number) : 0;
      const before = endUs[own] as number;
      gap(at - before);
      endUs[own] = Math.max(before, at + service(requests++, outputTokens ? (outputTokens[row] as number) : null));
    }
  }
  for (const end of endUs) gap(spanUs - end);
  const wholeUs = Math.max(1, spanUs * workloads);
  return {
    requests,
    workloads,
    spanMs: Math.round(spanUs / 1000),
    requestsPerDay: (requests / Math.max(1, spanUs)) * 86_400e6,
    idleShare: idleUs / wholeUs,
    idleShareLonger: lengthsMs.map((thanMs, index) => ({ thanMs, share: (longerUs[index] ?? 0) / wholeUs })),
    gaps: {
      count: sketch.count,
      p10Ms: sketch.quantileMs(0.1),
      p50Ms: sketch.quantileMs(0.5),
      p90Ms: sketch.quantileMs(0.9),
      p99Ms: sketch.quantileMs(0.99),
      mostMs: sketch.mostMs(),
    },
    longerGaps: sketch.count === 0 ? 0 : longerGaps / sketch.count,
  };
}
