import {
  defaultHpaBehaviorSpec,
  type HpaBehaviorSpec,
  type HpaMetricDocumentSpec,
  type HpaRulesSpec,
  type HpaSpec,
  keyText,
} from '@ebb/documents';
import {
  defaultHpaController,
  type HpaBehavior,
  type HpaControllerSettings,
  type HpaDecisionSpec,
  type HpaMetricSpec,
  type HpaRules,
} from './types.ts';

/** What the HPA policy decides a HorizontalPodAutoscaler from, under a controller with the given flags. */
export function hpaDecisionSpec(
  resolved: HpaSpec,
  controller: HpaControllerSettings = defaultHpaController,
): HpaDecisionSpec {
  return {
    policy: 'hpa',
    workload: keyText(resolved.key),
    minReplicas: resolved.minReplicas,
    maxReplicas: resolved.maxReplicas,
    metrics: resolved.metrics.map(metricOf),
    behavior: hpaBehaviorOf(resolved.behavior, controller),
    controller,
  };
}

/** Behaviour with the controller's flag where the document leaves the window of scaling down open. */
export function hpaBehaviorOf(behavior: HpaBehaviorSpec | null, controller: HpaControllerSettings): HpaBehavior | null {
  return behavior ? withFlags(behavior, controller) : null;
}

/** Kubernetes' own behaviour, as it is filled in for a direction that a document leaves out. */
export function defaultHpaBehavior(controller: HpaControllerSettings): HpaBehavior {
  return withFlags(defaultHpaBehaviorSpec, controller);
}

function withFlags({ scaleUp, scaleDown }: HpaBehaviorSpec, controller: HpaControllerSettings): HpaBehavior {
  return { scaleUp: rulesOf(scaleUp, 0), scaleDown: rulesOf(scaleDown, controller.downscaleStabilizationMs) };
}

function rulesOf({ stabilizationMs, ...rules }: HpaRulesSpec, defaultStabilizationMs: number): HpaRules {
  return { stabilizationMs: stabilizationMs ?? defaultStabilizationMs, ...rules };
}

function metricOf(metric: HpaMetricDocumentSpec): HpaMetricSpec {
  const { name, target } = metric;
  if (metric.type === 'ContainerResource') return { type: metric.type, name, container: metric.container, target };
  return { type: metric.type, name, target };
}
