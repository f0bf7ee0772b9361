import type { ReplicaStart, RunStart } from '@ebb/core';
import { delimiter, dirname } from 'node:path';

/** Everything a replica's environment holds: what its document names, and PORT, EBB_REPLICA, EBB_WORKLOAD, PATH and those of its GPUs. */
export function replicaEnvironment(
  start: ReplicaStart,
  port: number,
  host: HostEnvironment,
  gpus: Record<string, string> = {},
): Record<string, string> {
  const own = { PORT: String(port), EBB_REPLICA: start.id, EBB_WORKLOAD: workloadKey(start) };
  return environmentOf(start, { ...own, ...gpus }, host);
}

/** The same of a run of a Job: EBB_JOB (its id), EBB_SCALED_JOB (its owner's name) and PATH besides the document's. */
export function runEnvironment(
  start: RunStart,
  host: HostEnvironment,
  gpus: Record<string, string> = {},
): Record<string, string> {
  return environmentOf(start, { EBB_JOB: start.id, EBB_SCALED_JOB: start.owner.name, ...gpus }, host);
}

type HostEnvironment = Record<string, string | undefined>;

/**
 * Values may refer to variables that stand before them as `$(NAME)`, as in Kubernetes. A PATH of the document wins
 * over the agent's own, which has the folder of the running Node in front.
 */
function environmentOf(
  { env, envFromHost }: Pick<ReplicaStart, 'env' | 'envFromHost'>,
  own: Record<string, string>,
  host: HostEnvironment,
): Record<string, string> {
  const environment: Record<string, string> = { PATH: searchPath(host['PATH']), ...own };
  for (const name of envFromHost) {
    const value = host[name];
    if (value !== undefined && name !== 'PATH') environment[name] = value;
  }
  for (const [name, value] of Object.entries(env)) environment[name] = expand(value, environment);
  return Object.assign(environment, own);
}

/**
 * Replaces `$(NAME)` by the variable's value. `$$(NAME)` stands for a literal `$(NAME)`, and a name that is not
 * known stays as it is written: the rules of Kubernetes' container commands.
 */
export function expand(text: string, variables: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g, (match, name: string | undefined) => {
    if (name === undefined) return '$';
    return Object.hasOwn(variables, name) ? (variables[name] ?? match) : match;
  });
}

/** `cluster/namespace/name`, as `keyText` of the documents package, which would bring all schemas along. */
export function workloadKey({ workload }: Pick<ReplicaStart, 'workload'>): string {
  return `${workload.cluster}/${workload.namespace}/${workload.name}`;
}

/** The given search path with the folder of the running Node in front, so that `node` is the Node Ebb runs on. */
function searchPath(path: string | undefined): string {
  const nodeFolder = dirname(process.execPath);
  const others = (path ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter).filter((folder) => folder !== nodeFolder);
  return [nodeFolder, ...others].join(delimiter);
}
