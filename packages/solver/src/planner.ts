import { Worker } from 'node:worker_threads';
import type { FleetSpec, Plan } from '@ebb/core';
import type { Answer, FleetAnswer, FleetRequest, PlanRequest, Request } from './messages.ts';

/** About how many units of work a core of 2024 does in a millisecond. The journal has units, so replay does not depend on it. */
export const unitsPerMs = 25;

/** The budget of a plan that may take about so long. */
export function workUnitsOf(budgetMs: number): number {
  return Math.round(budgetMs * unitsPerMs);
}

export interface Planner {
  /** Makes plans one after the other. Rejects where the planner was closed, its thread ended, or the input is no input. */
  plan(request: PlanRequest): Promise<Plan>;
  /** `fleetStep` of the core, in turn with the plans. */
  fleet(request: FleetRequest): Promise<FleetAnswer>;
  /** Ends the thread. What is still asked for is rejected. */
  close(): Promise<void>;
}

// Beside this file, with the same ending: the sources run as they are.
const entry = new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

interface Waiting {
  request: Request;
  done: (answer: Answer) => void;
  failed: (error: Error) => void;
}

/** Plans in a thread of their own, so that nothing else waits. The thread is started by the first plan. */
export function openPlanner(): Planner {
  let worker: Worker | null = null;
  let isClosed = false;
  /** What the thread has of each cluster's fleet. */
  const known = new Map<string, FleetSpec>();
  const waiting: Waiting[] = [];
  let current: Waiting | null = null;

  const next = () => {
    if (current !== null || waiting.length === 0) return;
    worker ??= start();
    current = waiting.shift() ?? null;
    if (!current) return;
    worker.ref();
    // A thread, no window: it has no origin.
    const { request } = current;
    // Its spec was left out, and this thread is not the one that has it.
    const isUnknown = request.type === 'fleet' && request.spec === null && !known.has(request.cluster);
    if (isUnknown) return finish(({ failed }) => failed(new Error('the planner has ended meanwhile')));
    if (request.type === 'fleet' && request.spec) known.set(request.cluster, request.spec);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    worker.postMessage(request);
  };
  const finish = (act: (one: Waiting) => void) => {
    const one = current;
    current = null;
    // A thread that waits for work keeps no process alive.
    worker?.unref();
    if (one) act(one);
    next();
  };
  const start = (): Worker => {
    const thread = new Worker(entry, { execArgv: [] });
    thread.on('message', (answer: Answer) => finish(({ done }) => done(answer)));
    const lost = (error: Error) => {
      if (worker !== thread) return;
      worker = null;
      known.clear();
      finish(({ failed }) => failed(error));
    };
    thread.on('error', lost);
    thread.on('exit', () => lost(new Error('the planner ended')));
    return thread;
  };
  const ask = (request: Request) =>
    new Promise<Answer>((done, failed) => {
      if (isClosed) {
        failed(new Error('the planner is closed'));
        return;
      }
      waiting.push({ request, done, failed });
      next();
    });
  return {
    plan: async (plan) => {
      const answer = await ask({ type: 'plan', plan });
      if (answer.type === 'planned') return answer.plan;
      throw wrongAnswer(answer);
    },
    fleet: async ({ spec, ...fleet }) => {
      const { cluster } = spec;
      const answer = await ask({ type: 'fleet', fleet, cluster, spec: known.get(cluster) === spec ? null : spec });
      if (answer.type === 'stepped') return answer.fleet;
      throw wrongAnswer(answer);
    },
    close: async () => {
      isClosed = true;
      const rest = waiting.splice(0);
      const thread = worker;
      worker = null;
      await thread?.terminate();
      const error = new Error('the planner is closed');
      for (const { failed } of rest) failed(error);
      current?.failed(error);
      current = null;
    },
  };
}

function wrongAnswer(answer: Answer): Error {
  return new Error(answer.type === 'failed' ? answer.message : `the planner answered ${answer.type}`);
}
