import type { ReadCluster } from '@ebb/kubernetes';
import type { EbbContext } from '../context.ts';
import { countText } from '../text/format.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/width.ts';
import type { ImportedCluster } from './importCluster.ts';
import type { Fate } from './translated.ts';

const lineWidth = 110;

/** The table of objects, each followed by what there is to know, and where it was written. */
export function importedLines(
  { colors, glyphs }: EbbContext,
  { missing, forbidden }: ReadCluster,
  { fates }: ImportedCluster,
  { folder, written }: { folder: string | null; written: readonly string[] | null },
): string[] {
  const { bold, dim, green, yellow, red } = colors;
  if (fates.length === 0 && forbidden.length === 0) return ['there is nothing in it to import'];
  const paint = { taken: green, translated: green, 'left aside': yellow };
  const sign = { taken: glyphs.check, translated: glyphs.check, 'left aside': '-' };
  const columns = [
    { title: 'object', value: ({ object }: Fate) => object },
    { title: 'here', value: ({ result }: Fate) => paint[result](`${sign[result]} ${result}`) },
    { title: 'becomes', value: ({ files }: Fate) => (files.length > 0 ? files.join(', ') : '-') },
  ];
  const [head = '', ...rows] = table(columns, [...fates]);
  const count = (result: Fate['result']) => fates.filter((fate) => fate.result === result).length;
  return [
    dim(head),
    ...rows.flatMap((row, index) => [
      row,
      ...(fates[index]?.notes ?? []).flatMap((note) => wrap(note, lineWidth - 4).map((line) => `    ${dim(line)}`)),
    ]),
    '',
    bold(
      `${countText(fates.length, 'object')}: ${count('taken')} taken as they are, ${count('translated')} translated, ` +
        `${count('left aside')} left aside.`,
    ),
    ...(missing.length > 0 ? wrap(`Not in this cluster: ${missing.join(', ')}.`, lineWidth).map(dim) : []),
    ...forbidden.map(({ kind, right }) =>
      red(`${glyphs.cross} ${kind} was not read: this user lacks the right to ${right}`),
    ),
    ...(written === null || folder === null
      ? [dim('--out FOLDER writes the documents, this report and a rehearsal.')]
      : [`wrote ${countText(written.length, 'file')} to ${folder}; ${folder}/README.md says how to go on`]),
  ];
}
