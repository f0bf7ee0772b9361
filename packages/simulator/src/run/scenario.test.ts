import { describe, expect, it } from 'vitest';
import { keyText, type WorkloadInput } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import { comparableModel } from '../contract/model.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { policyDocuments } from '../policies/registry.ts';
import { jobDocuments, list } from './queueScenario.fixture.ts';
import { scenarioOf } from './scenario.ts';
import { traceOf } from './simulate.fixture.ts';

const model = comparableModel(1000);
const documentsOf = (name: string, policy = 'windows'): ApplyInput[] =>
  policyDocuments(policy, comparableWorkload(name, model), { model, maxReplicas: 10 });
const names = Array.from({ length: 12 }, (_, index) => `hash ${index}`);

describe('scenarioOf', () => {
  it('gives the single workload of a trace to the single Workload, whatever their names', () => {
    const { workloads, documents } = scenarioOf(traceOf([], ['x']), documentsOf('chat'));
    expect(workloads.map(({ key }) => key.name)).toEqual(['chat']);
    expect(documents).toHaveLength(1);
  });

  it('copies a single Workload, and what scales it, for each workload of the trace', () => {
    const { workloads, documents, scaledBy } = scenarioOf(traceOf([], names), documentsOf('chat', 'keda'));
    expect(workloads.map(({ key }) => key.name)).toEqual(
      names.map((_, index) => `chat-${String(index).padStart(2, '0')}`),
    );
    expect(documents).toHaveLength(24);
    expect(
      [...scaledBy].map(([key, number]) => [
        key,
        keyText(workloads[number]?.key ?? { cluster: '', namespace: '', name: '' }),
      ]),
    ).toEqual(workloads.map(({ key }) => [keyText(key), keyText(key)]));
  });

  it('finds several Workloads by their names, in the trace’s order', () => {
    const documents = [...documentsOf('b'), ...documentsOf('a'), ...documentsOf('unused')];
    const { workloads } = scenarioOf(traceOf([], ['a', 'b']), documents);
    expect(workloads.map(({ key }) => key.name)).toEqual(['a', 'b']);
  });

  it('says what does not fit', () => {
    const two = [...documentsOf('a'), ...documentsOf('b')];
    expect(() => scenarioOf(traceOf([], ['a', 'c']), two)).toThrow('has requests for c, but the Workloads are a, b');
    const [, scaledObject] = documentsOf('other', 'keda');
    expect(() => scenarioOf(traceOf([]), [...documentsOf('a'), scaledObject as ApplyInput])).toThrow('scales other');
    expect(() => scenarioOf(traceOf([]), [scaledObject as ApplyInput])).toThrow('found ScaledObject');
    const jobs = [...jobDocuments(list), ...documentsOf('a')];
    expect(() => scenarioOf(traceOf([], ['a', 'c']), jobs)).toThrow('the Workloads and ScaledJobs are worker, a');
    const broken: WorkloadInput = { ...comparableWorkload('a', model), spec: { classes: [] } };
    const input = { ...(documentsOf('a')[0] as ApplyInput), document: broken };
    expect(() => scenarioOf(traceOf([]), [input])).toThrow('classes');
  });
});
