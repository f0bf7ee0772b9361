import {
  resolveScaledJob,
  resolveScaledObject,
  resolveWorkload,
  type ScaledJobInput,
  type ScaledObjectInput,
  type WorkloadInput,
} from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import type { WorldModel } from '../contract/model.ts';
import type { Trace } from '../contract/trace.ts';
import { simulate, type SimulatedRun, type SimulateOptions } from './simulate.ts';

type Trigger = ScaledObjectInput['spec']['triggers'][number];

export const list: Trigger = { type: 'redis', metadata: { address: 'redis:6379', listName: 'tasks', listLength: '1' } };
export const lag: Trigger = {
  type: 'kafka',
  metadata: { bootstrapServers: 'kafka:9092', topic: 'tasks', consumerGroup: 'workers', lagThreshold: '1' },
};

/** A worker of a queue, and what scales it. */
export function workerDocuments(
  trigger: Trigger,
  scaling: Partial<ScaledObjectInput['spec']> = {},
  spec: Partial<WorkloadInput['spec']> = {},
): ApplyInput[] {
  const workload: WorkloadInput = {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name: 'worker' },
    spec: { classes: [{ command: ['work'], concurrency: 1, terminationGrace: '30s' }], ...spec },
  };
  const scaledObject: ScaledObjectInput = {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'worker' },
    spec: { scaleTargetRef: { name: 'worker' }, triggers: [trigger], ...scaling },
  };
  const { key } = resolveWorkload(workload, { baseDirectory: '/' });
  return [
    { ...workload, key, document: workload, origin: null },
    { ...scaledObject, key: resolveScaledObject(scaledObject).key, document: scaledObject, origin: null },
  ];
}

/** A ScaledJob whose environment nobody has at hand. */
export function jobDocuments(
  trigger: Trigger,
  more: Partial<ScaledJobInput['spec']> = {},
  improvements = false,
  template: Record<string, unknown> = {},
): ApplyInput[] {
  const job: ScaledJobInput = {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledJob',
    metadata: { name: 'worker', annotations: { 'ebb.dev/improvements': String(improvements) } },
    spec: {
      jobTargetRef: {
        ...template,
        template: {
          spec: { containers: [{ name: 'work', image: 'work:1', envFrom: [{ secretRef: { name: 'tasks' } }] }] },
        },
      },
      triggers: [trigger],
      ...more,
    },
  };
  return [{ ...job, key: resolveScaledJob(job).key, document: job, origin: null }];
}

export function rehearseDocuments(
  trace: Trace,
  model: WorldModel,
  documents: readonly ApplyInput[],
  more: Partial<SimulateOptions> = {},
): Promise<SimulatedRun> {
  return simulate({ trace, documents, model, seed: 1, policy: 'ebb', ...more });
}
