import type { OracleRequests } from '../oracle/model.ts';

export interface StaticTerms {
  concurrency: number;
  onTimeMs: number;
  onTimeShare: number;
  /** How many times longer a service takes where no slot is free; every one is taken to be so slow. */
  slowdown: number;
}

/** More replicas than this are not tried. */
const mostReplicas = 99_999;

/**
 * Smallest constant count of replicas, the same for each workload, with which the share is on time: first come, first
 * served by `count × concurrency` slots. The wait never grows with the count, so halving finds it. Null: no count does.
 */
export function staticPeak(workloads: readonly OracleRequests[], terms: StaticTerms): number | null {
  const total = workloads.reduce((sum, { atUs }) => sum + atUs.length, 0);
  const mostLate = Math.floor(total * (1 - terms.onTimeShare) + 1e-9);
  const keeps = (count: number) => {
    let late = 0;
    for (const requests of workloads) late += lateWith(requests, count, terms);
    return late <= mostLate;
  };
  let enough = 1;
  while (!keeps(enough)) {
    if (enough === mostReplicas) return null;
    enough = Math.min(mostReplicas, enough * 2);
  }
  let tooFew = Math.floor(enough / 2);
  while (enough - tooFew > 1) {
    const middle = Math.floor((enough + tooFew) / 2);
    if (keeps(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

function lateWith({ atUs, serviceUs }: OracleRequests, count: number, terms: StaticTerms): number {
  const { concurrency, onTimeMs, slowdown } = terms;
  const onTimeUs = onTimeMs * 1000;
  // A heap of the moments at which slots come free; those never used are free at 0.
  const freeUs = new Float64Array(count * concurrency);
  let late = 0;
  for (let index = 0; index < atUs.length; index++) {
    const at = atUs[index] as number;
    const begin = Math.max(at, freeUs[0] as number);
    if (begin - at > onTimeUs) late++;
    replaceLeast(freeUs, begin + slowdown * (serviceUs[index] as number));
  }
  return late;
}

function replaceLeast(heap: Float64Array, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
    if ((heap[child] as number) >= value) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = value;
}
