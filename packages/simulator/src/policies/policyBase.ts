import {
  apiVersion,
  keyText,
  resolveJobTemplate,
  resolveScaledJob,
  resolveScaledObject,
  resolveWorkload,
  type ScaledJobInput,
  type WorkloadInput,
} from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import type { WorldModel } from '../contract/model.ts';
import { consumesQueue, type Rehearsed } from '../run/scenario.ts';
import { patientServing } from './comparableWorkload.ts';

/** What the policies of a comparison decide on in the place of a document. */
export interface RehearsedBase {
  workload: WorkloadInput;
  maxReplicas: number;
  /** What the document itself works on when it is rehearsed as it is. */
  source: Rehearsed['source'];
}

/** KEDA's, where a ScaledJob names none. */
const usualMaxJobs = 100;

/**
 * A Workload for the policies that decide on one. Work that waits at a broker waits as long as it takes, so it is held as
 * patiently at the gateway, which is where they count. For a ScaledJob it is the command of its Jobs, one request at a time.
 * `others`: what is rehearsed with it. Throws `InvalidDocumentError` where a document is not valid.
 */
export function policyBase(
  document: WorkloadInput | ScaledJobInput,
  others: readonly ApplyInput[],
  source?: WorldModel['source'],
): RehearsedBase {
  if (document.kind === 'ScaledJob') return baseOfJob(document);
  const { key, scaling } = resolveWorkload(document, { baseDirectory: '/' });
  const scaled = others.filter((one) => one.kind === 'ScaledObject' && scales(one.document, keyText(key)));
  const isQueue = scaled.some((one) => (source ? source === 'queue' : consumesQueue(document, one.document)));
  const { maxReplicas } = scaling;
  if (!isQueue) return { workload: document, maxReplicas, source: 'gateway' };
  const { spec } = document;
  const workload = { ...document, spec: { ...spec, serving: { ...spec.serving, ...patientServing } } };
  return { workload, maxReplicas, source: 'queue' };
}

function scales(scaledObject: unknown, workload: string): boolean {
  const { key, target } = resolveScaledObject(scaledObject);
  return keyText({ ...key, name: target.name }) === workload;
}

function baseOfJob(document: ScaledJobInput): RehearsedBase {
  const { key, jobTemplate, envSourceContainerName, maxReplicas } = resolveScaledJob(document);
  const { command } = resolveJobTemplate(jobTemplate, envSourceContainerName);
  const workload: WorkloadInput = {
    apiVersion,
    kind: 'Workload',
    metadata: { name: key.name, namespace: key.namespace },
    spec: {
      classes: [{ command: command.length > 0 ? command : ['job'], concurrency: 1 }],
      serving: patientServing,
    },
  };
  return { workload, maxReplicas: maxReplicas ?? usualMaxJobs, source: 'jobs' };
}
