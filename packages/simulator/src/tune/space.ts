import type { ApplyInput } from '@ebb/engine';
import { type Edit, withEdits } from './edit.ts';

/** A field of a document that the search may change. */
export interface Parameter {
  /** For a person: its path below `spec`, shortened. */
  name: string;
  kind: Edit['kind'];
  path: Edit['path'];
  /** Sizes that are tried, rising; the present one is among them. */
  sizes: readonly number[];
  /** Number of the present size. */
  present: number;
  /** As the document writes a size. */
  write: (size: number) => string | number;
}

/** A point of a space: the number of the size of each parameter. */
export type Point = readonly number[];

export interface TuningSpace {
  policy: string;
  parameters: readonly Parameter[];
  /** Fields that the policy needs as they are; empty where the documents have the policy already. */
  fixed: readonly Edit[];
  /** Makes a point valid that combines what excludes each other. */
  repair: (point: Point) => Point;
  documents: readonly ApplyInput[];
}

/** The documents have nothing that the policy could be tuned with. */
export class TuningSpaceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TuningSpaceError';
  }
}

export function presentPoint({ parameters }: TuningSpace): Point {
  return parameters.map(({ present }) => present);
}

/** Only fields that differ from what the documents have now. */
export function editsOf({ parameters, fixed }: TuningSpace, point: Point): Edit[] {
  const changed = parameters.flatMap(({ kind, path, sizes, present, write }, index) => {
    const number = point[index] ?? present;
    const size = sizes[number];
    return number === present || size === undefined ? [] : [{ kind, path, value: write(size) }];
  });
  return [...fixed, ...changed];
}

export function documentsAt(space: TuningSpace, point: Point): ApplyInput[] {
  return withEdits(space.documents, editsOf(space, point));
}

/** The value of each parameter as the document writes it. */
export function valuesAt({ parameters }: TuningSpace, point: Point): Record<string, string | number> {
  return Object.fromEntries(
    parameters.map(({ name, sizes, present, write }, index) => {
      const size = sizes[point[index] ?? present] ?? 0;
      return [name, write(size)];
    }),
  );
}

/** A parameter whose present size joins the others. */
export function parameter(
  about: Pick<Parameter, 'name' | 'kind' | 'path' | 'write'>,
  presentSize: number,
  sizes: readonly number[],
): Parameter {
  const all = [...new Set([...sizes, presentSize])].sort((a, b) => a - b);
  return { ...about, sizes: all, present: all.indexOf(presentSize) };
}
