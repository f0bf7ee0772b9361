import type { ImportedDocument, ImportedField } from '@ebb/documents';
import type { EbbContext } from '../context.ts';
import { countText } from '../text/format.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/width.ts';
import { documentText } from './documentText.ts';

const lineWidth = 110;

/** The table of fields, each that does not wholly count followed by the reason. */
export function fieldLines(fields: readonly ImportedField[], { colors, glyphs }: EbbContext): string[] {
  const { dim, green, yellow, red } = colors;
  const paint = { honoured: green, approximated: yellow, ignored: red };
  const sign = { honoured: glyphs.check, approximated: '~', ignored: glyphs.cross };
  const columns = [
    { title: 'field', value: ({ field }: ImportedField) => field },
    { title: 'value', value: ({ value }: ImportedField) => (value === '' ? '-' : value) },
    { title: 'here', value: ({ result }: ImportedField) => paint[result](`${sign[result]} ${result}`) },
    { title: 'becomes', value: ({ becomes }: ImportedField) => becomes ?? '-' },
  ];
  const [head = '', ...rows] = table(columns, [...fields]);
  return [
    dim(head),
    ...rows.flatMap((row, index) => {
      const { object = '', reason = null } = fields[index] ?? {};
      const title = object === fields[index - 1]?.object ? [] : [object];
      const reasons = reason === null ? [] : wrap(reason, lineWidth - 4).map((line) => `    ${dim(line)}`);
      return [...title.map((text) => colors.bold(text)), row, ...reasons];
    }),
  ];
}

export interface FieldCounts {
  fields: number;
  honoured: number;
  approximated: number;
  ignored: number;
}

/** `12 of 15 fields are honoured, 1 nearly; 2 are ignored.` */
export function countLine({ fields, honoured, approximated, ignored }: FieldCounts): string {
  const nearly = approximated > 0 ? `, ${approximated} nearly` : '';
  const rest = ignored > 0 ? `; ${ignored} ${ignored === 1 ? 'is' : 'are'} ignored` : '';
  return `${honoured} of ${countText(fields, 'field')} ${honoured === 1 ? 'is' : 'are'} honoured${nearly}${rest}.`;
}

/** The documents themselves, or where they were written. */
export function documentLines(
  documents: readonly ImportedDocument[],
  written: readonly string[] | null,
  { dim }: EbbContext['colors'],
): string[] {
  if (documents.length === 0) return [];
  if (written) return ['', ...written.map((path) => `wrote ${path}`)];
  return [
    '',
    dim('These documents are made of it; --write DIR writes them:'),
    ...documents.flatMap((document) => ['---', ...documentText(document).trimEnd().split('\n')]),
  ];
}
