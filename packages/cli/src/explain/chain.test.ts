import { decide, type Memory, type Observation, type WorkloadDecisionSpec, windowsSpecOf } from '@ebb/core';
import { workloadSpec } from '@ebb/testing';
import { expect, test } from 'vitest';
import { chainOf } from './chain.ts';

const nowMs = 1_000_000_000;

function told(spec: WorkloadDecisionSpec, seen: { ready?: number; inFlight?: number; held?: number }, mean?: number) {
  const observation: Observation = {
    nowMs,
    causes: ['reading'],
    readings:
      mean === undefined
        ? []
        : [
            {
              trigger: 'concurrency',
              class: 'default',
              value: mean,
              peak: null,
              spanMs: 10_000,
              atMs: nowMs,
              state: 'ok',
            },
          ],
    classes: { default: { ready: 0, starting: 0, draining: 0, failed: 0, inFlight: 0, held: 0, ...seen } },
    lastActiveAtMs: nowMs,
    countsKnown: true,
  };
  const memoryBefore: Memory | null = null;
  const { decision } = decide(spec, memoryBefore, observation);
  const record = { sequence: 1, segment: 1, atMs: nowMs, workload: spec.workload };
  const lines = decision.reasons.map(({ stage, code }) => ({ stage, code, sentence: code }));
  return chainOf(
    {
      workload: spec.workload,
      decision: { ...record, kind: 'decision', body: { type: 'decided', decision } },
      grant: { ...record, kind: 'grant', body: { grant: { classes: decision.classes } } },
      actions: [],
      lines,
    },
    { workload: spec.workload, spec, memoryBefore, observation, decision },
  );
}

const spec = (maxReplicas: number) => windowsSpecOf(workloadSpec('web', { scaling: { maxReplicas } }));

test('every step of the chain is there, in order, with numbers for those that changed nothing', () => {
  const chain = told(spec(5), { ready: 1, inFlight: 1, held: 1 }, 3);
  const stages = chain.map(({ stage }) => stage).filter((stage, index, all) => stage !== all[index - 1]);
  expect(stages).toEqual(['reading', 'recommendation', 'combine', 'gate', 'behavior', 'bounds', 'grant']);
  const sentences = chain.map(({ sentence }) => sentence);
  expect(sentences).toContain('default: 1 ready, 1 in flight, 1 held.');
  expect(sentences).toContain('concurrency: 3 on average over 10.0 s.');
  expect(sentences).toContain('Within 0 and 5: 3 replicas.');
  expect(sentences).toContain('Granted: 3 replicas.');
});

test('a step that changed something is told as it was recorded, and not twice', () => {
  const chain = told(spec(2), { ready: 1, inFlight: 1, held: 5 });
  expect(chain.filter(({ stage }) => stage === 'bounds')).toMatchObject([{ sentence: 'capped-at-max' }]);
  expect(chain.at(-1)?.sentence).toBe('Granted: 2 replicas.');
});

test('without the inputs only what was recorded is told', () => {
  const lines = [{ stage: 'gate', code: 'gate-closed', sentence: 'At zero, nobody waits.' }];
  const explanation = { workload: 'local/default/web', decision: null, grant: null, actions: [], lines };
  expect(chainOf(explanation, null)).toEqual(lines);
});
