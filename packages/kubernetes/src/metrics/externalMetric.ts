import { evaluateFormula } from '@ebb/core';
import type { ObjectKey, ScaledObjectSpec, ScaledObjectStatus, TriggerStatus, WorkloadStatus } from '@ebb/documents';
import { keyOf } from '../operator/documents.ts';

/** What is asked for: a metric of a namespace, of what its labels name. */
export interface MetricQuestion {
  readonly namespace: string;
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type MetricAnswer =
  | { readonly valueMilli: number; readonly atMs: number }
  | { readonly status: 400 | 404 | 503; readonly message: string };

/** What is known of workloads and ScaledObjects. */
export interface MetricFacts {
  nowMs(): number;
  workload(key: ObjectKey): WorkloadStatus | null;
  scaledObject(key: ObjectKey): ScaledObjectStatus | null;
  specOf(key: ObjectKey): ScaledObjectSpec | null;
}

/** How many replicas Ebb would have. */
export const replicasMetric = 'ebb-replicas';
export const workloadLabel = 'ebb.dev/workload';
/** KEDA's own names. */
const scaledObjectLabel = 'scaledobject.keda.sh/name';
const compositeMetric = 'composite-metric';

/**
 * One metric of the external metrics API: `ebb-replicas` of a workload, or the reading of a trigger by the name that KEDA's
 * adapter gives it (`s0-redis-jobs`: the number is the trigger's place in the document). What is not known is refused and
 * never zero: an HPA stays where it is then.
 */
export function externalMetric(facts: MetricFacts, { namespace, metric, labels }: MetricQuestion): MetricAnswer {
  if (metric === replicasMetric) {
    const name = labels[workloadLabel];
    if (name === undefined) return refused(400, `${metric} needs the label ${workloadLabel} in the selector`);
    const status = facts.workload(keyOf({ namespace, name }));
    if (!status) return refused(404, `there is no workload ${name} in namespace ${namespace} that Ebb decides on`);
    if (!status.decision) return refused(503, `nothing has been decided for ${name} yet`);
    return { valueMilli: status.replicas.wanted * 1000, atMs: facts.nowMs() };
  }
  const name = labels[scaledObjectLabel];
  if (name === undefined) {
    return refused(
      400,
      `${metric} needs the label ${scaledObjectLabel} in the selector; ${replicasMetric} needs ${workloadLabel}`,
    );
  }
  const key = keyOf({ namespace, name });
  const status = facts.scaledObject(key);
  if (!status) return refused(404, `there is no ScaledObject ${name} in namespace ${namespace} that Ebb follows`);
  if (metric === compositeMetric) return composite(facts, key, status);
  const place = /^s(\d{1,4})-/.exec(metric)?.[1];
  const trigger = place === undefined ? undefined : status.triggers[Number(place)];
  if (!trigger || isResource(trigger)) {
    const names = status.triggers.flatMap((one, index) => (isResource(one) ? [] : `s${index}-${one.type}`));
    return refused(404, `ScaledObject ${name} has no metric ${metric}; there are ${names.join(', ') || 'none'}`);
  }
  return readingOf(trigger, facts.nowMs());
}

/** They become resource metrics of the HPA, as with KEDA. */
function isResource({ type }: TriggerStatus): boolean {
  return type === 'cpu' || type === 'memory';
}

function readingOf({ name, value, state, at, message }: TriggerStatus, nowMs: number): MetricAnswer {
  if (value !== null) return { valueMilli: Math.trunc(value * 1000), atMs: at ?? nowMs };
  return refused(503, `trigger ${name} has no value: ${message || state}`);
}

function composite(facts: MetricFacts, key: ObjectKey, { triggers }: ScaledObjectStatus): MetricAnswer {
  const formula = facts.specOf(key)?.modifiers?.formula;
  if (formula === undefined) return refused(404, `ScaledObject ${key.name} has no formula`);
  const counted = triggers.filter((one) => !isResource(one));
  const failing = counted.find(({ value }) => value === null);
  if (failing) return readingOf(failing, facts.nowMs());
  try {
    const value = evaluateFormula(formula, Object.fromEntries(counted.map((one) => [one.name, one.value])));
    if (value === null) return refused(503, 'the formula has no value');
    return { valueMilli: Math.trunc(value * 1000), atMs: Math.min(...counted.map(({ at }) => at ?? facts.nowMs())) };
  } catch (error) {
    return refused(503, `formula: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function refused(status: 400 | 404 | 503, message: string): MetricAnswer {
  return { status, message };
}
