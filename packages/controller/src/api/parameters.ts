import { defaultCluster, type ObjectKey } from '@ebb/documents';
import { z } from 'zod';

/** Parameters that several routes share. */
export const namespaceParam = z
  .string()
  .min(1)
  .max(63)
  .meta({ description: 'Namespace of the object; `default` where documents name none.' });

export const nameParam = z.string().min(1).max(63).meta({ description: 'Name of the object.' });

export const clusterQuery = z
  .string()
  .min(1)
  .max(63)
  .default(defaultCluster)
  .meta({ description: 'Cluster of the object.' });

export const flagQuery = z
  .enum(['true', 'false', '1', '0', ''])
  .default('false')
  .transform((text) => text === 'true' || text === '1' || text === '');

export const objectParams = z.object({ namespace: namespaceParam, name: nameParam });
export const clusterOnly = z.strictObject({ cluster: clusterQuery });

/** A whole number within bounds, with a default. */
export function countQuery(lowest: number, highest: number, description: string) {
  return z.coerce.number().int().min(lowest).max(highest).meta({ description });
}

export function keyOf(
  { namespace, name }: { namespace: string; name: string },
  { cluster }: { cluster: string },
): ObjectKey {
  return { cluster, namespace, name };
}
