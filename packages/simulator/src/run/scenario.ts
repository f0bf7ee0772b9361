import { keyText, resolveScaledObject, resolveWorkload, type WorkloadSpec } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import type { Trace } from '../contract/trace.ts';

/** What is rehearsed: documents, and which workload each of the trace's names is. */
export interface Scenario {
  documents: ApplyInput[];
  /** By the trace's numbers. */
  workloads: WorkloadSpec[];
  /** Numbers of the workloads that ScaledObjects scale, by key of the ScaledObject. */
  scaledBy: Map<string, number>;
}

/** Kinds that a rehearsal has no world for. */
const notRehearsed = ['ScaledJob'];

/**
 * Finds the workload of each of the trace's names. A single Workload serves them all: the only one of the trace directly,
 * several as copies of it, with copies of what scales it. Several Workloads are found by their names.
 * Throws where one is missing or a document is not valid.
 */
export function scenarioOf(trace: Trace, inputs: readonly ApplyInput[]): Scenario {
  for (const { kind, key } of inputs) {
    if (notRehearsed.includes(kind)) throw new Error(`${kind} ${keyText(key)}: rehearsals know no jobs; leave it out`);
  }
  const templates = inputs.filter(({ kind }) => kind === 'Workload');
  const [template] = templates;
  if (!template) throw new Error(`a rehearsal needs a Workload; found ${kindsOf(inputs) || 'no document'}`);
  const isCopied = templates.length === 1 && trace.workloads.length > 1;
  const documents = isCopied ? copies(inputs, trace.workloads.length) : [...inputs];
  const specs = documents
    .filter(({ kind }) => kind === 'Workload')
    .map(({ document }) => resolveWorkload(document, { baseDirectory: '/' }));
  const workloads = templates.length === 1 ? specs : named(trace, specs);
  return { documents, workloads, scaledBy: scaledBy(documents, workloads) };
}

function kindsOf(inputs: readonly ApplyInput[]): string {
  return [...new Set(inputs.map(({ kind }) => kind))].join(', ');
}

function named(trace: Trace, specs: readonly WorkloadSpec[]): WorkloadSpec[] {
  return trace.workloads.map((name) => {
    const found = specs.find(({ key }) => key.name === name);
    if (found) return found;
    const known = specs.map(({ key }) => key.name).join(', ');
    throw new Error(
      `trace ${trace.name} has requests for ${name}, but the Workloads are ${known}; a single Workload would serve them all`,
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
  if (input.kind !== 'Workload' && input.kind !== 'ScaledObject') return input;
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

function scaledBy(documents: readonly ApplyInput[], workloads: readonly WorkloadSpec[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { kind, document } of documents) {
    if (kind !== 'ScaledObject') continue;
    const { key, target } = resolveScaledObject(document);
    const wanted = keyText({ ...key, name: target.name });
    const number = workloads.findIndex((workload) => keyText(workload.key) === wanted);
    if (number < 0)
      throw new Error(`ScaledObject ${key.name} scales ${target.name}, which is no Workload of the rehearsal`);
    found.set(keyText(key), number);
  }
  return found;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
