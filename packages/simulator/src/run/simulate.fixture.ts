import type { WorkloadInput } from '@ebb/documents';
import { comparableModel, type WorldFaults, type WorldModel } from '../contract/model.ts';
import type { Trace, TraceBlock } from '../contract/trace.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { policyDocuments } from '../policies/registry.ts';
import { simulate, type SimulatedRun, type SimulateOptions } from './simulate.ts';

/** A trace of the moments given; output tokens are milliseconds of service under `tokenModel`. */
export function traceOf(
  rows: readonly { atUs: number; tokens: number; workload?: number }[],
  workloads: readonly string[] = ['model'],
  blockSize = 1000,
): Trace {
  return {
    name: 'made',
    description: '',
    workloads,
    spanUs: rows.at(-1)?.atUs ?? 0,
    arrivals: 'recorded',
    hasTokens: true,
    *blocks(): Generator<TraceBlock> {
      for (let from = 0; from < rows.length; from += blockSize) {
        const part = rows.slice(from, from + blockSize);
        yield {
          count: part.length,
          atUs: Float64Array.from(part, ({ atUs }) => atUs),
          workload: workloads.length > 1 ? Uint32Array.from(part, ({ workload = 0 }) => workload) : null,
          inputTokens: null,
          outputTokens: Uint32Array.from(part, ({ tokens }) => tokens),
        };
      }
    },
  };
}

/** A token is a millisecond of service; cold starts take ten seconds. */
export function tokenModel(concurrency: number, faults: Partial<WorldFaults> = {}): WorldModel {
  const base = comparableModel(10_000);
  return {
    ...base,
    concurrency,
    service: { type: 'tokens', baseMs: 0, perTokenMs: 1, withoutTokensMs: 1000 },
    faults: { ...base.faults, ...faults },
  };
}

export function run(
  trace: Trace,
  model: WorldModel,
  policy: string,
  more: Partial<SimulateOptions> = {},
  base: WorkloadInput = comparableWorkload('model', model),
): Promise<SimulatedRun> {
  const documents = policyDocuments(policy, base, { model, maxReplicas: 1000 });
  return simulate({ trace, documents, model, seed: 1, policy, ...more });
}
