import type { StoredDocument } from '@ebb/core';
import { type ApiObject, isKindName, redactDocument } from '@ebb/documents';
import type { Engine } from '@ebb/engine';

type ObjectStatus = NonNullable<ApiObject['status']>;

/** What the engine says of an object; null where it says nothing of that kind. */
export function statusOf(engine: Engine, { kind, key }: Pick<StoredDocument, 'kind' | 'key'>): ObjectStatus | null {
  if (kind === 'Workload') return engine.status(key);
  if (kind === 'ScaledObject') return engine.scaledObject(key);
  return kind === 'ScaledJob' ? engine.scaledJob(key) : null;
}

/** An object as the API gives it. What is secret in it is not shown. */
export function objectView(stored: StoredDocument, status: ObjectStatus | null): ApiObject {
  const shown = isKindName(stored.kind) ? redactDocument(stored.kind, stored.document) : stored.document;
  const written = isRecord(shown) ? shown : {};
  const metadata = isRecord(written.metadata) ? written.metadata : {};
  return {
    apiVersion: stored.apiVersion,
    kind: stored.kind,
    metadata: {
      ...stored.key,
      labels: textMap(metadata.labels),
      annotations: textMap(metadata.annotations),
      resourceVersion: String(stored.resourceVersion),
      generation: stored.generation,
      creationTimestamp: new Date(stored.createdAtMs).toISOString(),
    },
    spec: written.spec ?? withoutFrame(written),
    ...(status ? { status } : {}),
  };
}

/** What is left of a document of a kind that has no `spec`. */
function withoutFrame(written: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(written).filter(([name]) => !['apiVersion', 'kind', 'metadata'].includes(name)),
  );
}

const serverMetadata = ['cluster', 'resourceVersion', 'generation', 'creationTimestamp'];

/**
 * What a client sends back of an object it was given: without the fields that the server writes. `resourceVersion` is
 * the one it was read at, or null. The value itself comes back where there is nothing to take away.
 */
export function withoutServerFields(value: unknown): { document: unknown; resourceVersion: string | null } {
  if (!isRecord(value) || !isRecord(value.metadata)) return { document: value, resourceVersion: null };
  const { resourceVersion } = value.metadata;
  const version =
    typeof resourceVersion === 'string' || typeof resourceVersion === 'number' ? String(resourceVersion) : null;
  const { metadata } = value;
  if (!('status' in value) && !serverMetadata.some((name) => name in metadata))
    return { document: value, resourceVersion: null };
  const document = Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'status'));
  document.metadata = Object.fromEntries(Object.entries(metadata).filter(([name]) => !serverMetadata.includes(name)));
  return { document, resourceVersion: version };
}

function textMap(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
