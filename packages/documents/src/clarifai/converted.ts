import type { Path } from '../fields/rule.ts';
import type { Hint } from '../kind.ts';
import type { KindName } from '../kinds.ts';

/** A document of Ebb made from one of Clarifai. */
export interface Converted {
  kind: KindName;
  document: Record<string, unknown>;
  /** What is not honoured, or not as it seems, at its place in the source. */
  hints: Hint[];
  /** Where in the source each part of the document comes from, by its path; the rest comes from the top. */
  origins: Readonly<Record<string, Path>>;
}

/** Keys of the annotations that keep what has no field here. */
export const clarifaiAnnotations = {
  id: 'clarifai.com/id',
  userId: 'clarifai.com/user-id',
  clusterType: 'clarifai.com/cluster-type',
  managedBy: 'clarifai.com/managed-by',
  modelId: 'clarifai.com/model-id',
  modelVersionId: 'clarifai.com/model-version-id',
  modelUserId: 'clarifai.com/model-user-id',
  modelAppId: 'clarifai.com/model-app-id',
  workflowId: 'clarifai.com/workflow-id',
  status: 'clarifai.com/status',
  description: 'ebb.dev/description',
} as const;

/** An id as a DNS label, which names are here: `My_Pool` becomes `my-pool`. Empty where nothing is left of it. */
export function labelOf(id: string): string {
  return id
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
}

export type Hints = (path: Path, message: string, code?: Hint['code']) => void;

/** Collects hints; `no-effect` unless another code is given. */
export function hintList(top: string): { hints: Hint[]; say: Hints } {
  const hints: Hint[] = [];
  const say: Hints = (path, message, code = 'no-effect') => void hints.push({ path: [top, ...path], code, message });
  return { hints, say };
}

/** Metadata with what Clarifai's object has for people. Tells where the name differs from the id. */
export function metadataOf(
  source: { id: string; description?: string | undefined; user_id?: string | undefined },
  annotations: Readonly<Record<string, string | undefined>>,
  say: Hints,
) {
  const name = labelOf(source.id);
  if (name !== source.id) {
    say(['id'], `the id "${source.id}" is named "${name}" here, where names are DNS labels; the annotation keeps it`);
  }
  const all = {
    [clarifaiAnnotations.id]: source.id,
    [clarifaiAnnotations.userId]: source.user_id,
    [clarifaiAnnotations.description]: source.description,
    ...annotations,
  };
  return { name, annotations: withoutUndefined(all) };
}

export function withoutUndefined<T>(values: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

/** Tells of each field that is written and has no counterpart, with the reason. */
export function sayIgnored(source: object, reasons: Readonly<Record<string, string>>, say: Hints): void {
  const written: Record<string, unknown> = { ...source };
  for (const [field, reason] of Object.entries(reasons)) {
    if (written[field] !== undefined) say([field], `${field} is not honoured: ${reason}`);
  }
}
