import {
  type ComparedTrace,
  type Comparison,
  costText,
  hoursText,
  lengthText,
  modelSentences,
  type PolicyOnTrace,
  type PolicyOverall,
  promiseText,
  ratioText,
  shareText,
  summarySentences,
} from '@ebb/simulator';
import type { EbbContext } from '../context.ts';
import { type Column, table } from '../text/table.ts';
import { textWidth, wrap } from '../text/width.ts';

const textWidthMost = 100;

interface RankedColumn extends Column<PolicyOnTrace> {
  /** Left out first where the terminal is narrow; left out: never. */
  dispensable?: number;
}

/** Everything a person wants to know of a comparison. */
export function comparisonLines(context: EbbContext, comparison: Comparison): string[] {
  const { traces, overall, failures } = comparison;
  const { bold, dim, red } = context.colors;
  const lines: string[] = [];
  for (const trace of traces) {
    lines.push(`${bold(trace.trace)}  ${factsText(trace)}`, ...traceLines(context, comparison, trace), '');
  }
  if (traces.length > 1) lines.push(`${bold('all traces')}  geometric means`, ...overallLines(context, overall), '');
  for (const { trace, policy, seed, message } of failures) {
    lines.push(red(`${policy} on ${trace}, seed ${seed}: ${message}`));
  }
  if (failures.length > 0) lines.push('');
  const sentences = summarySentences(comparison).flatMap((text) => wrap(text, textWidthMost));
  const about = [`The promise: ${promiseText(comparison)}.`, ...modelSentences(comparison)];
  return [...lines, ...sentences, '', ...about.flatMap((text) => wrap(text, textWidthMost).map(dim))];
}

function factsText({ requests, spanMs, workloads, bounds }: ComparedTrace): string {
  const [bound] = bounds;
  return [
    `${requests.toLocaleString('en')} requests in ${lengthText(spanMs)}`,
    ...(workloads > 1 ? [`${workloads} workloads`] : []),
    ...(bound ? [`optimum at least ${hoursText(bound.lowerBoundSeconds)}`] : []),
    ...(bound && bound.planSeconds !== null && bound.lowerBoundSeconds > 0
      ? [`plan with hindsight ${ratioText(bound.planSeconds / bound.lowerBoundSeconds)} ×`]
      : []),
  ].join(', ');
}

function traceLines(context: EbbContext, { summaries }: Comparison, { trace }: ComparedTrace): string[] {
  const { colors, glyphs, stdout } = context;
  const own = summaries.filter((summary) => summary.trace === trace);
  if (own.length === 0) return ['no run came to a result'];
  const hasMoney = own.some(({ costMicro }) => costMicro !== null);
  const right = 'right' as const;
  const all: RankedColumn[] = [
    { title: '', value: ({ isBest, qualifies }) => (isBest ? glyphs.dot : qualifies ? glyphs.check : glyphs.cross) },
    { title: 'policy', value: nameOf },
    { title: 'on time', align: right, value: ({ onTimeShare }) => `${shareText(onTimeShare)} %` },
    { title: '× optimum', align: right, value: ({ ratio }) => ratioText(ratio) },
    { title: 'replicas', align: right, value: ({ replicaSeconds }) => hoursText(replicaSeconds) },
    ...(hasMoney
      ? [{ title: 'money', align: right, value: (one: PolicyOnTrace) => costText(one.costMicro, one.currency) }]
      : []),
    { title: 'wait p50', align: right, value: ({ waitMs }) => lengthText(waitMs.p50), dispensable: 3 },
    { title: 'p95', align: right, value: ({ waitMs }) => lengthText(waitMs.p95), dispensable: 1 },
    { title: 'p99', align: right, value: ({ waitMs }) => lengthText(waitMs.p99) },
    { title: 'longest', align: right, value: ({ waitMs }) => lengthText(waitMs.max), dispensable: 2 },
    ...(own.some(({ deferrable }) => deferrable)
      ? [
          { title: 'deferred', align: right, value: (one: PolicyOnTrace) => deferredText(one, 'onTime') },
          { title: 'longest deferral', align: right, value: (one: PolicyOnTrace) => deferredText(one, 'max') },
        ]
      : []),
    { title: 'cold starts', align: right, value: ({ coldStarts }) => Math.round(coldStarts).toLocaleString('en') },
    { title: 'most', align: right, value: ({ mostReplicas }) => String(mostReplicas), dispensable: 4 },
    { title: 'priced', align: right, value: ({ pricedScore }) => ratioText(pricedScore), dispensable: 5 },
  ];
  let columns = all;
  let lines = table(columns, own);
  for (let rank = 1; rank <= 5 && stdout.isTTY && tooWide(lines, stdout.columns ?? 80); rank++) {
    columns = columns.filter(({ dispensable }) => dispensable !== rank);
    lines = table(columns, own);
  }
  const [head = '', ...body] = lines;
  const machines = own.flatMap((one) => machineLines(one));
  return [colors.dim(head), ...body.map((line, index) => paint(context, own[index], line)), ...machines];
}

