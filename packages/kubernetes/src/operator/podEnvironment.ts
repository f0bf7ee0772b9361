import type { KedaTriggerSpec } from '@ebb/documents';
import type { KubernetesClient } from '../client/client.ts';
import { permitted, readNamespaceRemedy } from '../client/missingPermission.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { listAt, textAt, textsAt } from '../client/values.ts';

/** Whether a setting of a trigger, or its sign-in, may name a variable of the target's container. */
export function readsEnvironment(triggers: readonly KedaTriggerSpec[]): boolean {
  return triggers.some(
    ({ metadata, authentication }) =>
      authentication !== null || Object.keys(metadata).some((name) => name.endsWith('FromEnv')),
  );
}

/**
 * The environment of a target's container, as `…FromEnv` settings of triggers name it: values, and what they take from
 * Secrets and ConfigMaps. What is not there is left out, and the trigger says that it misses it. Throws
 * `UnmetError` where one of these may not be read.
 */
export async function podEnvironment(
  client: KubernetesClient,
  target: KubernetesObject,
  containerName: string | null,
): Promise<Record<string, string>> {
  const containers = listAt(target.body, 'spec', 'template', 'spec', 'containers');
  const container =
    containerName === null ? containers[0] : containers.find((one) => textAt(one, 'name') === containerName);
  const { namespace } = target;
  const read = new Map<string, Promise<Record<string, string>>>();
  const data = (kind: 'secrets' | 'configMaps', name: string) => {
    const id = `${kind}/${name}`;
    const reading = read.get(id) ?? readData(client, kind, { namespace, name });
    read.set(id, reading);
    return reading;
  };
  const env: Record<string, string> = {};
  for (const source of listAt(container, 'envFrom')) {
    const prefix = textAt(source, 'prefix') ?? '';
    const secret = textAt(source, 'secretRef', 'name');
    const configMap = textAt(source, 'configMapRef', 'name');
    const found = secret ? await data('secrets', secret) : configMap ? await data('configMaps', configMap) : {};
    for (const [name, value] of Object.entries(found)) env[prefix + name] = value;
  }
  for (const variable of listAt(container, 'env')) {
    const name = textAt(variable, 'name');
    if (name === null) continue;
    const secret = textAt(variable, 'valueFrom', 'secretKeyRef', 'name');
    const configMap = textAt(variable, 'valueFrom', 'configMapKeyRef', 'name');
    const kind = secret ? 'secretKeyRef' : 'configMapKeyRef';
    const key = textAt(variable, 'valueFrom', kind, 'key') ?? '';
    const found = secret ? await data('secrets', secret) : configMap ? await data('configMaps', configMap) : null;
    const value = found ? found[key] : textAt(variable, 'value');
    if (typeof value === 'string') env[name] = value;
  }
  return env;
}

async function readData(
  client: KubernetesClient,
  kind: 'secrets' | 'configMaps',
  at: { namespace: string; name: string },
): Promise<Record<string, string>> {
  const object = await permitted(client.get(resources[kind], at), readNamespaceRemedy(at.namespace));
  const data = textsAt(object?.body, 'data');
  if (kind === 'configMaps') return data;
  const decoded = Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')]);
  return Object.fromEntries(decoded);
}
