import { CatalogueError, loadCatalogue } from '@ebb/catalogue';
import type { Offering } from '@ebb/core';
import { StartError } from './exitCodes.ts';

/**
 * What can be rented. A file in place of the built-in list is read now, so that a wrong one is told at the start (a
 * `StartError` of usage, with file and line); the built-in list on first use.
 */
export async function openOfferings(file: string | null): Promise<() => Promise<readonly Offering[]>> {
  if (file === null) return () => loadCatalogue();
  try {
    const offerings = await loadCatalogue({ file });
    return async () => offerings;
  } catch (error) {
    if (error instanceof CatalogueError) throw new StartError('usage', error.message, error);
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError('usage', `--catalogue ${file} cannot be read: ${why}`, error);
  }
}
