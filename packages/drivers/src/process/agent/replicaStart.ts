import type { ReplicaStart } from '@ebb/core';
import type { ObjectKey, Probe, ProbeAction, Resources } from '@ebb/documents';

/** Reads what the control plane (or a state file) says is to be run. Throws with the path of the first thing wrong. */
export function readReplicaStart(value: unknown): ReplicaStart {
  const start = new Fields(value, 'start');
  const workload = start.object('workload');
  const probes = start.object('probes');
  const startup = probes.object('startup');
  return {
    id: start.text('id'),
    workload: readKey(workload),
    class: start.text('class'),
    revision: start.text('revision'),
    node: start.text('node'),
    command: start.texts('command', 1),
    env: start.textMap('env'),
    envFromHost: start.texts('envFromHost', 0),
    workingDirectory: start.text('workingDirectory'),
    port: start.value('port') === 'auto' ? 'auto' : start.number('port', 1),
    resources: readResources(start.object('resources')),
    probes: {
      startup: {
        action: actionOf(startup.object('action')),
        timeoutMs: startup.number('timeoutMs', 1),
        budgetMs: startup.number('budgetMs', 1),
      },
      readiness: probeOf(probes.object('readiness')),
      liveness: probes.value('liveness') === null ? null : probeOf(probes.object('liveness')),
    },
    terminationGraceMs: start.number('terminationGraceMs', 0),
  };
}

function probeOf(probe: Fields): Probe {
  return {
    action: actionOf(probe.object('action')),
    periodMs: probe.number('periodMs', 1),
    timeoutMs: probe.number('timeoutMs', 1),
    successThreshold: probe.number('successThreshold', 1),
    failureThreshold: probe.number('failureThreshold', 1),
  };
}

function actionOf(action: Fields): ProbeAction {
  const type = action.text('type');
  if (type === 'tcp') return { type };
  if (type === 'exec') return { type, command: action.texts('command', 1) };
  if (type === 'http') return { type, path: action.text('path'), headers: action.textMap('headers') };
  throw new Error(`${action.path}.type: unknown probe "${type}"`);
}

export function readKey(key: Fields): ObjectKey {
  return { cluster: key.text('cluster'), namespace: key.text('namespace'), name: key.text('name') };
}

export function readResources(resources: Fields): ReplicaStart['resources'] {
  return { requests: resourcesOf(resources.object('requests')), limits: limitsOf(resources.object('limits')) };
}

function resourcesOf(resources: Fields): Resources {
  return {
    cpuMilli: resources.number('cpuMilli', 0),
    memoryBytes: resources.number('memoryBytes', 0),
    gpuMilli: resources.number('gpuMilli', 0),
    ...gpuExtrasOf(resources),
  };
}

function gpuExtrasOf(resources: Fields): Pick<Resources, 'gpuMemoryBytes' | 'gpuMig'> {
  const mig = resources.value('gpuMig') === undefined ? null : resources.object('gpuMig');
  return {
    ...(resources.value('gpuMemoryBytes') === undefined
      ? {}
      : { gpuMemoryBytes: resources.number('gpuMemoryBytes', 0) }),
    ...(mig ? { gpuMig: { profile: mig.text('profile'), count: mig.number('count', 1) } } : {}),
  };
}

function limitsOf(limits: Fields): Partial<Resources> {
  const names = ['cpuMilli', 'memoryBytes', 'gpuMilli'] as const;
  const amounts = names
    .filter((name) => limits.value(name) !== undefined)
    .map((name) => [name, limits.number(name, 0)]);
  return { ...Object.fromEntries(amounts), ...gpuExtrasOf(limits) };
}

/** An object whose fields are asked for by name and type. */
export class Fields {
  readonly path: string;
  readonly #record: Record<string, unknown>;

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${path}: not an object`);
    this.path = path;
    this.#record = value as Record<string, unknown>;
  }

  value(name: string): unknown {
    return this.#record[name];
  }

  object(name: string): Fields {
    return new Fields(this.#record[name], `${this.path}.${name}`);
  }

  text(name: string): string {
    const value = this.#record[name];
    if (typeof value !== 'string') throw new Error(`${this.path}.${name}: not a text`);
    return value;
  }

  number(name: string, least: number): number {
    const value = this.#record[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < least) {
      throw new Error(`${this.path}.${name}: not a number of at least ${least}`);
    }
    return value;
  }

  textOrNull(name: string): string | null {
    return this.#record[name] === null ? null : this.text(name);
  }

  numberOrNull(name: string): number | null {
    return this.#record[name] === null ? null : this.number(name, 0);
  }

  texts(name: string, least: number): string[] {
    const value = this.#record[name];
    const valid = Array.isArray(value) && value.every((item): item is string => typeof item === 'string');
    if (!valid || value.length < least) throw new Error(`${this.path}.${name}: not a list of at least ${least} texts`);
    return value;
  }

  textMap(name: string): Record<string, string> {
    const entries = Object.entries(this.object(name).#record);
    return Object.fromEntries(
      entries.map(([key, value]) => {
        if (typeof value !== 'string') throw new Error(`${this.path}.${name}.${key}: not a text`);
        return [key, value];
      }),
    );
  }
}
