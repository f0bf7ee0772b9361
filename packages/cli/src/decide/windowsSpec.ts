import type { PricedDecisionSpec, WorkloadDecisionSpec } from '@ebb/core';
import type { BehaviorRules, EventSpec, ScalingSpec, ScheduleSpec, TriggerSpec, WindowsSpec } from '@ebb/documents';
import { count, listOf, number, object, oneOf, orElse, orNull, record, type Shape, text } from './shape.ts';

const windows: WindowsSpec = {
  stableMs: 60_000,
  panicMs: 6000,
  panicThreshold: 2,
  maxScaleUpRate: 1000,
  maxScaleDownRate: 2,
  targetUtilization: 1,
};
const windowsShape = object<WindowsSpec>({
  stableMs: orElse(count, windows.stableMs),
  panicMs: orElse(count, windows.panicMs),
  panicThreshold: orElse(number, windows.panicThreshold),
  maxScaleUpRate: orElse(number, windows.maxScaleUpRate),
  maxScaleDownRate: orElse(number, windows.maxScaleDownRate),
  targetUtilization: orElse(number, windows.targetUtilization),
});

const unlimited: BehaviorRules = { stabilizationMs: 0, selectPolicy: 'Max', policies: [] };
const rules = orElse(
  object<BehaviorRules>({
    stabilizationMs: orElse(count, 0),
    selectPolicy: orElse(oneOf('Max', 'Min', 'Disabled'), 'Max'),
    policies: orElse(listOf(object({ type: oneOf('Pods', 'Percent'), value: number, periodMs: count })), []),
  }),
  unlimited,
);

const triggerFields = object({ name: text, type: oneOf('concurrency', 'requestRate'), target: number });
const trigger: Shape<TriggerSpec> = (value, path) => triggerFields(value, path);
/** Only the name counts here: whether a schedule is on comes as a reading `schedule:NAME`. */
const schedule = object<ScheduleSpec>({
  name: text,
  timezone: orElse(text, 'UTC'),
  start: orElse(text, ''),
  end: orElse(text, ''),
  minReplicas: orElse(count, 0),
});

/** Whether an event is on comes as a reading `event:NAME` of 1 or 0. */
const event = object<EventSpec>({
  name: text,
  timezone: orElse(text, 'UTC'),
  from: orElse(text, ''),
  to: orElse(text, ''),
  leadMs: orElse(count, 0),
  factor: orElse(number, 1),
  minReplicas: orElse(count, 0),
});

const oneClass = { name: 'default', concurrency: 1, pricePerHourMicro: 0 };
const classShape = object({
  name: text,
  concurrency: orElse(count, 1),
  pricePerHourMicro: orElse(count, 0),
});

const scaling = object<Omit<ScalingSpec, 'policy' | 'keepAliveGiven'>>({
  minReplicas: orElse(count, 0),
  maxReplicas: count,
  initialReplicas: orElse(count, 0),
  windows: orElse(windowsShape, windows),
  triggers: orElse(listOf(trigger), [{ name: 'concurrency', type: 'concurrency', target: 1 }]),
  keepAliveMs: orElse(count, 300_000),
  behavior: orElse(object({ scaleUp: rules, scaleDown: rules }), { scaleUp: unlimited, scaleDown: unlimited }),
  schedules: orElse(listOf(schedule), []),
  events: orElse(listOf(event), []),
  paused: orNull(object({ replicas: orNull(count) })),
});

const framing = {
  workload: orElse(text, 'local/default/workload'),
  classes: orElse(listOf(classShape), [oneClass]),
  scaling,
};

export const windowsSpec: Shape<WorkloadDecisionSpec> = object<WorkloadDecisionSpec>({
  policy: oneOf('windows'),
  ...framing,
});

const pricedFields = object<Omit<PricedDecisionSpec, 'tuning'>>({
  policy: oneOf('priced'),
  ...framing,
  onTimeMs: orElse(count, 5000),
  onTimeShare: orNull(number),
  costOfLatenessMicro: orNull(number),
});

/** A keep-alive counts where it is written, as in a document. */
export const pricedSpec: Shape<PricedDecisionSpec> = (value, path) => {
  const spec = pricedFields(value, path);
  const { keepAliveMs } = record(record(value, path).scaling, `${path}.scaling`);
  return keepAliveMs === undefined ? spec : { ...spec, scaling: { ...spec.scaling, keepAliveGiven: true } };
};
