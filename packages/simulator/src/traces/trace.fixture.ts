import { fileURLToPath } from 'node:url';
import type { Trace } from '../contract/trace.ts';

export const samplePath = (name: string) => fileURLToPath(new URL(`./samples/${name}`, import.meta.url));

export interface Row {
  atUs: number;
  workload: string;
  input: number | null;
  output: number | null;
}

export async function rowsOf(trace: Trace): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const block of trace.blocks()) {
    for (let index = 0; index < block.count; index++) {
      rows.push({
        atUs: block.atUs[index] ?? Number.NaN,
        workload: trace.workloads[block.workload?.[index] ?? 0] ?? '',
        input: block.inputTokens?.[index] ?? null,
        output: block.outputTokens?.[index] ?? null,
      });
    }
  }
  return rows;
}

/** Requests of each workload. */
export async function totalsOf(trace: Trace): Promise<Record<string, number>> {
  const totals: Record<string, number> = {};
  for (const { workload } of await rowsOf(trace)) totals[workload] = (totals[workload] ?? 0) + 1;
  return totals;
}
