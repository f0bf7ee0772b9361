import { nearest } from '@ebb/documents';
import { shorten, splitHeader } from './fields.ts';
import { type Layout, RowError } from './layout.ts';
import { accessLog } from './layouts/accessLog.ts';
import { azureFunctions, bucketRows, workloadMinutes } from './layouts/countRows.ts';
import { journal } from './layouts/journal.ts';
import { mooncake } from './layouts/mooncake.ts';
import { prometheusMatrix } from './layouts/prometheusMatrix.ts';
import { arrivalRows, azureLlm, burstGpt } from './layouts/requestRows.ts';

export const layouts: readonly Layout[] = [
  arrivalRows,
  bucketRows,
  workloadMinutes,
  azureFunctions,
  azureLlm,
  burstGpt,
  mooncake,
  journal,
  prometheusMatrix,
  accessLog,
];

/** @throws RowError that names the nearest layout. */
export function layoutOf(firstLine: string): Layout {
  const found = layouts.find((layout) => layout.recognises(firstLine));
  if (found) return found;
  const near = nearestLayout(splitHeader(firstLine));
  throw new RowError(
    near
      ? `the first line is no known layout: "${shorten(firstLine)}"; the nearest is ${near.title}: ${near.header}`
      : `the first line is no known layout: "${shorten(firstLine)}"; known are ${layouts.map(({ title }) => title).join(', ')}`,
  );
}

/** The layout with the most columns that are there, or nearly so. */
function nearestLayout(names: readonly string[]): Layout | null {
  let best: { layout: Layout; score: number } | null = null;
  for (const layout of layouts) {
    if (layout.header === null || layout.header.startsWith('{')) continue;
    const columns = splitHeader(layout.header);
    const found = names.filter((name) => columns.includes(name)).length;
    const near = names.filter((name) => !columns.includes(name) && nearest(name, columns) !== undefined).length;
    const score = (found + near / 2) / Math.max(columns.length, names.length);
    if (score > (best?.score ?? 0)) best = { layout, score };
  }
  return best?.layout ?? null;
}
