import { z } from 'zod';
import type { Path } from './fields/rule.ts';
import { metadataSchema } from './metadata.ts';
import type { ObjectKey } from './objectKey.ts';
import type { ProblemCode } from './problemCodes.ts';

export const apiVersion = 'ebb.dev/v1alpha1';

/** A path in which `*` stands for every element or key: `['spec', 'triggers', '*', 'metadata', '*']`. */
export type PathPattern = readonly string[];

/** Something worth telling about a document that is right. */
export interface Hint {
  path: Path;
  code: ProblemCode;
  message: string;
}

/** An older version of a kind's format, which is read and turned into the present one. */
export interface OlderVersion {
  /** Checks what is written, where its shape is another one. */
  schema?: z.ZodType;
  /** The same in the present version. What `schema` has not accepted never gets here. */
  convert(written: Record<string, unknown>): Record<string, unknown>;
  /** Said as a warning. */
  message: string;
}

/** One kind of document. Registering it in `kinds.ts` gives it parsing, JSON Schema and a reference page. */
export interface KindDefinition<Kind extends string, Schema extends z.ZodType> {
  kind: Kind;
  /** As in the API's paths: `workloads`. */
  plural: string;
  apiVersion: string;
  /** Source of types, validation, defaults, JSON Schema and reference page. */
  schema: Schema;
  /** Opens the reference page. */
  summary: string;
  /** A complete document for the reference page. A test parses it. */
  example: string;
  keyOf(document: z.output<Schema>): ObjectKey;
  /** By apiVersion. */
  olderVersions?: Record<string, OlderVersion>;
  /** Versions that are known and not read, and what to do about it, by apiVersion. */
  refusedVersions?: Record<string, string>;
  /** What is left of a written document without the fields that only a cluster writes. */
  normalize?(written: Record<string, unknown>): Record<string, unknown>;
  hints?(document: z.output<Schema>): Hint[];
  /**
   * Where values stand that nobody may be shown: no message has what is written there or below, and `redactDocument`
   * hides it.
   */
  secretFields?: readonly PathPattern[];
  /** Where text is meant: a number or boolean that nobody quoted is taken letter by letter as it is written there. */
  textFields?: readonly PathPattern[];
  /** Annotations that change what is done, and how: a table on the reference page. */
  annotations?: Readonly<Record<string, string>>;
}

/** The frame of a document: apiVersion, kind and metadata around the kind's own spec. */
export function documentSchema<Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec) {
  return z.strictObject({
    apiVersion: z.literal(apiVersion).meta({ description: 'Version of the format.' }),
    kind: z.literal(kind).meta({ description: 'What the document describes.' }),
    metadata: metadataSchema,
    spec,
  });
}

export function defineKind<const Kind extends string, Schema extends z.ZodType>(
  definition: KindDefinition<Kind, Schema>,
): KindDefinition<Kind, Schema> {
  return definition;
}
