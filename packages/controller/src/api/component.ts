import { z } from 'zod';

/**
 * The answers, for the OpenAPI document. Each is bound to its TypeScript type, so that one cannot change without the
 * other; a test reads real answers with them.
 */
export const components = z.registry<{ id: string; description?: string }>();

export function component<Type>(id: string, schema: z.ZodType<Type>): z.ZodType<Type> {
  components.add(schema, { id });
  return schema;
}

/** Of things, or of bytes and the like. */
export const count = z.int().min(0);
