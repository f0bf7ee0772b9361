import type { Trace } from '../contract/trace.ts';
import { Column } from './column.ts';
import type { OracleRequests } from './model.ts';

/**
 * The requests of each workload of a trace, with the length of each service. `serviceUs` is asked once a request, in order of
 * arrival over all workloads; `isLeftOut` by the same number.
 */
export async function requestsOf(
  trace: Trace,
  serviceUs: (outputTokens: number | null, index: number) => number,
  isLeftOut: (index: number) => boolean = () => false,
): Promise<OracleRequests[]> {
  const columns = trace.workloads.map(() => ({ at: new Column(), service: new Column() }));
  let total = 0;
  for await (const { count, atUs, workload, outputTokens } of trace.blocks()) {
    for (let index = 0; index < count; index++) {
      const column = columns[workload?.[index] ?? 0];
      const lengthUs = serviceUs(outputTokens?.[index] ?? null, total);
      if (isLeftOut(total++)) continue;
      column?.at.push(atUs[index] ?? 0);
      column?.service.push(lengthUs);
    }
  }
  return columns.map(({ at, service }) => ({ atUs: at.values(), serviceUs: service.values() }));
}
