import { yamlText } from '@ebb/documents';
import { devicePluginConfig } from '@ebb/kubernetes';
import type { DevicePluginFlags } from '../commands/kubernetesDevicePlugin.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';
import { nodeDocuments } from '../nodes/documents.ts';

const defaultNamespace = 'gpu-operator';
const namePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export async function kubernetesDevicePlugin(context: EbbContext, flags: DevicePluginFlags): Promise<ExitName> {
  const { file, namespace = defaultNamespace, json = false } = flags;
  if (!namePattern.test(namespace)) {
    throw new Failure(
      'usage',
      `--namespace: "${namespace}" is not a name; write lower-case letters, digits and dashes`,
    );
  }
  const sources = await readSources(context, file);
  const { pools } = nodeDocuments(context, sources, { json, consequence: 'nothing is printed' });
  if (pools.length === 0) throw new Failure('usage', 'there is no NodePool in what was given');
  const { configMap, problems } = devicePluginConfig(pools, namespace);
  if (json) context.json({ configMap, problems });
  else context.stdout.write(yamlText([configMap]));
  for (const problem of problems) context.note(problem);
  return problems.length === 0 ? 'ok' : 'failed';
}
