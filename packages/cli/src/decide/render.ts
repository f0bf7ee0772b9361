import {
  type Decision,
  type Observation,
  type Reason,
  reasonSentence,
  type ScaledJobResult,
  type ScaledJobTriggerReading,
  type Stage,
} from '@ebb/core';
import { formatDuration } from '@ebb/documents';
import type { EbbContext } from '../context.ts';
import { countText } from '../text/format.ts';
import { padEnd, withoutControls, wrap } from '../text/width.ts';
import { type JsonRecord, shown } from './shape.ts';
import type { Subject } from './subject.ts';

/** Steps of a decision in their order (core's `Stage`). */
const stages: readonly Stage[] = [
  'reading',
  'recommendation',
  'combine',
  'forecast',
  'gate',
  'behavior',
  'bounds',
  'grant',
  'victims',
];
const labelWidth = Math.max(...stages.map((stage) => stage.length));

/** A decision as a person reads it: what was given, the chain of reasons, the count, and what comes next. */
export function decisionLines(
  context: EbbContext,
  subject: Extract<Subject, { type: 'replicas' }>,
  observation: Observation,
  simple: JsonRecord,
  remembers: boolean,
  decision: Decision,
): string[] {
  const { bold, dim } = context.colors;
  const when = observation.nowMs === 0 ? 'at 0s' : `at ${formatDuration(observation.nowMs)}`;
  const first = remembers ? '' : ', first decision';
  return [
    `${bold(subject.name)}  ${dim(`${subject.kind}, policy ${subject.spec.policy}, ${when}${first}`)}`,
    ...row(context, 'given', givenText(observation, simple)),
    ...reasonRows(context, decision.reasons),
    ...row(context, 'decision', bold(replicasText(decision))),
    ...row(context, 'next', nextText(decision, observation.nowMs)),
  ];
}

export function jobLines(
  context: EbbContext,
  name: string,
  readings: readonly ScaledJobTriggerReading[],
  sentences: readonly string[],
  jobs: ScaledJobResult,
): string[] {
  const { bold, dim } = context.colors;
  const given = readings.map(({ trigger, queueLength, target, active }) => {
    return `${trigger} ${queueLength} at ${target} a job${active ? '' : ' (inactive)'}`;
  });
  return [
    `${bold(name)}  ${dim('ScaledJob, one poll')}`,
    ...row(context, 'given', given.length === 0 ? 'no reading' : given.join(', ')),
    ...sentences.slice(0, -1).flatMap((sentence, index) => row(context, jobStages[index] ?? '', sentence)),
    ...row(context, 'decision', bold(`create ${countText(jobs.create, 'job')}`)),
  ];
}

const jobStages = ['combine', 'bounds', ''];

function reasonRows(context: EbbContext, reasons: readonly Reason[]): string[] {
  let before = '';
  return stages.flatMap((stage) =>
    reasons
      .filter((reason) => reason.stage === stage)
      .flatMap((reason) => {
        const label = stage === before ? '' : stage;
        before = stage;
        return row(context, label, reasonSentence(reason));
      }),
  );
}

function row(context: EbbContext, label: string, text: string): string[] {
  const width = context.stdout.isTTY ? (context.stdout.columns ?? 80) : 120;
  const [first = '', ...rest] = wrap(
    text.includes('\u001b') ? text : withoutControls(text),
    Math.max(20, width - labelWidth - 4),
  );
  return [
    `  ${context.colors.dim(padEnd(label, labelWidth))}  ${first}`,
    ...rest.map((line) => `${' '.repeat(labelWidth + 4)}${line}`),
  ];
}

/** What the decision was made from: readings as they were given, and the replicas and requests there are. */
function givenText(observation: Observation, simple: JsonRecord): string {
  const named = Object.entries(simple).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : shown(value)}`,
  );
  const read = observation.readings.map(({ trigger, class: of, value, state }) => {
    return `${trigger}${of === null ? '' : `/${of}`} ${state === 'ok' ? value : state}`;
  });
  const readings = named.length > 0 ? named : read;
  const size = observation.hpa?.specReplicas ?? observation.keda?.specReplicas;
  const several = Object.keys(observation.classes).length > 1;
  const seen = Object.entries(observation.classes).map(([name, one]) => {
    const parts = [
      size === undefined || size === one.ready ? `${one.ready} ready` : `${one.ready} of ${size} ready`,
      ...others.flatMap(([field, word]) => (one[field] > 0 ? [`${one[field]} ${word}`] : [])),
    ];
    return several ? `${name}: ${parts.join(', ')}` : parts.join(', ');
  });
  if (!observation.countsKnown) seen.push('gateway silent');
  return [readings.length === 0 ? 'no reading' : readings.join(', '), ...seen].join('; ');
}

const others = [
  ['starting', 'starting'],
  ['draining', 'draining'],
  ['failed', 'failed'],
  ['inFlight', 'in flight'],
  ['held', 'held'],
] as const;

function replicasText({ replicas, classes }: Decision): string {
  const text = countText(replicas, 'replica');
  const shares = Object.entries(classes);
  if (shares.length < 2) return text;
  return `${text} (${shares.map(([name, many]) => `${name} ${many}`).join(', ')})`;
}

function nextText({ revisitAtMs }: Decision, nowMs: number): string {
  if (revisitAtMs === null) return 'asked again when something happens';
  const inMs = Math.max(0, revisitAtMs - nowMs);
  return `asked again in ${formatDuration(inMs)} (at ${formatDuration(revisitAtMs)}), or when something happens`;
}
