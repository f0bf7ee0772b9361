import { createHash } from 'node:crypto';

/** One key from several parts, some of them secret: what is kept in memory of them is a digest. */
export function cacheKey(...parts: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
