// Entry of the planner's thread: one plan at a time, as plain data.
import { parentPort } from 'node:worker_threads';
import { plan } from '@ebb/core';
import type { PlanAnswer, PlanRequest } from './messages.ts';
import { openSolver } from './openSolver.ts';

const port = parentPort;
if (!port) throw new Error('this module is the entry of a worker thread');

port.on('message', (request: PlanRequest) => {
  make(request).then(
    (answer) => port.postMessage(answer),
    (error: unknown) => {
      const failure: PlanAnswer = { type: 'failed', message: error instanceof Error ? error.message : String(error) };
      port.postMessage(failure);
    },
  );
});

async function make({ input, seed, workUnits, solver }: PlanRequest): Promise<PlanAnswer> {
  return { type: 'planned', plan: plan(input, { solver: await openSolver(solver), seed, workUnits }) };
}
