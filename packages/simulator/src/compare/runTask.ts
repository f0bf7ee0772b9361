import type { Trace } from '../contract/trace.ts';
import type { RunResult } from '../contract/result.ts';
import { Draws } from '../kernel/draws.ts';
import { oracle } from '../oracle/oracle.ts';
import { requestsOf } from '../oracle/requestsOf.ts';
import type { RunSoFar } from '../run/books.ts';
import { simulate, type SimulatedRun, type SimulateOptions } from '../run/simulate.ts';
import { firstMinuteMean } from '../run/startReplicas.ts';
import { readTrace } from '../traces/readTrace.ts';
import { isBeaten } from '../tune/objective.ts';
import { fullSlowdown } from '../world/batching.ts';
import { worldsOf } from '../world/classModel.ts';
import { deferrals } from '../world/deferrals.ts';
import { serviceTime } from '../world/serviceTime.ts';
import { meanColdStart } from './coldStart.ts';
import { unpackTrace } from './packedTrace.ts';
import { staticPeak } from './staticPeak.ts';
import type { BoundResult, BoundTask, RaceResult, RaceTask, RunTask, TraceReference } from './task.ts';

export function openTrace(reference: TraceReference): Promise<Trace> {
  if ('packed' in reference) return Promise.resolve(unpackTrace(reference.packed));
  return readTrace(reference.input, reference.options);
}

/** The optimum of a trace for the same requests and the same replicas at the beginning as the policies get. */
export async function boundOf(trace: Trace, task: BoundTask): Promise<BoundResult> {
  const { model, startReplicas = 0 } = task;
  const service = () => serviceTime(model.service, new Draws(task.seed).fork('service'));
  const worlds = worldsOf(model);
  const services = worlds.map((world) => serviceTime(world.service, new Draws(task.seed).fork('service')));
  const mayDefer = deferrals(model, task.seed);
  // What may wait need not be served when the others are: without it no schedule costs more, so the bound stays one.
  const deferred = new Set<number>();
  const isLeftOut = (index: number) => mayDefer(index) !== null && deferred.add(index).size > 0;
  const requestsBy = (choose: (...lengths: number[]) => number) =>
    requestsOf(trace, (tokens, index) => choose(...services.map((us) => us(index, tokens))), isLeftOut);
  // Each request on the class that is quickest with it, and the quickest start: no schedule is better off.
  const requests = await requestsBy(Math.min);
  const { concurrency, onTimeMs } = model;
  const counted = requests.reduce((sum, { atUs }) => sum + atUs.length, 0);
  const all = counted + deferred.size;
  // As many may be late as of all requests.
  const onTimeShare = counted === all ? model.onTimeShare : Math.max(0, 1 - ((1 - model.onTimeShare) * all) / counted);
  const slowdown = fullSlowdown(model);
  const terms = { concurrency, onTimeMs, onTimeShare, slowdown };
  const ready =
    startReplicas === 'first-minute-mean'
      ? await firstMinuteMean(trace, service(), concurrency / slowdown)
      : [startReplicas];
  const result = oracle(trace.name, requests, {
    concurrency,
    coldStartMs: Math.min(...worlds.map((world) => meanColdStart(world).ms)),
    onTimeMs,
    onTimeShare,
    // The oracle takes one count for all workloads: with the largest the bound stays one.
    readyReplicas: ready.reduce((most, count) => Math.max(most, count), 0),
  });
  return {
    name: trace.name,
    description: trace.description,
    workloads: trace.workloads.length,
    requests: all,
    spanMs: Math.max(Math.round(trace.spanUs / 1000), task.spanMs ?? 0),
    arrivals: trace.arrivals,
    oracle: result,
    // Whatever class serves them.
    staticPeak: task.needsStaticPeak
      ? staticPeak(worlds.length > 1 ? await requestsBy(Math.max) : requests, terms)
      : null,
  };
}

export async function runOf(trace: Trace, task: RunTask, onProgress: (share: number) => void): Promise<RunResult> {
  const { journal: _, stopped: __, ...result } = await simulated(trace, task, { onProgress });
  return result;
}

/** The run, unless it was beaten on the way. */
export async function raceOf(trace: Trace, task: RaceTask, onProgress: (share: number) => void): Promise<RaceResult> {
  const { rival } = task;
  const stopWhen = (soFar: RunSoFar) => isBeaten(soFar, rival);
  const { journal: _, stopped, ...run } = await simulated(trace, task, { onProgress, stopWhen });
  return stopped ? { type: 'stopped', soFar: stopped } : { type: 'run', run };
}

async function simulated(
  trace: Trace,
  task: RunTask | RaceTask,
  more: Pick<SimulateOptions, 'onProgress' | 'stopWhen'>,
): Promise<SimulatedRun> {
  const { documents, model, seed, policy, price, startReplicas, spanMs = 0 } = task;
  const world = task.worldModule === null ? {} : await worldOf(task.worldModule);
  const options: SimulateOptions = { ...world, trace, documents, model, seed, policy, price, spanMs, ...more };
  return simulate(startReplicas === undefined ? options : { ...options, startReplicas });
}

async function worldOf(url: string): Promise<Pick<SimulateOptions, 'scheduleScaler' | 'targetOf' | 'nodes'>> {
  const module: Record<string, unknown> = await import(url);
  const { scheduleScaler, targetOf, nodes } = module;
  const world: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ scheduleScaler, targetOf, nodes })) {
    if (value === undefined) continue;
    if (typeof value !== 'function') throw new TypeError(`${url} exports ${name}, which is no function`);
    world[name] = value;
  }
  return world;
}