/** What was rented for a policy. */
function machineLines({ policy, machines }: PolicyOnTrace): string[] {
  if (!machines) return [];
  const { bought, most, kinds, currency } = machines;
  const parts = kinds.map(
    ({ instanceType, capacityType, seconds, costMicro }) =>
      `${instanceType} ${capacityType} ${hoursText(seconds)} for ${costText(costMicro, currency)}`,
  );
  return [
    `  ${policy}: ${bought} ${bought === 1 ? 'machine' : 'machines'} rented, ${most} at once: ${parts.join(', ')}`,
  ];
}

/** Of the requests that may be deferred: how many began in their time, and how long they waited. */
function deferredText({ deferrable }: PolicyOnTrace, what: 'onTime' | 'max'): string {
  if (!deferrable) return '';
  return what === 'onTime' ? `${shareText(deferrable.onTimeShare)} %` : lengthText(deferrable.waitMs[what]);
}

/** What nobody has in advance is marked. */
function nameOf({ policy, usesHindsight }: { policy: string; usesHindsight: boolean }): string {
  return usesHindsight ? `${policy} (hindsight)` : policy;
}

function paint(
  { colors }: EbbContext,
  summary: { isBest: boolean; qualifies: boolean } | undefined,
  line: string,
): string {
  if (!summary?.qualifies) return colors.dim(line);
  return summary.isBest ? colors.bold(colors.green(line)) : line;
}

function tooWide(lines: readonly string[], width: number): boolean {
  return lines.some((line) => textWidth(line) > width);
}

function overallLines(context: EbbContext, overall: readonly PolicyOverall[]): string[] {
  const { colors, glyphs } = context;
  const hasMoney = overall.some(({ costMicro }) => costMicro !== null);
  const right = 'right' as const;
  const [head = '', ...body] = table<PolicyOverall>(
    [
      { title: '', value: ({ isBest, ratio }) => (isBest ? glyphs.dot : ratio === null ? glyphs.cross : glyphs.check) },
      { title: 'policy', value: nameOf },
      { title: 'promise kept', align: right, value: ({ qualified, traces }) => `${qualified} of ${traces}` },
      { title: '× optimum', align: right, value: ({ ratio }) => ratioText(ratio) },
      { title: 'priced', align: right, value: ({ pricedScore }) => ratioText(pricedScore) },
      { title: 'replicas', align: right, value: ({ replicaSeconds }) => hoursText(replicaSeconds) },
      ...(hasMoney
        ? [{ title: 'money', align: right, value: (one: PolicyOverall) => costText(one.costMicro, one.currency) }]
        : []),
    ],
    [...overall],
  );
  return [
    colors.dim(head),
    ...body.map((line, index) => {
      const one = overall[index];
      return paint(context, one && { isBest: one.isBest, qualifies: one.ratio !== null }, line);
    }),
  ];
}
