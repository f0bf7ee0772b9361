import type { DocumentStore, RunStart } from '@ebb/core';
import {
  folderOf,
  type JobTemplate,
  joinPath,
  type JobVariables,
  type ObjectKey,
  resolveConfigMap,
  resolveSecret,
} from '@ebb/documents';

export interface JobOrigin {
  template: JobTemplate;
  owner: ObjectKey;
  /** File that the document came from. */
  origin: string | null;
  node: string;
}

/** A template that no process can be made from; the message is for the user and holds no value of a Secret. */
export class JobStartError extends Error {}

/** What the driver is asked for one run of a Job. Reads Secrets and ConfigMaps as they are now. */
export async function runStartOf(documents: DocumentStore, id: string, origin: JobOrigin): Promise<RunStart> {
  const { template, owner, node } = origin;
  if (template.command.length === 0) {
    throw new JobStartError(
      `container ${template.container} has no command: on one machine its command is run as a process and its image is not; ` +
        'write command (and args) into jobTargetRef.template.spec.containers',
    );
  }
  const env = await environmentOf(documents, origin);
  const baseDirectory = origin.origin?.startsWith('/') ? folderOf(origin.origin) : '/';
  return {
    id,
    owner,
    node,
    command: template.command.map((text) => expand(text, env)),
    env,
    envFromHost: [],
    workingDirectory: joinPath(baseDirectory, template.workingDirectory ?? '.'),
    resources: template.resources,
    terminationGraceMs: template.terminationGraceMs,
  };
}

/** The container's environment, with what it takes from Secrets and ConfigMaps. Later names win, as in Kubernetes. */
export async function environmentOf(
  documents: DocumentStore,
  { template, owner }: Pick<JobOrigin, 'template' | 'owner'>,
): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const source of template.envFrom) {
    const data = await dataOf(documents, owner, source);
    for (const [key, value] of Object.entries(data ?? {})) env[source.prefix + key] = value;
  }
  for (const variable of template.env) {
    if ('value' in variable) {
      env[variable.name] = expand(variable.value, env);
      continue;
    }
    const data = await dataOf(documents, owner, variable);
    const value = data && Object.hasOwn(data, variable.key) ? data[variable.key] : undefined;
    if (value !== undefined) env[variable.name] = value;
    else if (data && !variable.optional) {
      throw new JobStartError(
        `env ${variable.name}: the ${variable.source} ${variable.object} has no key ${variable.key}`,
      );
    }
  }
  return env;
}

async function dataOf(
  documents: DocumentStore,
  owner: ObjectKey,
  { source, object, optional }: Pick<JobVariables, 'source' | 'object' | 'optional'>,
): Promise<Record<string, string> | null> {
  const found = await documents.get(source, { ...owner, name: object });
  if (found) return (source === 'Secret' ? resolveSecret(found.document) : resolveConfigMap(found.document)).data;
  if (optional) return null;
  throw new JobStartError(`there is no ${source} ${object} in namespace ${owner.namespace}`);
}

/** `$(NAME)` of a variable that is there; `$$(NAME)` is the text itself. Others stay as they are. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$)?\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g, (whole, escaped: string | undefined, name: string) => {
    if (escaped) return whole.slice(1);
    return Object.hasOwn(env, name) ? (env[name] ?? whole) : whole;
  });
}
