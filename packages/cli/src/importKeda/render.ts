import type { EbbContext } from '../context.ts';
import { countText } from '../text/format.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/width.ts';
import type { MissingWorkload, TriggerCoverage } from './coverage.ts';
import type { WorkloadSkeleton } from './workloadSkeleton.ts';

const lineWidth = 110;

/** The table of triggers, each followed by what it needs or why it is not available. */
export function coverageLines(triggers: readonly TriggerCoverage[], { colors, glyphs }: EbbContext): string[] {
  const { dim, green, yellow, red } = colors;
  const paint = { works: green, needs: yellow, 'not available': red };
  const sign = { works: glyphs.check, needs: '!', 'not available': glyphs.cross };
  const columns = [
    { title: 'object', value: ({ kind, object }: TriggerCoverage) => `${kind.toLowerCase()}/${object}` },
    { title: 'trigger', value: ({ trigger }: TriggerCoverage) => trigger },
    { title: 'type', value: ({ type }: TriggerCoverage) => type },
    { title: 'here', value: ({ result }: TriggerCoverage) => paint[result](`${sign[result]} ${result}`) },
  ];
  const [head = '', ...rows] = table(columns, [...triggers]);
  return [
    dim(head),
    ...rows.flatMap((row, index) => {
      const reasons = triggers[index]?.reasons ?? [];
      return [row, ...reasons.flatMap((reason) => wrap(reason, lineWidth - 4).map((line) => `    ${dim(line)}`))];
    }),
  ];
}

/** `17 of 20 triggers work here` and what the others lack. */
export function countLine(triggers: readonly TriggerCoverage[]): string {
  const count = (result: TriggerCoverage['result']) => triggers.filter((one) => one.result === result).length;
  const [needs, missing] = [count('needs'), count('not available')];
  const rest = [
    ...(needs > 0 ? [`${needs} need${needs === 1 ? 's' : ''} something`] : []),
    ...(missing > 0 ? [`${missing} ${missing === 1 ? 'is' : 'are'} not available`] : []),
  ];
  const all = countText(triggers.length, 'trigger');
  const work = `${count('works')} of ${all} ${count('works') === 1 ? 'works' : 'work'} here`;
  return rest.length === 0 ? `${work}.` : `${work}; ${rest.join(', ')}.`;
}

/** Which Workloads are missing, and what to write. */
export function workloadLines(
  missing: readonly MissingWorkload[],
  skeletons: readonly WorkloadSkeleton[],
  written: readonly string[] | null,
  { colors }: EbbContext,
): string[] {
  if (missing.length === 0) return [];
  const { bold, dim } = colors;
  const named = missing.map(({ name, scaledObjects }) => `"${name}" (for ${scaledObjects.join(', ')})`).join(', ');
  const title = `${countText(missing.length, 'Workload is', 'Workloads are')} missing`;
  const lines = ['', bold(title), ...wrap(`Ebb runs processes from Workloads, and none is named ${named}.`, lineWidth)];
  if (written) return [...lines, ...written.map((path) => `wrote ${path}`)];
  return [
    ...lines,
    dim('These are made from what the files have; --write DIR writes them:'),
    ...skeletons.flatMap(({ yaml }) => ['---', ...yaml.trimEnd().split('\n')]),
  ];
}

/** What the same files come to in time. */
export function timingLines(documents: readonly { improved: boolean }[], { dim }: EbbContext['colors']): string[] {
  if (documents.length === 0) return [];
  const exact = documents.filter(({ improved }) => !improved).length;
  if (exact === 0) return [];
  const text =
    `${countText(exact, 'object keeps', 'objects keep')} KEDA's timing: sources are asked every pollingInterval (30 s where ` +
    'none is written). The annotation ebb.dev/improvements: "true" on an object makes Ebb react at once.';
  return ['', ...wrap(text, lineWidth).map(dim)];
}
