import type { ScaledJobCounts, ScaledJobResult, ScaledJobRules, ScaledJobTriggerReading } from '@ebb/core';
import { LineError } from './lineError.ts';
import {
  checkNames,
  count,
  flag,
  isRecord,
  listOf,
  number,
  object,
  oneOf,
  orElse,
  orNull,
  record,
  type Shape,
  shown,
  text,
} from './shape.ts';

/** What a ScaledJob's document says of one trigger. */
export interface JobTrigger {
  name: string;
  target: number;
  activationTarget: number;
}

/** `scaledJob` of a line; the defaults are KEDA's. */
export const jobRules: Shape<ScaledJobRules> = object<ScaledJobRules>({
  strategy: orElse(oneOf('default', 'custom', 'accurate', 'eager'), 'default'),
  multipleScalersCalculation: orElse(oneOf('max', 'min', 'avg', 'sum'), 'max'),
  customQueueLengthDeduction: orElse(number, 0),
  customRunningJobPercentage: orNull(number),
  minReplicas: orElse(count, 0),
  maxReplicas: orNull(count),
});

export const jobCounts: Shape<ScaledJobCounts> = object<ScaledJobCounts>({
  running: orElse(count, 0),
  pending: orElse(count, 0),
});

const fullReading = object<{ trigger: string; queueLength: number; target: number; active: boolean | undefined }>({
  trigger: orElse(text, 'trigger'),
  queueLength: number,
  target: number,
  active: orElse(flag, undefined),
});

/** Readings of a line without a document: each with its target; active when the queue is not empty. */
export const jobReadings: Shape<ScaledJobTriggerReading[]> = (value, path) =>
  listOf(fullReading)(value, path).map((one) => ({ ...one, active: one.active ?? one.queueLength > 0 }));

/** Readings by trigger of a document: `{ "queue": 40 }`, or `{ "value", "active" }`. */
export function readingsOfTriggers(
  triggers: readonly JobTrigger[],
  value: unknown,
  path: string,
): ScaledJobTriggerReading[] {
  const given = record(value ?? {}, path);
  checkNames(
    given,
    triggers.map(({ name }) => name),
    'the document',
    'trigger',
  );
  return triggers.flatMap(({ name, target, activationTarget }) => {
    const one = given[name];
    if (one === undefined) return [];
    if (isRecord(one)) {
      checkNames(one, ['value', 'active'], `${path}.${name}`);
      const queueLength = number(one.value, `${path}.${name}.value`);
      const active = orElse(flag, queueLength > activationTarget)(one.active, `${path}.${name}.active`);
      return [{ trigger: name, queueLength, target, active }];
    }
    const queueLength = typeof one === 'string' && one.trim() !== '' ? Number(one) : one;
    if (typeof queueLength !== 'number' || !Number.isFinite(queueLength)) {
      throw new LineError(`${path}.${name} is a queue length, not ${shown(one)}`);
    }
    return [{ trigger: name, queueLength, target, active: queueLength > activationTarget }];
  });
}

/** One poll of a ScaledJob, in sentences. */
export function jobSentences(rules: ScaledJobRules, counts: ScaledJobCounts, result: ScaledJobResult): string[] {
  const jobs = (many: number) => `${many} job${many === 1 ? '' : 's'}`;
  const bounds =
    rules.minReplicas > 0
      ? `At least ${jobs(rules.minReplicas)} always; ${result.effectiveMax} more at most.`
      : `${jobs(result.effectiveMax)} at most.`;
  return [
    `The queue is ${result.queueLength} long and asks for ${jobs(result.scaleTo)}.`,
    bounds,
    `Running are ${jobs(counts.running)}, ${counts.pending} of them pending; strategy ${rules.strategy}.`,
    result.create === 0
      ? 'No job is created.'
      : `${jobs(result.create)} ${result.create === 1 ? 'is' : 'are'} created.`,
  ];
}
