import type {
  KedaDecisionSpec,
  KedaFallback,
  KedaImprovements,
  KedaModifiers,
  KedaPause,
  KedaTrigger,
} from '@ebb/core';
import { hpaBehavior, hpaController, hpaMetric } from './hpaSpec.ts';
import { count, flag, listOf, number, object, oneOf, orElse, orNull, type Shape, text } from './shape.ts';

const trigger = object<KedaTrigger>({
  name: text,
  type: orElse(text, 'external'),
  metricType: orElse(oneOf('AverageValue', 'Value', 'Utilization'), 'AverageValue'),
  target: number,
  activationTarget: orElse(number, 0),
  resource: orNull(hpaMetric),
});

const fallback = object<KedaFallback>({
  failureThreshold: count,
  replicas: count,
  behavior: orElse(
    oneOf('static', 'currentReplicas', 'currentReplicasIfHigher', 'currentReplicasIfLower', 'scalingModifiers'),
    'static',
  ),
});

const modifiers = object<KedaModifiers>({
  formula: text,
  target: number,
  activationTarget: orElse(number, 0),
  metricType: orElse(oneOf('AverageValue', 'Value'), 'AverageValue'),
});

const nothingPaused: KedaPause = { paused: false, replicas: null, scaleIn: false, scaleOut: false };
const pause = object<KedaPause>({
  paused: orElse(flag, false),
  replicas: orNull(count),
  scaleIn: orElse(flag, false),
  scaleOut: orElse(flag, false),
});

const improvements = object<KedaImprovements>({
  lastValueMaxAgeMs: orElse(count, 0),
  stepwiseToZero: orElse(flag, false),
  reactive: orElse(flag, false),
});

/** A ScaledObject as data; the defaults are KEDA's. */
export const kedaSpec: Shape<KedaDecisionSpec> = object<KedaDecisionSpec>({
  policy: oneOf('keda'),
  workload: orElse(text, 'local/default/workload'),
  class: orElse(text, undefined),
  minReplicas: orElse(count, 0),
  maxReplicas: orElse(count, 100),
  idleReplicas: orNull(count),
  cooldownMs: orElse(count, 300_000),
  initialCooldownMs: orElse(count, 0),
  pollingIntervalMs: orElse(count, 30_000),
  triggers: listOf(trigger),
  fallback: orNull(fallback),
  modifiers: orNull(modifiers),
  pause: orElse(pause, nothingPaused),
  forceActivation: orElse(flag, false),
  behavior: hpaBehavior,
  controller: hpaController,
  improvements: orNull(improvements),
});
