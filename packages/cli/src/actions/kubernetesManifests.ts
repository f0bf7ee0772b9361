import { yamlText } from '@ebb/documents';
import { installManifests } from '@ebb/kubernetes';
import type { ManifestsFlags } from '../commands/kubernetes.ts';
import type { EbbContext } from '../context.ts';
import { readSettings } from '../kubernetesInstall/settings.ts';

export async function kubernetesManifests(context: EbbContext, flags: ManifestsFlags): Promise<undefined> {
  const manifests = installManifests(readSettings(flags));
  if (flags.json) context.json({ apiVersion: 'v1', kind: 'List', items: manifests });
  else context.stdout.write(yamlText(manifests));
}
