import type { z } from 'zod';
import type { KindDefinition, OlderVersion } from '../kind.ts';

type Kind = KindDefinition<string, z.ZodType>;

/** Whether an apiVersion is of the kind's own group, so that the kind's own words apply. */
export function ownsVersion(
  kind: Pick<Kind, 'apiVersion' | 'olderVersions' | 'refusedVersions'>,
  version: unknown,
): boolean {
  if (typeof version !== 'string') return false;
  return (
    groupOf(version) === groupOf(kind.apiVersion) ||
    Object.hasOwn(kind.olderVersions ?? {}, version) ||
    Object.hasOwn(kind.refusedVersions ?? {}, version)
  );
}

/** The older version that a document is written in, or null. */
export function olderVersion(kind: Pick<Kind, 'olderVersions'>, written: Record<string, unknown>): OlderVersion | null {
  return ownEntry(kind.olderVersions, written.apiVersion);
}

/** Why the version of a document is not read, or null. */
export function refusedVersion(kind: Pick<Kind, 'refusedVersions'>, written: Record<string, unknown>): string | null {
  return ownEntry(kind.refusedVersions, written.apiVersion);
}

/** A document in its kind's present version, without what only a cluster writes; other values as they are. */
export function presentForm(kind: Pick<Kind, 'olderVersions' | 'normalize'>, value: unknown): unknown {
  if (!isRecord(value)) return value;
  const normal = kind.normalize?.(value) ?? value;
  const older = olderVersion(kind, normal);
  if (!older || (older.schema && !older.schema.safeParse(normal).success)) return normal;
  return older.convert(normal);
}

function groupOf(version: string): string {
  return version.slice(0, Math.max(0, version.indexOf('/')));
}

function ownEntry<T>(entries: Record<string, T> | undefined, name: unknown): T | null {
  return entries && typeof name === 'string' && Object.hasOwn(entries, name) ? (entries[name] ?? null) : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
