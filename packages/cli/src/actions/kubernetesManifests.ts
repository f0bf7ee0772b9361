import { parseBytes, yamlText } from '@ebb/documents';
import { defaultSettings, installManifests } from '@ebb/kubernetes';
import type { ManifestsFlags } from '../commands/kubernetes.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';

export async function kubernetesManifests(context: EbbContext, flags: ManifestsFlags): Promise<undefined> {
  const { namespace, image, storageSize, storageClass, readNamespace = [], networkPolicy = false } = flags;
  for (const name of [namespace, ...readNamespace]) if (name !== undefined) checkName(name);
  if (storageSize !== undefined) checkSize(storageSize);
  if (image !== undefined && !/^[^\s'"]{1,512}$/.test(image)) {
    throw new Failure(
      'usage',
      `"${image}" is not a reference of an image; write one such as registry.example/ebb:0.1.0`,
    );
  }
  const manifests = installManifests({
    ...(namespace === undefined ? {} : { namespace }),
    ...(image === undefined ? {} : { image }),
    ...(storageSize === undefined ? {} : { storageSize }),
    ...(storageClass === undefined ? {} : { storageClass }),
    readNamespaces: [...new Set(readNamespace)].filter((name) => name !== (namespace ?? defaultSettings.namespace)),
    networkPolicy,
    withoutKinds: flags.kinds === false,
  });
  if (flags.json) context.json({ apiVersion: 'v1', kind: 'List', items: manifests });
  else context.stdout.write(yamlText(manifests));
}

const namePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function checkName(name: string): void {
  if (namePattern.test(name)) return;
  const near = name.toLowerCase().replaceAll('_', '-');
  const hint = namePattern.test(near) ? ` Did you mean ${near}?` : '';
  throw new Failure(
    'usage',
    `"${name}" is not the name of a namespace: lower-case letters, digits and dashes, at most 63.${hint}`,
  );
}

function checkSize(size: string): void {
  const parsed = parseBytes(size);
  if ('error' in parsed) throw new Failure('usage', `--storage-size: ${parsed.error}`);
}
