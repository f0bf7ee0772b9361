import { type KedaTriggerSpec, keyText, parseMilli, type ScaledJobSpec, type ScaledObjectSpec } from '@ebb/documents';
import { compileFormula } from '../../formula/compile.ts';
import type { FormulaProblem } from '../../formula/problem.ts';
import { defaultHpaBehavior, hpaBehaviorOf } from '../hpa/hpaSpec.ts';
import {
  defaultHpaController,
  type HpaBehavior,
  type HpaControllerSettings,
  type HpaMetricSpec,
  type HpaTarget,
} from '../hpa/types.ts';
import type { ScaledJobRules } from './scaledJob.ts';
import { type TriggerTarget, TriggerTargetError } from './triggerTarget.ts';
import type { KedaDecisionSpec, KedaImprovements, KedaTrigger } from './types.ts';

/** Ebb's own rules as the annotation `ebb.dev/improvements` switches them on. */
export const defaultKedaImprovements: KedaImprovements = {
  lastValueMaxAgeMs: 300_000,
  stepwiseToZero: true,
  reactive: true,
};

/** With improvements the HPA's arithmetic runs each second, and nothing but the maximum holds growth back. */
const reactiveController: HpaControllerSettings = { ...defaultHpaController, syncPeriodMs: 1000 };
const unboundGrowth = { type: 'Percent' as const, value: 1_000_000, periodMs: 1000 };

export interface KedaSpecOptions {
  controller?: HpaControllerSettings;
  /** By trigger name, as its scaler reads the settings or its source tells; cpu and memory need none. */
  targets: Readonly<Record<string, TriggerTarget>>;
  /** Class that the replicas are of. */
  class?: string;
}

/** Growth at once; the way down waits for the cool-down where that is shorter than the HPA's own patience. */
function growingFreely(controller: HpaControllerSettings, cooldownMs: number): HpaBehavior {
  const { scaleUp, scaleDown } = defaultHpaBehavior(controller);
  return {
    scaleUp: { ...scaleUp, stabilizationMs: 0, selectPolicy: 'Max', policies: [unboundGrowth] },
    scaleDown: { ...scaleDown, stabilizationMs: Math.min(scaleDown.stabilizationMs, cooldownMs) },
  };
}

/**
 * What the KEDA policy decides a ScaledObject from. Throws `TriggerTargetError` where a trigger's target is not among
 * those given, or the value of a cpu or memory trigger is none.
 */
export function kedaDecisionSpec(resolved: ScaledObjectSpec, options: KedaSpecOptions): KedaDecisionSpec {
  const { improvements } = resolved;
  const { controller = improvements ? reactiveController : defaultHpaController, targets } = options;
  const written = hpaBehaviorOf(resolved.behavior, controller);
  return {
    policy: 'keda',
    workload: keyText(resolved.key),
    minReplicas: resolved.minReplicas,
    maxReplicas: resolved.maxReplicas,
    idleReplicas: resolved.idleReplicas,
    cooldownMs: resolved.cooldownMs,
    initialCooldownMs: resolved.initialCooldownMs,
    pollingIntervalMs: resolved.pollingIntervalMs,
    triggers: resolved.triggers.map((trigger) => triggerOf(trigger, targets)),
    fallback: resolved.fallback,
    modifiers: resolved.modifiers,
    pause: resolved.pause,
    forceActivation: resolved.forceActivation,
    behavior: written === null && improvements ? growingFreely(controller, resolved.cooldownMs) : written,
    controller,
    improvements: improvements ? defaultKedaImprovements : null,
    ...(options.class === undefined ? {} : { class: options.class }),
  };
}

/**
 * What is wrong with the formula of a ScaledObject, as KEDA's admission would refuse it; empty where nothing is or there
 * is no formula. Places are within `spec.advanced.scalingModifiers.formula`.
 */
export function kedaFormulaProblems({ modifiers, triggers }: ScaledObjectSpec): FormulaProblem[] {
  if (!modifiers) return [];
  // Only names that are identifiers can stand in a formula, and cpu and memory have no value that KEDA sees.
  const names = triggers
    .filter(({ name, type }) => type !== 'cpu' && type !== 'memory' && /^[A-Za-z_]\w*$/.test(name))
    .map(({ name }) => name);
  const compiled = compileFormula(modifiers.formula, names);
  return compiled.ok ? [] : compiled.problems;
}

/** What the number of Jobs of a ScaledJob is computed from; its triggers' targets come from `scaledJobTargets`. */
export function scaledJobRules({ minReplicas, maxReplicas, scaling }: ScaledJobSpec): ScaledJobRules {
  return {
    strategy: scaling.strategy,
    multipleScalersCalculation: scaling.multipleScalersCalculation,
    customQueueLengthDeduction: scaling.queueLengthDeduction,
    customRunningJobPercentage: scaling.runningJobPercentage,
    minReplicas,
    maxReplicas,
  };
}

/** Target and activation value of each trigger of a ScaledJob; throws like `kedaDecisionSpec`. */
export function scaledJobTargets(
  resolved: ScaledJobSpec,
  targets: KedaSpecOptions['targets'],
): Pick<KedaTrigger, 'name' | 'type' | 'target' | 'activationTarget'>[] {
  return resolved.triggers.map((trigger) => {
    const { name, type, target, activationTarget } = triggerOf(trigger, targets);
    return { name, type, target, activationTarget };
  });
}

function triggerOf(trigger: KedaTriggerSpec, targets: KedaSpecOptions['targets']): KedaTrigger {
  const { name, type, metricType } = trigger;
  const resource = resourceMetric(trigger);
  if (resource) {
    return { name, type, metricType, target: plainTarget(resource.target), activationTarget: 0, resource };
  }
  const known = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (known === undefined) {
    throw new TriggerTargetError(name, '', `trigger "${name}" (${type}): what it aims at is not known`);
  }
  return { name, type, metricType, ...known, resource: null };
}

/**
 * What a cpu or memory trigger aims at: per cent of the requests, or a quantity for each replica. Null for other types.
 * Throws `TriggerTargetError` where its `value` is none.
 */
export function resourceMetric(trigger: KedaTriggerSpec): HpaMetricSpec | null {
  const { name, type: resource, metricType, metadata } = trigger;
  if (resource !== 'cpu' && resource !== 'memory') return null;
  const { value, containerName } = metadata;
  const refuse = (why: string): never => {
    throw new TriggerTargetError(name, 'value', `trigger "${name}" (${resource}): metadata.value ${why}`);
  };
  if (value === undefined) return refuse('is missing');
  const target = metricType === 'Utilization' ? utilization(value) : averageValue(value);
  if (target === null) {
    const allowed = metricType === 'Utilization' ? 'a whole per cent above 0' : 'a quantity above 0';
    return refuse(`must be ${allowed}, found "${value}"`);
  }
  if (containerName) return { type: 'ContainerResource', name: resource, container: containerName, target };
  return { type: 'Resource', name: resource, target };
}

function utilization(text: string): HpaTarget | null {
  const percent = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return percent > 0 ? { type: 'Utilization', averageUtilization: percent } : null;
}

function averageValue(text: string): HpaTarget | null {
  const parsed = parseMilli(text);
  return 'value' in parsed && parsed.value > 0 ? { type: 'AverageValue', averageValueMilli: parsed.value } : null;
}

function plainTarget(target: HpaTarget): number {
  if (target.type === 'Utilization') return target.averageUtilization;
  return (target.type === 'Value' ? target.valueMilli : target.averageValueMilli) / 1000;
}
