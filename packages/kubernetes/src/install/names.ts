import { splitApiVersion } from '../client/resources.ts';
import type { Manifest } from '../manifests/settings.ts';
import { textAt } from '../client/values.ts';

/** Names one object of a cluster. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty: of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
}

export function refOf({ apiVersion, kind, metadata }: Manifest): ObjectRef {
  return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

/** `Deployment ebb-system/ebb`, for a person. */
export function refText({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

/** The same object in whatever version of its API. */
export function isSameObject(left: ObjectRef, right: ObjectRef): boolean {
  return (
    left.kind === right.kind &&
    left.name === right.name &&
    left.namespace === right.namespace &&
    splitApiVersion(left.apiVersion).group === splitApiVersion(right.apiVersion).group
  );
}

/** One that was read; null where a part is missing. */
export function readRef(value: unknown): ObjectRef | null {
  const apiVersion = textAt(value, 'apiVersion');
  const kind = textAt(value, 'kind');
  const name = textAt(value, 'name');
  if (apiVersion === null || kind === null || name === null) return null;
  return { apiVersion, kind, namespace: textAt(value, 'namespace') ?? '', name };
}

/** Kinds that others need first; a stable sort keeps the rest as it is. */
const firstKinds = ['CustomResourceDefinition', 'Namespace', 'ServiceAccount'];

/** What exists first is applied first: definitions, the namespace, who the operator is, and then the rest as it came. */
export function inOrder<Item>(items: readonly Item[], kindOf: (item: Item) => string): Item[] {
  const rank = (item: Item) => {
    const at = firstKinds.indexOf(kindOf(item));
    return at < 0 ? firstKinds.length : at;
  };
  return [...items].sort((left, right) => rank(left) - rank(right));
}
