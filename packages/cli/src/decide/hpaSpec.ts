import {
  defaultHpaBehavior,
  defaultHpaController,
  type HpaBehavior,
  type HpaControllerSettings,
  type HpaDecisionSpec,
  type HpaMetricSpec,
  type HpaRules,
  type HpaTarget,
} from '@ebb/core';
import { LineError } from './lineError.ts';
import { milliOf } from './quantity.ts';
import {
  checkNames,
  count,
  integer,
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

/** `averageUtilization`, `averageValue` (quantity) or `averageValueMilli`, `value` or `valueMilli`: one of the three. */
const target: Shape<HpaTarget> = (value, path) => {
  const fields = record(value, path);
  checkNames(fields, ['type', 'averageUtilization', 'averageValue', 'averageValueMilli', 'value', 'valueMilli'], path);
  const type = fields.type ?? typeOf(fields);
  if (type === 'Utilization') {
    return { type, averageUtilization: integer(fields.averageUtilization, `${path}.averageUtilization`) };
  }
  if (type === 'AverageValue') return { type, averageValueMilli: milliOf(fields, 'averageValue', path) };
  if (type === 'Value') return { type, valueMilli: milliOf(fields, 'value', path) };
  throw new LineError(`${path}.type is one of Utilization, AverageValue, Value, not ${shown(fields.type)}`);
};

function typeOf(fields: Readonly<Record<string, unknown>>): string | undefined {
  if ('averageUtilization' in fields) return 'Utilization';
  if ('averageValue' in fields || 'averageValueMilli' in fields) return 'AverageValue';
  return 'value' in fields || 'valueMilli' in fields ? 'Value' : undefined;
}

const ofContainer = object({ type: oneOf('ContainerResource'), name: text, container: text, target });
const ofOther = object({ type: oneOf('Resource', 'Pods', 'Object', 'External'), name: text, target });

export const hpaMetric: Shape<HpaMetricSpec> = (value, path) => {
  if (record(value, path).type === 'ContainerResource') return ofContainer(value, path);
  return ofOther(value, path);
};

const policy = object({ type: oneOf('Pods', 'Percent'), value: integer, periodMs: count });

const defaults = defaultHpaBehavior(defaultHpaController);

function rules(otherwise: HpaRules): Shape<HpaRules> {
  return orElse(
    object<HpaRules>({
      stabilizationMs: orElse(count, otherwise.stabilizationMs),
      selectPolicy: orElse(oneOf('Max', 'Min', 'Disabled'), otherwise.selectPolicy),
      policies: orElse(listOf(policy), otherwise.policies),
      tolerance: orNull(number),
    }),
    otherwise,
  );
}

export const hpaBehavior: Shape<HpaBehavior | null> = orNull(
  object<HpaBehavior>({ scaleUp: rules(defaults.scaleUp), scaleDown: rules(defaults.scaleDown) }),
);

export const hpaController: Shape<HpaControllerSettings> = orElse(
  object<HpaControllerSettings>({
    syncPeriodMs: orElse(count, defaultHpaController.syncPeriodMs),
    tolerance: orElse(number, defaultHpaController.tolerance),
    cpuInitializationPeriodMs: orElse(count, defaultHpaController.cpuInitializationPeriodMs),
    initialReadinessDelayMs: orElse(count, defaultHpaController.initialReadinessDelayMs),
    downscaleStabilizationMs: orElse(count, defaultHpaController.downscaleStabilizationMs),
  }),
  defaultHpaController,
);

export const hpaSpec: Shape<HpaDecisionSpec> = object<HpaDecisionSpec>({
  policy: oneOf('hpa'),
  workload: orElse(text, 'local/default/workload'),
  minReplicas: orElse(count, 1),
  maxReplicas: count,
  metrics: listOf(hpaMetric),
  behavior: hpaBehavior,
  controller: hpaController,
});
