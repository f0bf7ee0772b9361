import {
  keyText,
  type ObjectKey,
  resolveScaledJob,
  resolveScaledObject,
  resolveWorkload,
  type ScaledJobSpec,
  type WorkloadSpec,
} from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import type { WorldModel } from '../contract/model.ts';
import type { Trace } from '../contract/trace.ts';
import { isBroker } from '../world/brokerCount.ts';
import { rehearsedTemplate } from './jobTemplate.ts';

/** Where the requests of one of the trace's workloads go, and what works on them. */
export type Rehearsed =
  /** `gateway`: the gateway gives them to replicas. `queue`: replicas take them from the queue of a broker. */
  | { source: 'gateway' | 'queue'; key: ObjectKey; workload: WorkloadSpec }
  /** Each Job of a ScaledJob takes one from the queue of a broker. */
  | { source: 'jobs'; key: ObjectKey; job: ScaledJobSpec };

/** What is rehearsed: documents, and what serves which of the trace's names. */
export interface Scenario {
  documents: ApplyInput[];
  /** By the trace's numbers. */
  workloads: Rehearsed[];
  /** Numbers of the workloads that ScaledObjects scale, by key of the ScaledObject. */
  scaledBy: Map<string, number>;
}

/** Kinds that work on the requests of a trace. */
const serving = ['Workload', 'ScaledJob'];

/**
 * Finds what serves each of the trace's names. A single Workload or ScaledJob serves them all: the only one of the trace
 * directly, several as copies of it, with copies of what scales it. Several are found by their names.
 * Throws where one is missing or a document is not valid.
 */
export function scenarioOf(trace: Trace, inputs: readonly ApplyInput[], source?: WorldModel['source']): Scenario {
  const templates = inputs.filter(({ kind }) => serving.includes(kind));
  if (templates.length === 0) {
    throw new Error(`a rehearsal needs a Workload or a ScaledJob; found ${kindsOf(inputs) || 'no document'}`);
  }
  const isCopied = templates.length === 1 && trace.workloads.length > 1;
  const documents = (isCopied ? copies(inputs, trace.workloads.length) : [...inputs]).map(rehearsable);
  const found = documents.filter(({ kind }) => serving.includes(kind)).map((input) => rehearsed(input));
  const workloads = templates.length === 1 ? found : named(trace, found);
  const scaling = scaledBy(documents, workloads, source);
  return { documents, workloads, scaledBy: scaling };
}

/**
 * Whether a Workload takes its work from the queue of a broker: everything that its ScaledObject reads is one, and no
 * route leads to it that somebody wrote. Where nothing scales it by a source outside, nobody but the gateway knows of work.
 */
export function consumesQueue(workload: unknown, scaledObject: unknown): boolean {
  const outside = resolveScaledObject(scaledObject).triggers.filter(({ type }) => type !== 'cpu' && type !== 'memory');
  const routes = objectOf(objectOf(objectOf(workload)['spec'])['serving'])['routes'];
  const isRouted = Array.isArray(routes) && routes.length > 0;
  return !isRouted && outside.length > 0 && outside.every(({ type }) => isBroker(type));
}

function kindsOf(inputs: readonly ApplyInput[]): string {
  return [...new Set(inputs.map(({ kind }) => kind))].join(', ');
}

/** A process needs no environment here, and the objects that it comes from are not at hand. */
function rehearsable(input: ApplyInput): ApplyInput {
  return input.kind === 'ScaledJob' ? { ...input, document: rehearsedTemplate(input.document) } : input;
}

function rehearsed({ kind, document }: ApplyInput): Rehearsed {
  if (kind === 'ScaledJob') {
    const job = resolveScaledJob(document);
    return { source: 'jobs', key: job.key, job };
  }
  const workload = resolveWorkload(document, { baseDirectory: '/' });
  return { source: 'gateway', key: workload.key, workload };
}

function named(trace: Trace, all: readonly Rehearsed[]): Rehearsed[] {
  return trace.workloads.map((name) => {
    const found = all.filter(({ key }) => key.name === name);
    const [one, other] = found;
    if (one && other && one.source !== other.source) {
      throw new Error(`trace ${trace.name}: ${name} is the name of a Workload and of a ScaledJob; leave one out`);
    }
    if (one) return one;
    const known = all.map(({ key }) => key.name).join(', ');
    const kinds = all.some(({ source }) => source === 'jobs') ? 'Workloads and ScaledJobs' : 'Workloads';
    throw new Error(
      `trace ${trace.name} has requests for ${name}, but the ${kinds} are ${known}; a single one would serve them all`,
    );
  });
}

/** Every document that is bound to the one workload, once for each of the trace's workloads. */
function copies(inputs: readonly ApplyInput[], count: number): ApplyInput[] {
  const width = String(count - 1).length;
  return Array.from({ length: count }, (_, number) => {
    const suffix = `-${String(number).padStart(width, '0')}`;
    return inputs.map((input) => copy(input, suffix));
  }).flat();
}

function copy(input: ApplyInput, suffix: string): ApplyInput {
  if (!serving.includes(input.kind) && input.kind !== 'ScaledObject') return input;
  const name = input.key.name + suffix;
  const document = { ...objectOf(input.document) };
  document['metadata'] = { ...objectOf(document['metadata']), name };
  const spec = { ...objectOf(document['spec']) };
  if (input.kind === 'ScaledObject') {
    const target = objectOf(spec['scaleTargetRef']);
    spec['scaleTargetRef'] = { ...target, name: `${String(target['name'])}${suffix}` };
  }
  document['spec'] = spec;
  return { ...input, key: { ...input.key, name }, document };
}

/** Also says of each Workload that is scaled so where its requests are. */
function scaledBy(
  documents: readonly ApplyInput[],
  workloads: Rehearsed[],
  source: WorldModel['source'],
): Map<string, number> {
  const found = new Map<string, number>();
  for (const { kind, document } of documents) {
    if (kind !== 'ScaledObject') continue;
    const { key, target } = resolveScaledObject(document);
    const wanted = keyText({ ...key, name: target.name });
    const number = workloads.findIndex((one) => one.source !== 'jobs' && keyText(one.key) === wanted);
    const workload = workloads[number];
    if (workload === undefined || workload.source === 'jobs')
      throw new Error(`ScaledObject ${key.name} scales ${target.name}, which is no Workload of the rehearsal`);
    found.set(keyText(key), number);
    const written = documents.find((one) => one.kind === 'Workload' && keyText(one.key) === wanted)?.document;
    const isQueue = source === undefined ? consumesQueue(written, document) : source === 'queue';
    workloads[number] = { ...workload, source: isQueue ? 'queue' : 'gateway' };
  }
  return found;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
