/** Where an object lives. Names are unique within (cluster, namespace) and kind. */
export interface ObjectKey {
  cluster: string;
  namespace: string;
  name: string;
}

export const defaultCluster = 'local';
export const defaultNamespace = 'default';

/** One string for an object, used as a map key, in the journal and in metrics: `cluster/namespace/name`. */
export function keyText(key: ObjectKey): string {
  return `${key.cluster}/${key.namespace}/${key.name}`;
}

/** The inverse of `keyText`. Throws on anything that is not three non-empty parts. */
export function parseKeyText(text: string): ObjectKey {
  const [cluster, namespace, name, ...rest] = text.split('/');
  if (!cluster || !namespace || !name || rest.length > 0) throw new Error(`not an object key: "${text}"`);
  return { cluster, namespace, name };
}
