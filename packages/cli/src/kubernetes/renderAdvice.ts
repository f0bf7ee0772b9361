import type { Advice, Comparison } from '@ebb/kubernetes';
import type { EbbContext } from '../context.ts';
import { countText, durationText } from '../text/format.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/width.ts';

const lineWidth = 110;

/** What happened beside what would have been done; with `isWhole`, every figure of each and why. */
export function adviceLines(context: EbbContext, { comparisons, leftOut }: Advice, isWhole: boolean): string[] {
  const { bold, dim } = context.colors;
  if (comparisons.length === 0) return ['nothing is advised on'];
  if (isWhole) return comparisons.flatMap((one) => wholeLines(context, one));
  const several = new Set(comparisons.map(({ namespace }) => namespace)).size > 1;
  const hasJobs = comparisons.some(({ made }) => made !== undefined);
  const columns = [
    { title: 'target', value: (one: Comparison) => (several ? `${one.namespace}/` : '') + one.target },
    { title: 'by', value: ({ document }: Comparison) => document },
    { title: 'for', value: ({ sinceMs, atMs }: Comparison) => durationText(atMs - sinceMs) },
    { title: 'runs', value: ({ actual }: Comparison) => String(actual.wanted) },
    { title: 'ebb', value: ({ advised }: Comparison) => String(advised.wanted) },
    {
      title: 'replica-seconds',
      value: ({ actualTotals, advisedTotals }: Comparison) => pair(actualTotals.replicaMs, advisedTotals.replicaMs),
    },
    {
      title: 'short',
      value: ({ actualTotals, advisedTotals }: Comparison) => pair(actualTotals.shortMs, advisedTotals.shortMs),
    },
    {
      title: 'unready',
      value: ({ actualTotals, advisedTotals }: Comparison) => pair(actualTotals.unreadyMs, advisedTotals.unreadyMs),
    },
    ...(hasJobs
      ? [{ title: 'jobs', value: ({ made }: Comparison) => (made ? `${made.actual} → ${made.advised}` : '') }]
      : []),
  ];
  const [head = '', ...rows] = table(columns, [...comparisons]);
  const sum = (side: 'actualTotals' | 'advisedTotals', field: 'replicaMs' | 'shortMs') =>
    comparisons.reduce((total, one) => total + one[side][field], 0);
  return [
    dim(head),
    ...rows,
    '',
    bold(
      `${countText(comparisons.length, 'target')}: ${pair(sum('actualTotals', 'replicaMs'), sum('advisedTotals', 'replicaMs'))} replica-seconds, ` +
        `${pair(sum('actualTotals', 'shortMs'), sum('advisedTotals', 'shortMs'))} of them missing when the readings asked for them.`,
    ),
    ...(leftOut > 0 ? [`${countText(leftOut, 'more target')} found no room in the ConfigMap.`] : []),
    ...wrap(
      'Each pair: what happened → what Ebb would have done, in seconds times replicas' +
        (hasJobs ? '; of a ScaledJob in seconds times Jobs that run, and Jobs made.' : '.'),
      lineWidth,
    ).map(dim),
  ];
}

function wholeLines({ colors }: EbbContext, one: Comparison): string[] {
  const { bold, dim } = colors;
  const { actual, advised, actualTotals, advisedTotals, made } = one;
  const row = (label: string, text: string) => `  ${label.padEnd(16)}${text}`;
  const title =
    bold(`${one.namespace}/${one.target}`) +
    dim(` by ${one.document}, watched for ${durationText(one.atMs - one.sinceMs)}`);
  if (made) {
    return [
      title,
      row('runs', `${actual.live} Jobs, ${actual.ready} of them with a pod that runs`),
      row('ebb', `${advised.live} Jobs`),
      row('because', one.because),
      row('made', `${made.actual} → ${made.advised} Jobs`),
      row('job-seconds', pair(actualTotals.replicaMs, advisedTotals.replicaMs)),
      row('short', `${pair(actualTotals.shortMs, advisedTotals.shortMs)} fewer running than Ebb would have had`),
      dim(
        '  Each Job of Ebb stands for one that is really made, in order, and ends with it: its work waits for that one.',
      ),
    ];
  }
  return [
    title,
    row('runs', `${actual.wanted} wanted, ${actual.live} there, ${actual.ready} ready`),
    row('ebb', `${advised.wanted} wanted, ${advised.live} there, ${advised.ready} ready`),
    row('because', one.because),
    row('replica-seconds', pair(actualTotals.replicaMs, advisedTotals.replicaMs)),
    row('short', `${pair(actualTotals.shortMs, advisedTotals.shortMs)} fewer ready than the readings ask for`),
    row('unready', `${pair(actualTotals.unreadyMs, advisedTotals.unreadyMs)} there and not ready`),
    row('changes', `${actualTotals.changes} → ${advisedTotals.changes} of the count`),
    dim(`  A start is taken to last ${durationText(one.startMs)}, from the pods of this target.`),
  ];
}

function pair(actualMs: number, advisedMs: number): string {
  return `${seconds(actualMs)} → ${seconds(advisedMs)}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 1 : 0);
}
