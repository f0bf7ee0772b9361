import type { ApplyInput } from '@ebb/engine';

/** One field of a document that gets another value. */
export interface Edit {
  kind: 'Workload' | 'ScaledObject';
  path: readonly (string | number)[];
  value: unknown;
}

/** Copies of the documents with the fields changed; those on the way to a field are made where they are missing. */
export function withEdits(documents: readonly ApplyInput[], edits: readonly Edit[]): ApplyInput[] {
  return documents.map((input) => {
    const own = edits.filter(({ kind }) => kind === input.kind);
    if (own.length === 0) return input;
    return {
      ...input,
      document: own.reduce((document, { path, value }) => setIn(document, path, value), input.document),
    };
  });
}

/** What stands at a path; undefined: nothing. */
export function valueAt(document: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    document,
  );
}

function setIn(at: unknown, [key, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy: unknown = Array.isArray(at)
    ? [...at]
    : typeof at === 'object' && at !== null
      ? { ...at }
      : typeof key === 'number'
        ? []
        : {};
  if (typeof copy === 'object' && copy !== null) Reflect.set(copy, key, setIn(valueAt(at, [key]), rest, value));
  return copy;
}
