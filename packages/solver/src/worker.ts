// Entry of the planner's thread: one plan or step of a fleet at a time, as plain data.
import { parentPort } from 'node:worker_threads';
import { type FleetSpec, fleetStep, plan } from '@ebb/core';
import type { Answer, Request } from './messages.ts';
import { openSolver } from './openSolver.ts';

const port = parentPort;
if (!port) throw new Error('this module is the entry of a worker thread');

/** The last of each cluster. */
const specs = new Map<string, FleetSpec>();

port.on('message', (request: Request) => {
  make(request).then(
    (answer) => port.postMessage(answer),
    (error: unknown) => {
      const failure: Answer = { type: 'failed', message: error instanceof Error ? error.message : String(error) };
      port.postMessage(failure);
    },
  );
});

async function make(request: Request): Promise<Answer> {
  if (request.type === 'plan') {
    const { input, seed, workUnits, solver } = request.plan;
    return { type: 'planned', plan: plan(input, { solver: await openSolver(solver), seed, workUnits }) };
  }
  const { cluster, fleet } = request;
  const spec = request.spec ?? specs.get(cluster);
  if (!spec) throw new Error(`nothing is known of the fleet of cluster ${cluster}`);
  specs.set(cluster, spec);
  const { memory, observation, solver } = fleet;
  return { type: 'stepped', fleet: fleetStep(spec, memory, observation, await openSolver(solver)) };
}
