import {
  costText,
  hoursText,
  lengthText,
  shareText,
  type Tuning,
  type TuningRun,
  tuningSentences,
} from '@ebb/simulator';
import type { EbbContext } from '../context.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/width.ts';
import { paretoLines } from './paretoText.ts';
import { diffLines, type Patch } from './patch.ts';

/** The outcome of a search for a terminal: the verdict, both parts, the front, and what to change where it holds. */
export function tuningLines(context: EbbContext, tuning: Tuning, patch: Patch | null): string[] {
  const { colors, glyphs, stdout } = context;
  const { bold, dim, green, red } = colors;
  const columns = Math.max(40, Math.min(stdout.columns ?? 100, 120));
  const { trace, policy, runs, seed, verdict, changes, outOfTime, present, tuned } = tuning;
  const [first = ''] = tuningSentences(tuning);
  const isGood = verdict === 'better' || verdict === 'present-is-best';
  const early = tuning.stopped.length > 0 ? `, ${tuning.stopped.length} of them ended early` : '';
  const ended = outOfTime ? '; time was up' : '';
  const rows: Row[] = [
    { what: 'now', part: 'training', run: present.training },
    { what: 'found', part: 'training', run: tuned.training },
    { what: 'now', part: 'validation', run: present.validation },
    { what: 'found', part: 'validation', run: tuned.validation },
  ];
  const spans = Object.entries(tuning.parts).map(
    ([name, { fromMs, toMs, requests }]) =>
      `  ${name.padEnd(10)}  ${lengthText(fromMs)} to ${lengthText(toMs)}, ${requests.toLocaleString('en')} requests`,
  );
  return [
    bold(`${policy} on ${trace}`) + dim(`  ${runs} settings tried${early}, seed ${seed}${ended}`),
    ...wrap(first, columns).map((line) => (isGood ? green(line) : red(line))),
    '',
    ...table(columnsOf, rows).map((line, index) => (index === 0 ? dim(line) : line)),
    ...spans.map(dim),
    '',
    dim(
      `  cost against late share, training part${early === '' ? '' : ', of the settings that were rehearsed to the end'}`,
    ),
    ...paretoLines(tuning, glyphs, columns).map((line) => `  ${line}`),
    ...(changes.length === 0 || verdict === 'present-is-best' ? [] : ['', ...changeLines(context, tuning, patch)]),
  ];
}

interface Row {
  what: string;
  part: string;
  run: TuningRun;
}

const columnsOf = [
  { title: 'part', value: ({ part }: Row) => part },
  { title: 'setting', value: ({ what }: Row) => what },
  { title: 'promise', value: ({ run }: Row) => (run.qualifies ? 'kept' : 'missed') },
  { title: 'on time', align: 'right' as const, value: ({ run }: Row) => `${shareText(run.onTimeShare)} %` },
  {
    title: 'cost',
    align: 'right' as const,
    value: ({ run }: Row) =>
      run.costMicro === null ? hoursText(run.replicaSeconds) : costText(run.costMicro, run.currency),
  },
  { title: 'wait p50', align: 'right' as const, value: ({ run }: Row) => lengthText(run.waitMs.p50) },
  { title: 'p99', align: 'right' as const, value: ({ run }: Row) => lengthText(run.waitMs.p99) },
  { title: 'cold starts', align: 'right' as const, value: ({ run }: Row) => run.coldStarts.toLocaleString('en') },
];

function changeLines({ colors }: EbbContext, { verdict, changes }: Tuning, patch: Patch | null): string[] {
  const { dim, green, red } = colors;
  const rows = changes.map(
    ({ name, from, to }) => `  ${name}: ${from} now, ${to} ${verdict === 'better' ? 'then' : 'tried'}`,
  );
  if (verdict !== 'better' || !patch) return [dim('  what was tried, not proposed'), ...rows];
  const diff = diffLines(patch.source.text, patch.text, patch.source.name);
  const painted = diff.map((line) =>
    line.startsWith('+') && !line.startsWith('+++')
      ? green(line)
      : line.startsWith('-') && !line.startsWith('---')
        ? red(line)
        : dim(line),
  );
  return [dim('  what to change (--write FILE writes it)'), ...painted.map((line) => `  ${line}`)];
}
