import { CatalogueError, loadCatalogue, parsePriceFactor, type PriceFactor } from '@ebb/catalogue';
import type { Offering } from '@ebb/core';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { catalogueFile } from './file.ts';

/** Offerings of the built-in list or of a file in its place. Throws a `Failure` (usage) with file and line. */
export async function loadOfferings(
  context: EbbContext,
  path: string | undefined,
  factorTexts: readonly string[],
): Promise<Offering[]> {
  const factors = factorTexts.map(readFactor);
  const file = catalogueFile(context, path);
  if (file === null || path === undefined) return loadCatalogue({ factors });
  try {
    return await loadCatalogue({ file, fileName: path, factors });
  } catch (error) {
    if (error instanceof CatalogueError) throw new Failure('usage', error.message);
    if (error instanceof Error && 'code' in error) {
      throw new Failure('usage', `--catalogue ${path} cannot be read: ${error.message}`);
    }
    throw error;
  }
}

function readFactor(text: string): PriceFactor {
  try {
    return parsePriceFactor(text);
  } catch (error) {
    throw new Failure('usage', `--factor: ${error instanceof Error ? error.message : String(error)}`);
  }
}
