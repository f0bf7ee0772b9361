import { isObject, type JsonObject, numberAt, textAt, textsAt, timeAt } from './values.ts';

/** An object of the API server: what every one of them has, and the rest as it came. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly createdAtMs: number;
  /** It is being deleted since then. */
  readonly deletedAtMs: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The whole object. */
  readonly body: JsonObject;
}

/** Null where it is no object with a name. Lists leave out `apiVersion` and `kind` of their items: they are given. */
export function readObject(body: unknown, fallback: { apiVersion: string; kind: string }): KubernetesObject | null {
  const name = textAt(body, 'metadata', 'name');
  if (!isObject(body) || name === null) return null;
  const apiVersion = textAt(body, 'apiVersion') ?? fallback.apiVersion;
  const kind = textAt(body, 'kind') ?? fallback.kind;
  return {
    apiVersion,
    kind,
    namespace: textAt(body, 'metadata', 'namespace') ?? '',
    name,
    uid: textAt(body, 'metadata', 'uid') ?? '',
    resourceVersion: textAt(body, 'metadata', 'resourceVersion') ?? '',
    generation: numberAt(body, 'metadata', 'generation') ?? 0,
    createdAtMs: timeAt(body, 'metadata', 'creationTimestamp') ?? 0,
    deletedAtMs: timeAt(body, 'metadata', 'deletionTimestamp'),
    labels: textsAt(body, 'metadata', 'labels'),
    annotations: textsAt(body, 'metadata', 'annotations'),
    body: { ...body, metadata: withoutManagedFields(body.metadata), apiVersion, kind },
  };
}

/** Half of what an object weighs, and nobody here reads it; an update that leaves it out keeps it. */
function withoutManagedFields(metadata: unknown): unknown {
  if (!isObject(metadata)) return metadata;
  const { managedFields: _managed, ...rest } = metadata;
  return rest;
}

/** `namespace/name`. */
export function objectName({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

/** Its parts again. */
export function parseObjectName(text: string): { namespace: string; name: string } {
  const slash = text.indexOf('/');
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/**
 * Whether a version is older than another one of the same kind of object. Versions are whole numbers that rise with each
 * write; anything else cannot be compared and is never older.
 */
export function isOlderVersion(version: string, than: string): boolean {
  if (!/^\d{1,20}$/.test(version) || !/^\d{1,20}$/.test(than)) return false;
  return BigInt(version) < BigInt(than);
}
