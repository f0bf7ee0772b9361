import { parseAllDocuments } from 'yaml';
import type { SourceText } from '../files.ts';

/** A document of Kubernetes that makes pods, as it is written. */
export interface PodSource {
  kind: string;
  namespace: string;
  name: string;
  file: string;
  podSpec: Record<string, unknown>;
}

/** Every Deployment, StatefulSet and the like of the sources; what cannot be read is told elsewhere. */
export function podSources(sources: readonly SourceText[]): PodSource[] {
  return sources.flatMap(({ name, text }) => valuesOf(text).flatMap((value) => podSourcesOf(value, name)));
}

function valuesOf(text: string): unknown[] {
  try {
    return parseAllDocuments(text).flatMap((document) => {
      const value: unknown = document.errors.length > 0 ? null : document.toJS();
      return isRecord(value) && value.kind === 'List' && Array.isArray(value.items) ? value.items : [value];
    });
  } catch {
    return [];
  }
}

function podSourcesOf(value: unknown, file: string): PodSource[] {
  const metadata = recordAt(value, 'metadata');
  const podSpec = recordAt(recordAt(recordAt(value, 'spec'), 'template'), 'spec');
  if (!isRecord(value) || !podSpec || typeof value.kind !== 'string' || typeof metadata?.name !== 'string') return [];
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : 'default';
  return [{ kind: value.kind, namespace, name: metadata.name, file, podSpec }];
}

export function recordAt(value: unknown, field: string): Record<string, unknown> | undefined {
  const inner = isRecord(value) ? value[field] : undefined;
  return isRecord(inner) ? inner : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
