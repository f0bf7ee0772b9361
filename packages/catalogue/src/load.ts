import { readFile } from 'node:fs/promises';
import type { Offering } from '@ebb/core';
import { parseCatalogue } from './parseCatalogue.ts';
import { applyPriceFactors, type PriceFactor } from './priceFactor.ts';

/** Prices are per hour in micro-units of this currency. */
export const catalogueCurrency = 'USD';

export interface CatalogueOptions {
  /** A CSV or JSON file in place of the built-in list. */
  file?: string;
  /** Name of the file in messages; default: the path. */
  fileName?: string;
  factors?: readonly PriceFactor[];
}

let builtIn: Promise<Offering[]> | null = null;

/**
 * What can be rented, at which price: the built-in list, or a file in its place, with the price factors applied. The
 * built-in list is read on first use. Throws `CatalogueError`, or the system's error for a file that cannot be read.
 */
export async function loadCatalogue(options: CatalogueOptions = {}): Promise<Offering[]> {
  const { file, fileName, factors = [] } = options;
  const offerings = await (file === undefined ? readBuiltIn() : readOwn(file, fileName ?? file));
  return applyPriceFactors(offerings, factors);
}

async function readOwn(file: string, name: string): Promise<Offering[]> {
  return parseCatalogue(await readFile(file, 'utf8'), name);
}

function readBuiltIn(): Promise<Offering[]> {
  // The same place from `src` and from `dist`.
  builtIn ??= readFile(new URL('../data/list-prices.csv', import.meta.url), 'utf8').then((text) =>
    parseCatalogue(text, 'list-prices.csv'),
  );
  return builtIn;
}
