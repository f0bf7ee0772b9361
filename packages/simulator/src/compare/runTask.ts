import type { Trace } from '../contract/trace.ts';
import type { RunResult } from '../contract/result.ts';
import { Draws } from '../kernel/draws.ts';
import { oracle } from '../oracle/oracle.ts';
import { requestsOf } from '../oracle/requestsOf.ts';
import { simulate, type SimulateOptions } from '../run/simulate.ts';
import { firstMinuteMean } from '../run/startReplicas.ts';
import { readTrace } from '../traces/readTrace.ts';
import { serviceTime } from '../world/serviceTime.ts';
import { meanColdStart } from './coldStart.ts';
import { unpackTrace } from './packedTrace.ts';
import { staticPeak } from './staticPeak.ts';
import type { BoundResult, BoundTask, RunTask, TraceReference } from './task.ts';

export function openTrace(reference: TraceReference): Promise<Trace> {
  if ('packed' in reference) return Promise.resolve(unpackTrace(reference.packed));
  return readTrace(reference.input, reference.options);
}

/** The optimum of a trace for the same requests and the same replicas at the beginning as the policies get. */
export async function boundOf(trace: Trace, task: BoundTask): Promise<BoundResult> {
  const { model, startReplicas = 0 } = task;
  const service = () => serviceTime(model.service, new Draws(task.seed).fork('service'));
  const serviceUs = service();
  const requests = await requestsOf(trace, (tokens, index) => serviceUs(index, tokens));
  const ready =
    startReplicas === 'first-minute-mean'
      ? await firstMinuteMean(trace, service(), model.concurrency)
      : [startReplicas];
  const { concurrency, onTimeMs, onTimeShare } = model;
  const result = oracle(trace.name, requests, {
    concurrency,
    coldStartMs: meanColdStart(model).ms,
    onTimeMs,
    onTimeShare,
    // The oracle takes one count for all workloads: with the largest the bound stays one.
    readyReplicas: ready.reduce((most, count) => Math.max(most, count), 0),
  });
  return {
    name: trace.name,
    description: trace.description,
    workloads: trace.workloads.length,
    requests: requests.reduce((sum, { atUs }) => sum + atUs.length, 0),
    spanMs: Math.max(Math.round(trace.spanUs / 1000), task.spanMs ?? 0),
    arrivals: trace.arrivals,
    oracle: result,
    staticPeak: task.needsStaticPeak ? staticPeak(requests, { concurrency, onTimeMs, onTimeShare }) : null,
  };
}

export async function runOf(trace: Trace, task: RunTask, onProgress: (share: number) => void): Promise<RunResult> {
  const { documents, model, seed, policy, price, startReplicas, spanMs = 0 } = task;
  const world = task.worldModule === null ? {} : await worldOf(task.worldModule);
  const options: SimulateOptions = { ...world, trace, documents, model, seed, policy, price, spanMs, onProgress };
  const { journal: _, ...result } = await simulate(
    startReplicas === undefined ? options : { ...options, startReplicas },
  );
  return result;
}

async function worldOf(url: string): Promise<Pick<SimulateOptions, 'scheduleScaler' | 'targetOf'>> {
  const module: Record<string, unknown> = await import(url);
  const { scheduleScaler, targetOf } = module;
  const world: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ scheduleScaler, targetOf })) {
    if (value === undefined) continue;
    if (typeof value !== 'function') throw new TypeError(`${url} exports ${name}, which is no function`);
    world[name] = value;
  }
  return world;
}
