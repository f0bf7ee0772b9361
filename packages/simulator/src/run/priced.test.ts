import { decide, type FlowObservation } from '@ebb/core';
import type { WorkloadInput } from '@ebb/documents';
import { replayJournal } from '@ebb/engine';
import { expect, it } from 'vitest';
import { poisson } from '../generators/poisson.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { run, tokenModel } from './simulate.fixture.ts';

it('a rehearsed workload is decided by the flow that the live gateway would count', async () => {
  const model = tokenModel(4);
  const base = comparableWorkload('model', model);
  const priced: WorkloadInput = {
    ...base,
    spec: { ...base.spec, scaling: { maxReplicas: 100, policy: { type: 'priced', onTime: `${model.onTimeMs}ms` } } },
  };
  const trace = poisson({ seed: 4, spanSeconds: 3600, ratePerSecond: 0.2, tokens: { median: 3000, sigma: 0.5 } });
  const result = await run(trace, model, 'priced', { journal: true, startReplicas: 0 }, priced);
  const replayed = replayJournal(result.journal ?? [], decide);
  const flows = replayed.flatMap(({ observation }) => Object.values(observation.flow ?? {}));
  const sum = (of: (flow: FlowObservation) => number) => flows.reduce((total, flow) => total + of(flow), 0);
  expect(result.requests).toBeGreaterThan(500);
  expect(sum(({ arrivals }) => arrivals)).toBe(result.requests);
  // The rehearsal is over with the last answer, before anybody looks again.
  expect(sum(({ answered }) => answered)).toBe(result.served - 1);
  expect(sum(({ late }) => late)).toBe(result.requests - result.onTime);
  // Ten seconds, and what asking and probing take.
  expect(flows.at(-1)?.coldStartMs).toBeGreaterThanOrEqual(10_000);
  expect(flows.at(-1)?.coldStartMs).toBeLessThan(10_100);
  expect(replayed.filter(({ matches }) => matches === false)).toEqual([]);
});
