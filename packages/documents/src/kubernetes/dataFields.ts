import { z } from 'zod';
import type { Path } from '../fields/rule.ts';
import { base64Bytes } from '../units/base64.ts';
import { withoutClusterFields } from './document.ts';

/** Bytes that all values of a Secret or ConfigMap may have together. */
export const maxDataBytes = 1024 * 1024;

/** A key of `data`: Kubernetes makes it a file's name where it is mounted. */
export function dataKeyField() {
  return z.string().regex(/^(?!\.\.)(?!\.$)[-._a-zA-Z0-9]{1,253}$/, {
    error: 'must be up to 253 letters, digits, -, _ and ., and not be "." or begin with ".."',
  });
}

/** Bytes as base64. The words have no value in them, because it may be a secret. */
export function base64Field(remedy: string) {
  return z.string().refine((text) => base64Bytes(text) !== null, { error: `is not base64${remedy}` });
}

/** The bytes of a value that a schema has accepted as base64. */
export function acceptedBytes(text: string): Uint8Array {
  return base64Bytes(text) ?? new Uint8Array();
}

/** Normalizes a document of data: a key without a value has an empty one, as the API server reads it. */
export function withEmptyValues(fields: readonly string[]) {
  return (written: Record<string, unknown>): Record<string, unknown> => {
    const maps = fields.flatMap((field): [string, unknown][] => {
      const map = written[field];
      if (typeof map !== 'object' || map === null || Array.isArray(map)) return [];
      return [[field, Object.fromEntries(Object.entries(map).map(([key, value]) => [key, value ?? '']))]];
    });
    return { ...withoutClusterFields(written), ...Object.fromEntries(maps) };
  };
}

export function tooLarge(kind: string, bytes: number): string {
  return `the values of the ${kind} have ${bytes} bytes together; at most ${maxDataBytes} (1 MiB) are accepted`;
}

/** The first of the fields that is there, for a problem of all of them. */
export function firstWritten(document: Readonly<Record<string, unknown>>, fields: readonly string[]): Path {
  return fields.filter((field) => document[field] !== undefined).slice(0, 1);
}
