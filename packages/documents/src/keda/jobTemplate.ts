import { parseBytes, parseMilli } from '../units/quantity.ts';
import { migAmounts, migProfileOfResource } from '../workload/gpuProfile.ts';
import type { Resources } from '../workload/resolved.ts';

/** One variable of a container; those that name another object are read when a process starts. */
export type JobVariable =
  | { name: string; value: string }
  | { name: string; source: 'Secret' | 'ConfigMap'; object: string; key: string; optional: boolean };

/** All keys of an object as variables. */
export interface JobVariables {
  source: 'Secret' | 'ConfigMap';
  object: string;
  prefix: string;
  optional: boolean;
}

/** What one machine runs of a Job's template: the first container, or the one that is named. */
export interface JobTemplate {
  container: string;
  /** `command` and `args` together; empty: only the image knows, and it is not run here. */
  command: string[];
  env: JobVariable[];
  envFrom: JobVariables[];
  /** As written; null: the folder of the document. */
  workingDirectory: string | null;
  resources: { requests: Resources; limits: Partial<Resources> };
  /** Runs that may fail before the Job does. Kubernetes' default is 6. */
  backoffLimit: number;
  /** Null: no deadline. */
  activeDeadlineMs: number | null;
  /** Null: a finished Job stays as long as the history allows. */
  keepFinishedMs: number | null;
  terminationGraceMs: number;
}

const defaultBackoffLimit = 6;
const defaultGraceSeconds = 30;
const nothing: Resources = { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 };

/**
 * Reads a batch/v1 JobSpec (`spec.jobTargetRef` of a ScaledJob) as far as it says how to run a process. Fields that only a
 * cluster knows are passed over. Throws an `Error` naming the field that cannot be used.
 */
export function resolveJobTemplate(jobSpec: Record<string, unknown>, containerName: string | null = null): JobTemplate {
  const podSpec = objectAt(objectAt(jobSpec.template, 'template').spec, 'template.spec');
  const containers = listAt(podSpec.containers, 'template.spec.containers').map((container, index) =>
    objectAt(container, `template.spec.containers[${index}]`),
  );
  const chosen = containerName === null ? containers[0] : containers.find(({ name }) => name === containerName);
  if (!chosen) {
    const which = containerName === null ? 'has no container' : `has no container "${containerName}"`;
    throw new Error(`jobTargetRef.template.spec ${which}`);
  }
  const resources = objectAt(chosen.resources ?? {}, 'resources');
  const limits = amountsOf(objectAt(resources.limits ?? {}, 'limits'));
  return {
    container: textAt(chosen.name, 'name', 'main'),
    command: [...textsAt(chosen.command, 'command'), ...textsAt(chosen.args, 'args')],
    env: listAt(chosen.env ?? [], 'env').map((entry, index) => variableOf(objectAt(entry, `env[${index}]`), index)),
    envFrom: listAt(chosen.envFrom ?? [], 'envFrom').flatMap((entry, index) =>
      variablesOf(objectAt(entry, `envFrom[${index}]`)),
    ),
    workingDirectory: chosen.workingDir === undefined ? null : textAt(chosen.workingDir, 'workingDir', ''),
    resources: {
      // As in Kubernetes, a request that is left out is its limit.
      requests: { ...nothing, ...limits, ...amountsOf(objectAt(resources.requests ?? {}, 'requests')) },
      limits,
    },
    backoffLimit: countAt(jobSpec.backoffLimit, 'backoffLimit') ?? defaultBackoffLimit,
    activeDeadlineMs: secondsAt(
      jobSpec.activeDeadlineSeconds ?? podSpec.activeDeadlineSeconds,
      'activeDeadlineSeconds',
    ),
    keepFinishedMs: secondsAt(jobSpec.ttlSecondsAfterFinished, 'ttlSecondsAfterFinished'),
    terminationGraceMs:
      secondsAt(podSpec.terminationGracePeriodSeconds, 'terminationGracePeriodSeconds') ?? defaultGraceSeconds * 1000,
  };
}

function variableOf(entry: Record<string, unknown>, index: number): JobVariable {
  const name = textAt(entry.name, `env[${index}].name`, '');
  if (entry.valueFrom === undefined) return { name, value: textAt(entry.value, `env[${index}].value`, '') };
  const from = objectAt(entry.valueFrom, `env[${index}].valueFrom`);
  for (const [field, source] of [
    ['secretKeyRef', 'Secret'],
    ['configMapKeyRef', 'ConfigMap'],
  ] as const) {
    if (from[field] === undefined) continue;
    const reference = objectAt(from[field], `env[${index}].valueFrom.${field}`);
    const object = textAt(reference.name, `env[${index}].valueFrom.${field}.name`, '');
    const key = textAt(reference.key, `env[${index}].valueFrom.${field}.key`, '');
    return { name, source, object, key, optional: reference.optional === true };
  }
  // fieldRef and resourceFieldRef speak of a pod; the name of the Job stands for the pod's.
  return { name, value: '' };
}

function variablesOf(entry: Record<string, unknown>): JobVariables[] {
  const prefix = typeof entry.prefix === 'string' ? entry.prefix : '';
  return (
    [
      ['secretRef', 'Secret'],
      ['configMapRef', 'ConfigMap'],
    ] as const
  ).flatMap(([field, source]) => {
    if (entry[field] === undefined) return [];
    const reference = objectAt(entry[field], `envFrom.${field}`);
    return [
      {
        source,
        object: textAt(reference.name, `envFrom.${field}.name`, ''),
        prefix,
        optional: reference.optional === true,
      },
    ];
  });
}

function amountsOf(resources: Record<string, unknown>): Partial<Resources> {
  const amounts: Partial<Resources> = {};
  for (const [name, value] of Object.entries(resources)) {
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    const parsed = name === 'memory' ? parseBytes(String(value)) : parseMilli(String(value));
    if (!('value' in parsed)) throw new Error(`jobTargetRef: resources ${name}: "${value}" is not a quantity`);
    if (name === 'memory') amounts.memoryBytes = parsed.value;
    else if (name === 'cpu') amounts.cpuMilli = parsed.value;
    else if (name.endsWith('/gpu')) amounts.gpuMilli = parsed.value;
    const profile = migProfileOfResource(name);
    if (profile) Object.assign(amounts, migAmounts(profile, Math.ceil(parsed.value / 1000)));
  }
  return amounts;
}

function fail(field: string, wanted: string): never {
  throw new Error(`jobTargetRef: ${field} must be ${wanted}`);
}

function objectAt(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(field, 'an object');
  return value as Record<string, unknown>;
}

function listAt(value: unknown, field: string): unknown[] {
  return Array.isArray(value) ? value : fail(field, 'a list');
}

function textAt(value: unknown, field: string, otherwise: string): string {
  if (value === undefined || value === null) return otherwise;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : fail(field, 'text');
}

function textsAt(value: unknown, field: string): string[] {
  if (value === undefined || value === null) return [];
  return listAt(value, field).map((one, index) => textAt(one, `${field}[${index}]`, ''));
}

function countAt(value: unknown, field: string): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    return fail(field, 'a whole number, 0 or more');
  return value;
}

function secondsAt(value: unknown, field: string): number | null {
  const seconds = countAt(value, field);
  return seconds === null ? null : seconds * 1000;
}
