/**
 * How many Jobs a ScaledJob creates at one poll (KEDA pkg/scaling/executor/scale_jobs.go and
 * pkg/scaling/scaledjob). Pure arithmetic over one poll; nothing is remembered.
 */
export interface ScaledJobRules {
  strategy: 'default' | 'custom' | 'accurate' | 'eager';
  multipleScalersCalculation: 'max' | 'min' | 'avg' | 'sum';
  customQueueLengthDeduction: number;
  /** Unparsable in the document: the strategy is `default` then. */
  customRunningJobPercentage: number | null;
  minReplicas: number;
  /** As in the document; null: 100, whatever the minimum. */
  maxReplicas: number | null;
}

export interface ScaledJobTriggerReading {
  trigger: string;
  queueLength: number;
  target: number;
  active: boolean;
}

export interface ScaledJobCounts {
  /** Jobs that have not finished. */
  running: number;
  /** Of these, the ones still pending (`isJobPending`). */
  pending: number;
}

export interface ScaledJobResult {
  create: number;
  /** m of the notes: the count that the queue asks for, capped. */
  scaleTo: number;
  queueLength: number;
  maxReplicas: number;
  effectiveMax: number;
}

const defaultMaxReplicas = 100;

/** Effective bounds: the maximum counts beyond the minimum; a minimum above the maximum becomes the maximum. */
export function effectiveBounds(rules: Pick<ScaledJobRules, 'minReplicas' | 'maxReplicas'>): {
  min: number;
  max: number;
} {
  if (rules.maxReplicas === null) return { min: rules.minReplicas, max: defaultMaxReplicas };
  if (rules.minReplicas > rules.maxReplicas) return { min: rules.maxReplicas, max: rules.maxReplicas };
  return { min: rules.minReplicas, max: rules.maxReplicas - rules.minReplicas };
}

/**
 * Queue length and the count it asks for, over the active triggers (`IsScaledJobActive`). Two quirks are KEDA's: with
 * `max` an active trigger with an empty queue does not count as active, and with `min` an empty queue is passed over as
 * soon as another follows.
 */
export function combineTriggers(
  rules: ScaledJobRules,
  readings: ScaledJobTriggerReading[],
): { active: boolean; queueLength: number; scaleTo: number } {
  const { max } = effectiveBounds(rules);
  const active = readings
    .filter((reading) => reading.active)
    .map(({ queueLength, target }) => ({
      queueLength,
      wanted: target === 0 ? 0 : Math.min(queueLength / target, max),
    }));
  const chosen = combine(rules.multipleScalersCalculation, active, max);
  if (!chosen) return { active: false, queueLength: 0, scaleTo: 0 };
  return { active: true, queueLength: chosen.queueLength, scaleTo: Math.ceil(chosen.wanted) };
}

interface QueueNeed {
  queueLength: number;
  /** Not yet rounded. */
  wanted: number;
}

function combine(
  calculation: ScaledJobRules['multipleScalersCalculation'],
  active: QueueNeed[],
  max: number,
): QueueNeed | null {
  if (active.length === 0) return null;
  const total = active.reduce((sum, one) => ({
    queueLength: sum.queueLength + one.queueLength,
    wanted: sum.wanted + one.wanted,
  }));
  switch (calculation) {
    case 'min':
      return active.reduce((best, one) => (best.queueLength === 0 || one.queueLength < best.queueLength ? one : best));
    case 'avg':
      return { queueLength: total.queueLength / active.length, wanted: total.wanted / active.length };
    case 'sum':
      return { queueLength: total.queueLength, wanted: Math.min(total.wanted, max) };
    default:
      return active.reduce<QueueNeed | null>(
        (best, one) => (one.queueLength > (best?.queueLength ?? 0) ? one : best),
        null,
      );
  }
}

/** How many Jobs to create now. */
export function jobsToCreate(
  rules: ScaledJobRules,
  readings: ScaledJobTriggerReading[],
  counts: ScaledJobCounts,
): ScaledJobResult {
  const { min, max } = effectiveBounds(rules);
  const combined = combineTriggers(rules, readings);
  const { queueLength, scaleTo } = combined;
  const base = { scaleTo, queueLength, maxReplicas: rules.maxReplicas ?? defaultMaxReplicas, effectiveMax: max };
  if (counts.running < min) return { ...base, create: min - counts.running };
  const running = counts.running - min;
  const effective = effectiveByStrategy(rules, scaleTo, max, running, counts.pending);
  const request = rules.strategy === 'eager' ? max : Math.ceil(queueLength);
  const isActive = combined.active || min > 0;
  const create = isActive && effective > 0 ? Math.min(request, effective) : 0;
  return { ...base, create: Math.max(0, create) };
}

function effectiveByStrategy(
  rules: ScaledJobRules,
  scaleTo: number,
  max: number,
  running: number,
  pending: number,
): number {
  switch (rules.strategy) {
    case 'custom':
      if (rules.customRunningJobPercentage === null) return scaleTo - running;
      return Math.min(
        scaleTo - rules.customQueueLengthDeduction - Math.trunc(running * rules.customRunningJobPercentage),
        max,
      );
    case 'accurate':
      return scaleTo + running - pending > max ? max - running : scaleTo - pending;
    case 'eager':
      return Math.min(max - running - pending, scaleTo);
    default:
      return scaleTo - running;
  }
}

/** A Job as its pods show it. */
export interface JobPods {
  pods: { phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'; trueConditions: string[] }[];
}

/**
 * Whether an unfinished Job counts as pending: no pod runs or has succeeded, or, with `pendingPodConditions`, no
 * single pod has all of the listed conditions.
 */
export function isJobPending(job: JobPods, pendingPodConditions: string[]): boolean {
  if (pendingPodConditions.length > 0) {
    return !job.pods.some((pod) => pendingPodConditions.every((condition) => pod.trueConditions.includes(condition)));
  }
  return !job.pods.some((pod) => pod.phase === 'Running' || pod.phase === 'Succeeded');
}
