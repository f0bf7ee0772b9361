import type { Trace } from '../contract/trace.ts';
import type { ServiceTime } from '../world/serviceTime.ts';

const minuteUs = 60_000_000;

/**
 * Replicas of each workload that the first minute's requests need on average, so that a trace that begins in mid-flight does
 * not begin cold. `concurrency`: services of full speed that a replica has room for.
 */
export async function firstMinuteMean(trace: Trace, service: ServiceTime, concurrency: number): Promise<number[]> {
  const slotUs = new Float64Array(trace.workloads.length);
  let request = 0;
  for await (const block of trace.blocks()) {
    for (let row = 0; row < block.count; row++) {
      if ((block.atUs[row] as number) >= minuteUs) return replicas(slotUs, concurrency);
      const tokens = block.outputTokens ? (block.outputTokens[row] as number) : null;
      const workload = block.workload ? (block.workload[row] as number) : 0;
      slotUs[workload] = (slotUs[workload] as number) + service(request++, tokens);
    }
  }
  return replicas(slotUs, concurrency);
}

function replicas(slotUs: Float64Array, concurrency: number): number[] {
  return Array.from(slotUs, (us) => Math.ceil(us / minuteUs / concurrency));
}
