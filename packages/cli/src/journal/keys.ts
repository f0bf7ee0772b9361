import { defaultCluster, defaultNamespace, keyText } from '@ebb/documents';

/** The key of a workload that is named on the command line: a name, `namespace/name` or the whole key. */
export function workloadKey(name: string, namespace: string | undefined): string {
  const parts = name.split('/');
  const [cluster, space] = [defaultCluster, namespace ?? defaultNamespace];
  if (parts.length === 1) return keyText({ cluster, namespace: space, name });
  return parts.length === 2 ? `${cluster}/${name}` : name;
}
