import type { ClassRecommendation } from '@ebb/client';
import { formatMilli } from '@ebb/documents';
import type { Colors } from '../text/colors.ts';
import { bytesText } from '../text/format.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/width.ts';
import type { PricedRecommendation } from './askMachines.ts';
import { machineLines } from './machineLines.ts';
import { patchLines } from './patch.ts';

/** A table of the classes, why for each, and what to paste. Without colours it is plain text of the given width. */
export function recommendationLines(
  { workload, classes, apply, machines, currency }: PricedRecommendation,
  colors: Colors,
  width: number,
): string[] {
  const { bold, dim } = colors;
  const rows = classes.flatMap((one): Row[] => [
    { one, resource: 'cpuMilli' },
    { one, resource: 'memoryBytes' },
  ]);
  const why = classes.flatMap((one) => {
    const sentences = [one.confidence.sentence, ...whySentences(one)];
    const lines = sentences.flatMap((sentence) => indented(sentence, width));
    return classes.length > 1 ? [`  ${bold(one.class)}`, ...lines] : lines;
  });
  const patch = patchLines(classes);
  return [
    bold(workload),
    ...table(columns, rows).map((line) => `  ${line}`),
    '',
    dim('  why'),
    ...why,
    '',
    ...machineLines(machines, currency, colors),
    ...followLines(apply, classes),
    ...(patch ? [dim('  to paste into the document'), ...patch.map((line) => `  ${line}`)] : nothingToPaste(classes)),
  ];
}

/** That the next roll-out takes it, where the document says so, and what the latest took. */
function followLines(apply: PricedRecommendation['apply'], classes: ClassRecommendation[]): string[] {
  if (apply === 'never') return [];
  const applied = classes.flatMap(({ class: name, applied: taken }) => {
    if (!taken) return [];
    const { cpuMilli, memoryBytes } = taken.requests;
    return [`  ${name} asks for ${formatMilli(cpuMilli)} and ${bytesText(memoryBytes)} since its latest roll-out.`];
  });
  return [...applied, '  The next roll-out takes what is suggested by then; nothing is restarted for it.', ''];
}

interface Row {
  one: ClassRecommendation;
  resource: 'cpuMilli' | 'memoryBytes';
}

const columns = [
  { title: 'class', value: ({ one, resource }: Row) => (resource === 'cpuMilli' ? one.class : '') },
  { title: 'resource', value: ({ resource }: Row) => (resource === 'cpuMilli' ? 'CPU' : 'memory') },
  { title: 'request now', align: 'right' as const, value: ({ one, resource }: Row) => now(one, resource) },
  { title: 'target', align: 'right' as const, value: (row: Row) => amount(row, 'target') },
  {
    title: 'bounds',
    value: bounds,
  },
  { title: 'change', value: change },
];

/** With little history they are true and useless: up to a thousand times the target. */
function bounds(row: Row): string {
  if (!row.one.amounts) return '-';
  if (!row.one.confidence.enough) return 'too wide yet';
  return `${amount(row, 'lowerBound')} to ${amount(row, 'upperBound')}`;
}

function now(one: ClassRecommendation, resource: Row['resource']): string {
  const asked = requestNow(one)[resource];
  return asked === 0 ? 'none' : text(resource, asked);
}

function amount({ one, resource }: Row, which: 'lowerBound' | 'target' | 'upperBound'): string {
  return one.amounts ? text(resource, one.amounts[which][resource]) : '-';
}

const text = (resource: Row['resource'], value: number): string =>
  resource === 'cpuMilli' ? formatMilli(value) : bytesText(value);

/** What new replicas ask for: as settled by the latest roll-out, else as in the document. */
const requestNow = ({ applied, requests }: ClassRecommendation) => applied?.requests ?? requests;

/** In a word, as the Vertical Pod Autoscaler would act: a request within the bounds is left as it is. */
function change({ one, resource }: Row): string {
  if (!one.amounts || !one.confidence.enough) return 'too early to say';
  const asked = requestNow(one)[resource];
  if (asked < one.amounts.lowerBound[resource]) return 'raise it';
  return asked > one.amounts.upperBound[resource] ? 'lower it' : 'within its bounds';
}

/** The confidence is told in words of its own. */
function whySentences({ reasons }: ClassRecommendation): string[] {
  return reasons
    .filter(({ code }) => code !== 'sizing-confidence' && code !== 'sizing-no-history')
    .map(({ sentence }) => sentence);
}

function nothingToPaste(classes: ClassRecommendation[]): string[] {
  const measured = classes.some(({ confidence }) => confidence.samples > 0);
  return [
    measured
      ? '  Nothing to paste yet: ask again when it has run for an hour.'
      : '  Nothing to paste yet: send it requests, and ask again when it has run for a while.',
  ];
}

function indented(sentence: string, width: number): string[] {
  return wrap(sentence, Math.max(20, width - 4)).map((line) => `    ${line}`);
}
