import { migProfileOfResource } from '@ebb/documents';
import { stringify } from 'yaml';
import type { MissingWorkload } from './coverage.ts';
import { isRecord, type PodSource, recordAt } from './podSpecs.ts';

/** A Workload that is ready to be looked over. */
export interface WorkloadSkeleton {
  namespace: string;
  name: string;
  /** File of the Deployment it was made from; null: there is none among the files. */
  from: string | null;
  /** What a person has to look at. */
  notes: string[];
  yaml: string;
}

const placeholder = './your-program';
/** Set by Ebb for every replica. */
const ownVariables = ['PORT', 'EBB_REPLICA', 'EBB_WORKLOAD'];

/** A Workload of the target's name, from the container of the Deployment that KEDA scales where that is known. */
export function workloadSkeleton(missing: MissingWorkload, sources: readonly PodSource[]): WorkloadSkeleton {
  const { namespace, name, kind, containerName } = missing;
  const source = sources.find((one) => one.name === name && one.namespace === namespace && one.kind === kind);
  const containers = listAt(source?.podSpec, 'containers').filter(isRecord);
  const container = containers.find((one) => one.name === containerName) ?? containers[0] ?? {};
  const notes: string[] = [];
  const classOf = {
    name: 'default',
    command: commandOf(container, notes),
    ...environmentOf(container, notes),
    ...(typeof container.workingDir === 'string' ? { workingDirectory: container.workingDir } : {}),
    ...resourcesOf(container),
    ...graceOf(source?.podSpec),
  };
  const others = containers.filter((one) => one !== container).map((one) => String(one.name));
  if (others.length > 0) notes.push(`a replica is one process: ${others.join(', ')} beside it is left out`);
  if (listAt(source?.podSpec, 'initContainers').length > 0) notes.push('init containers are left out');
  const document = {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name, ...(namespace === 'default' ? {} : { namespace }) },
    spec: { classes: [classOf], probes: probesOf(container, notes) },
  };
  const head = source
    ? `From the ${kind} "${name}" in ${source.file}.`
    : `The ${kind} "${name}" is not among the files.`;
  const comment = [head, ...notes.map((note) => `- ${note}`)].map((line) => `# ${line}\n`).join('');
  return {
    namespace,
    name,
    from: source?.file ?? null,
    notes,
    yaml: `${comment}${stringify(document, { lineWidth: 110 })}`,
  };
}

function commandOf(container: Record<string, unknown>, notes: string[]): string[] {
  const command = [...textsAt(container, 'command'), ...textsAt(container, 'args')];
  const hasCommand = textsAt(container, 'command').length > 0;
  const image = typeof container.image === 'string' ? ` ${container.image}` : '';
  if (hasCommand) {
    if (image !== '') notes.push(`images are not run: the command must be there on this machine, as in${image}`);
    return command;
  }
  notes.push(`the command is not known, the image${image} has it within: write it in place of ${placeholder}`);
  return [placeholder, ...command];
}

function environmentOf(container: Record<string, unknown>, notes: string[]): { env?: object; envFromHost?: string[] } {
  const env: Record<string, string> = {};
  const envFromHost: string[] = [];
  for (const variable of listAt(container, 'env').filter(isRecord)) {
    const { name, value } = variable;
    if (typeof name !== 'string' || ownVariables.includes(name)) continue;
    if (variable.valueFrom === undefined) {
      env[name] =
        typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
      continue;
    }
    envFromHost.push(name);
    const reference = recordAt(variable.valueFrom, 'secretKeyRef') ?? recordAt(variable.valueFrom, 'configMapKeyRef');
    const where = reference ? `${String(reference.name)}, key ${String(reference.key)}` : 'the cluster';
    notes.push(`set ${name} in the environment of \`ebb up\`: in the cluster it comes from ${where}`);
  }
  if (listAt(container, 'envFrom').length > 0) notes.push('envFrom is left out: name its variables in envFromHost');
  return {
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(envFromHost.length > 0 ? { envFromHost } : {}),
  };
}

function resourcesOf(container: Record<string, unknown>): { resources?: object } {
  const resources = recordAt(container, 'resources');
  const parts = (['requests', 'limits'] as const).flatMap((name) => {
    const amounts = Object.entries(recordAt(resources, name) ?? {}).flatMap(([resource, amount]) =>
      typeof amount === 'string' || typeof amount === 'number' ? amountsOf(resource, String(amount)) : [],
    );
    return amounts.length === 0 ? [] : [[name, Object.fromEntries(amounts)] as const];
  });
  return parts.length === 0 ? {} : { resources: Object.fromEntries(parts) };
}

/** Ebb's names of a Kubernetes resource; none for what it does not know. */
function amountsOf(resource: string, amount: string): [name: string, amount: string][] {
  if (resource === 'cpu' || resource === 'memory') return [[resource, amount]];
  if (resource.endsWith('/gpu')) return [['gpu', amount]];
  const profile = migProfileOfResource(resource);
  return profile
    ? [
        ['gpu', amount],
        ['gpuProfile', profile],
      ]
    : [];
}

function graceOf(podSpec: Record<string, unknown> | undefined): { terminationGrace?: string } {
  const seconds = podSpec?.terminationGracePeriodSeconds;
  return typeof seconds === 'number' && seconds !== 30 ? { terminationGrace: `${seconds}s` } : {};
}

/** Probes by the port that Ebb gives; without a port in the container there is nothing to ask, and it counts as ready. */
function probesOf(container: Record<string, unknown>, notes: string[]): object {
  const port = listAt(container, 'ports').filter(isRecord)[0]?.containerPort;
  const probe = recordAt(container, 'readinessProbe') ?? recordAt(container, 'startupProbe');
  const http = recordAt(probe, 'httpGet');
  const exec = recordAt(probe, 'exec');
  if (port !== undefined || http) {
    notes.push(`it listened on ${String(port ?? http?.port)}: each replica is told a port of its own as PORT`);
  }
  const period = typeof probe?.periodSeconds === 'number' ? { period: `${probe.periodSeconds}s` } : {};
  if (http) return { readiness: { http: { path: typeof http.path === 'string' ? http.path : '/' }, ...period } };
  if (exec && textsAt(exec, 'command').length > 0) {
    return { readiness: { exec: { command: textsAt(exec, 'command') }, ...period } };
  }
  if (port !== undefined) return { readiness: { tcp: {} } };
  notes.push('it listens nowhere, so it counts as ready as soon as it runs');
  return { readiness: { exec: { command: ['true'] } } };
}

function textsAt(value: Record<string, unknown>, field: string): string[] {
  return listAt(value, field).flatMap((one) =>
    typeof one === 'string' || typeof one === 'number' ? [String(one)] : [],
  );
}

function listAt(value: unknown, field: string): unknown[] {
  const list = isRecord(value) ? value[field] : undefined;
  return Array.isArray(list) ? list : [];
}
