import { type Decision, reasonSentence } from '@ebb/core';
import type { ComparedDecisions, PolicyTotals } from '@ebb/engine';
import type { EbbContext } from '../context.ts';
import { clockText, countText, durationText, moneyText } from '../text/format.ts';
import { table } from '../text/table.ts';
import type { PolicyComparison } from './compare.ts';
import type { Verification } from './verify.ts';

const mostTold = 10;

/** `14:03:07`, with the day where a span is longer than a day. */
export function spanText(fromMs: number, toMs: number): string {
  const text = (atMs: number) => {
    const date = new Date(atMs);
    const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'));
    return toMs - fromMs < 86_400_000 ? clockText(atMs) : `${day.join('-')} ${clockText(atMs)}`;
  };
  return `${text(fromMs)} to ${text(toMs)}`;
}

export function verificationLines({ colors }: EbbContext, result: Verification, ownVersion: string): string[] {
  const { decisions, differing, first, unverified, fromMs, toMs, workloads, versions } = result;
  const span = fromMs === null || toMs === null ? '' : ` of ${spanText(fromMs, toMs)}`;
  const what = `${decisions.toLocaleString('en')} decision${decisions === 1 ? '' : 's'}`;
  const head = `${what} for ${countText(workloads.length, 'workload')}${span}`;
  const wrong = [
    ...(differing > 0 ? [`${countText(differing, 'record')} ${differing === 1 ? 'differs' : 'differ'}`] : []),
    ...(result.failed > 0 ? [`${countText(result.failed, 'segment')} cannot be decided on`] : []),
  ];
  const lines =
    wrong.length === 0
      ? [`${head}, ${colors.green('all the same bit for bit')}`]
      : [`${head}: ${colors.red(wrong.join(', '))}`];
  lines.push(...machineLines(result, colors));
  const others = versions.filter((version) => version !== ownVersion);
  if (others.length > 0) {
    lines.push(
      `recorded by Ebb ${others.join(', ')}, decided again by ${ownVersion}: the same bits are promised for one version only`,
    );
  }
  if (unverified > 0) {
    lines.push(colors.dim(`${countText(unverified, 'more decision')} without a record yet to compare with`));
  }
  for (const { workload, sequence, message } of result.failures.slice(0, mostTold)) {
    lines.push('', `${colors.bold(workload)}  record ${sequence}: nothing can be decided from it: ${message}`);
  }
  for (const compared of first.slice(0, mostTold)) lines.push('', ...differenceLines(compared, colors));
  if (differing > mostTold) lines.push('', `and ${differing - mostTold} more; --json has up to 100 of them`);
  return lines;
}

/** Decisions about machines; nothing where none is recorded. */
function machineLines({ machines }: Verification, colors: EbbContext['colors']): string[] {
  const { decisions, passedOver, differing, first } = machines;
  if (decisions + passedOver === 0) return [];
  const what = `${countText(decisions, 'decision')} about machines`;
  const rest = passedOver === 0 ? '' : colors.dim(`; ${passedOver} more are not recorded whole`);
  if (differing === 0) return [`${what}, ${colors.green('all the same')}${rest}`];
  const told = first
    .slice(0, mostTold)
    .flatMap(({ fleet, sequence, atMs, recorded, now }) => [
      `${colors.bold(fleet)}  record ${sequence}, ${clockText(atMs)}`,
      `  recorded  ${recorded.map(({ type }) => type).join(', ') || 'nothing'}`,
      `  now       ${now.map(({ type }) => type).join(', ') || 'nothing'}`,
    ]);
  return [`${what}: ${colors.red(`${differing} differ`)}${rest}`, ...told];
}

function differenceLines(compared: ComparedDecisions, colors: EbbContext['colors']): string[] {
  const { workload, sequence, fromMs, toMs, count, recorded, now, isWhole } = compared;
  const when = isWhole ? clockText(fromMs) : `in a run of ${count}, ${spanText(fromMs, toMs)}`;
  return [
    `${colors.bold(workload)}  record ${sequence}, ${when}`,
    `  recorded  ${countText(recorded.replicas, 'replica')}`,
    ...onlyIn(recorded, now).map((text) => `            ${text}`),
    `  now       ${countText(now.replicas, 'replica')}`,
    ...onlyIn(now, recorded).map((text) => `            ${text}`),
  ];
}

/** Reasons of one decision that the other does not have, as sentences; the time it asks for where that is another. */
function onlyIn(one: Decision, other: Decision): string[] {
  const others = new Set(other.reasons.map((reason) => JSON.stringify(reason)));
  const own = one.reasons
    .filter((reason) => !others.has(JSON.stringify(reason)))
    .map((reason) => `${reason.stage}: ${reasonSentence(reason)}`);
  if (own.length > 0 || one.revisitAtMs === other.revisitAtMs) return own;
  return [`asks again at ${one.revisitAtMs === null ? 'no time' : clockText(one.revisitAtMs)}`];
}

const rows: { title: string; value: (totals: PolicyTotals, currency: string) => string }[] = [
  { title: 'replica-seconds', value: ({ replicaMs }) => (replicaMs / 1000).toFixed(1) },
  { title: 'cost', value: ({ costMicro }, currency) => moneyText(costMicro, currency) },
  { title: 'most replicas', value: ({ mostReplicas }) => String(mostReplicas) },
  { title: 'time at zero', value: ({ zeroMs }) => durationText(zeroMs) },
  { title: 'starts', value: ({ starts }) => String(starts) },
  {
    title: 'demand over what was ready',
    value: ({ shortfalls, shortMs }) => `${shortfalls}×, ${durationText(shortMs)}`,
  },
];

export function comparisonLines(
  { colors }: EbbContext,
  comparison: PolicyComparison,
  currency: string,
  file: string,
): string[] {
  const { workload, fromMs, toMs, decisions, differing, coldStart, recorded, same, other } = comparison;
  const length = durationText(toMs - fromMs);
  const columns = [
    { title: '', totals: null },
    { title: 'as recorded', totals: recorded },
    { title: 'same policy*', totals: same },
    { title: 'other policy*', totals: other },
  ];
  const [head = '', ...body] = table(
    columns.map(({ title, totals }) => ({
      title,
      ...(totals ? { align: 'right' as const } : {}),
      value: (row: (typeof rows)[number]) => (totals ? row.value(totals, currency) : row.title),
    })),
    rows,
  );
  const measured =
    coldStart.measured > 0
      ? `the median of ${countText(coldStart.measured, 'recorded cold start')}`
      : 'assumed, none was recorded';
  return [
    `${colors.bold(workload)}  ${spanText(fromMs, toMs)} (${length}), ${countText(decisions, 'decision')}, other policy: ${file}`,
    colors.dim(head),
    ...body,
    '',
    '* Open loop: the demand is what was recorded, whatever this policy would have made of it; a replica is ready',
    `${durationText(coldStart.ms)} after it is asked for (${measured}) and gone when it is no longer wanted. An estimate: waits`,
    'are not simulated, that is what a rehearsal does. Compare the two columns marked * with each other.',
    ...(differing > 0
      ? [`${countText(differing, 'record')} differ from what this version decides; ebb replay ${workload} lists them.`]
      : []),
  ];
}

/** Money as text: it is a big integer. */
export function comparisonJson(comparison: PolicyComparison, currency: string): unknown {
  const totals = (one: PolicyTotals) => ({ ...one, costMicro: String(one.costMicro) });
  const { recorded, same, other, ...rest } = comparison;
  return { ...rest, openLoop: true, currency, recorded: totals(recorded), same: totals(same), other: totals(other) };
}
