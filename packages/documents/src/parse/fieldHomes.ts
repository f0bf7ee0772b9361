import { z } from 'zod';

const known = new WeakMap<z.core.$ZodType, ReadonlyMap<string, string[]>>();

/** For each name of a field, the objects that have it: `minReplicas` → `spec.scaling`, `spec.scaling.schedules[]`. */
export function fieldHomes(schema: z.core.$ZodType): ReadonlyMap<string, string[]> {
  const before = known.get(schema);
  if (before) return before;
  const homes = new Map<string, string[]>();
  collect(schema, '', homes);
  known.set(schema, homes);
  return homes;
}

function collect(schema: z.core.$ZodType, path: string, homes: Map<string, string[]>): void {
  if (schema instanceof z.ZodObject) {
    for (const [name, field] of Object.entries(schema.shape)) {
      if (path !== '') homes.set(name, [...new Set([...(homes.get(name) ?? []), path])]);
      collect(field, path === '' ? name : `${path}.${name}`, homes);
    }
  } else if (schema instanceof z.ZodArray) {
    collect(schema.element, `${path}[]`, homes);
  } else if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) collect(option, path, homes);
  } else if (schema instanceof z.ZodPipe) {
    collect(schema.in, path, homes);
  } else if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    collect(schema.unwrap(), path, homes);
  }
}
