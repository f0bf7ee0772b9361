import { z } from 'zod';
import { segmentField } from './names.ts';

/** A reference to another object of the same namespace. */
export function objectReferenceSchema() {
  return z.strictObject({
    apiVersion: z
      .string()
      .max(253)
      .optional()
      .meta({ description: 'Group and version.', examples: ['apps/v1'] }),
    kind: segmentField().meta({ description: 'Kind.', examples: ['Deployment'] }),
    name: segmentField().meta({ description: 'Name.' }),
  });
}
