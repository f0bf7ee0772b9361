import {
  allowedText,
  type AnyScaler,
  defaultText,
  factsOf,
  originText,
  ownTypes,
  type UnavailableType,
} from '@ebb/scalers';
import type { Colors } from '../text/colors.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/width.ts';

const lineWidth = 110;

/** All scalers in a table, then the types that are known and not available. */
export function scalerList(
  scalers: readonly AnyScaler[],
  unavailable: readonly UnavailableType[],
  { bold, dim }: Colors,
): string[] {
  const columns = [
    { title: 'type', value: ({ type }: AnyScaler) => type },
    { title: 'news', value: ({ type }: AnyScaler) => factsOf(type).news },
    { title: 'what it counts', value: ({ summary }: AnyScaler) => summary },
  ];
  const [first = '', ...rows] = table(columns, [...scalers]);
  const names = unavailable.map(({ type }) => type).join(', ');
  return [
    dim(first),
    ...rows,
    '',
    bold(`Known and not available here (${unavailable.length})`),
    ...paragraph(names),
    '',
    dim('ebb scalers TYPE tells the settings, rules and rights of one'),
  ];
}

/** One scaler in full. */
export function scalerLines(
  { type, summary, parameters, example, documentation }: AnyScaler,
  colors: Colors,
): string[] {
  const { bold, dim, yellow } = colors;
  const { reaction, rights, notes } = documentation;
  const columns = [
    { title: 'setting', value: ([name]: Entry) => name },
    { title: 'from', value: ([name, parameter]: Entry) => originText(name, parameter) },
    { title: 'default', value: ([, parameter]: Entry) => defaultText(parameter) || '-' },
  ];
  const entries = Object.entries(parameters);
  const [first = '', ...rows] = table(columns, entries);
  return [
    `${bold(type)}  ${summary}${ownTypes.includes(type) ? " Ebb's own type." : ''}`,
    '',
    bold('Example'),
    ...example.split('\n').map((line) => `  ${line}`),
    '',
    bold('Settings'),
    `  ${dim(first)}`,
    ...rows.flatMap((row, index) => {
      const parameter = entries[index]?.[1];
      if (!parameter) return [];
      const { description, deprecated, secret } = parameter;
      const allowed = allowedText(parameter);
      const about = [description, allowed && `Allowed: ${allowed}.`, secret && 'Never shown.']
        .filter(Boolean)
        .join(' ');
      return [
        `  ${row}`,
        ...wrap(about, lineWidth - 6).map((line) => `      ${dim(line)}`),
        ...(deprecated === undefined ? [] : [`      ${yellow(`deprecated: write ${deprecated}`)}`]),
      ];
    }),
    ...section('News', [reaction], colors),
    ...section('Rights', [rights], colors),
    ...section('Rules', notes, colors),
    '',
    dim(`Tested against ${factsOf(type).testedAgainst}.`),
  ];
}

type Entry = [string, AnyScaler['parameters'][string]];

function section(title: string, sentences: readonly string[], { bold }: Colors): string[] {
  if (sentences.length === 0) return [];
  if (sentences.length === 1) return ['', bold(title), ...paragraph(sentences[0] ?? '')];
  const items = sentences.flatMap((sentence) =>
    wrap(sentence, lineWidth - 4).map((line, index) => `${index === 0 ? '  - ' : '    '}${line}`),
  );
  return ['', bold(title), ...items];
}

function paragraph(text: string): string[] {
  return wrap(text, lineWidth - 2).map((line) => `  ${line}`);
}
