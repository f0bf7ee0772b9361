import {
  type DecisionSpec,
  defaultAibrixSettings,
  defaultClarifaiSettings,
  defaultKpaSettings,
  defaultKubeAiSettings,
  defaultRaySettings,
  defaultSkySettings,
  defaultSloDecrease,
  defaultSloIncrease,
  defaultSloSettings,
  defaultSloWindowMs,
  type SloTrigger,
} from '@ebb/core';
import { type LlmSignal, llmSignals, type SloLlmTrigger } from '@ebb/documents';
import { LineError } from './lineError.ts';
import { flag, listOf, number, object, oneOf, orElse, orNull, record, type Shape, shown, text } from './shape.ts';

/** Policies whose spec is their settings over documented defaults, with a workload's name and classes. */
export type SettingsPolicy = 'aibrix' | 'clarifai' | 'kpa' | 'kubeai' | 'ray' | 'skyserve' | 'slo';

const framing = {
  workload: orElse(text, 'local/default/workload'),
  classes: orElse(listOf(text), ['default']),
};

/** A shape for settings with defaults: every field may be left out, and has the type of its default. */
function settings<Settings extends object, Policy extends string>(
  policy: Policy,
  defaults: Settings,
  special: Partial<{ [Name in keyof Settings]: Shape<Settings[Name]> }> = {},
): Shape<Settings & { policy: Policy; workload: string; classes: string[] }> {
  const fields: Record<string, Shape<unknown>> = { policy: oneOf(policy), ...framing };
  for (const [name, otherwise] of Object.entries(defaults)) fields[name] = orElse(shapeLike(otherwise), otherwise);
  for (const [name, shape] of Object.entries<Shape<unknown> | undefined>(special)) if (shape) fields[name] = shape;
  // The fields are those of the settings, each read by the shape of its default.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return withoutUndefined(object(fields)) as Shape<Settings & { policy: Policy; workload: string; classes: string[] }>;
}

function withoutUndefined(shape: Shape<object>): Shape<object> {
  return (value, path) => Object.fromEntries(Object.entries(shape(value, path)).filter(([, one]) => one !== undefined));
}

/** A field that may be left out, and then is not there. */
const optional =
  <Value>(shape: Shape<Value>): Shape<Value | undefined> =>
  (value, path) =>
    value === undefined ? undefined : shape(value, path);

function shapeLike(value: unknown): Shape<unknown> {
  if (typeof value === 'boolean') return flag;
  return value === null ? orNull(number) : number;
}

const step = (otherwise: { replicas: number; factor: number }) =>
  orElse(object({ replicas: orElse(number, otherwise.replicas), factor: orElse(number, otherwise.factor) }), otherwise);
const sloBase = {
  name: text,
  windowMs: orElse(number, defaultSloWindowMs),
  increase: step(defaultSloIncrease),
  decrease: step(defaultSloDecrease),
};
const latencyBounds = { ...sloBase, aboveMs: number, belowMs: orNull(number) };
const responseTime = object({ type: oneOf('responseTime'), ...latencyBounds });
const queueWait = object({ type: oneOf('queueWait'), ...latencyBounds });
const throughput = object({
  type: oneOf('throughput'),
  ...sloBase,
  abovePerReplica: number,
  belowPerReplica: orNull(number),
});
const llmTimes = { ...sloBase, quantile: orElse(orNull(number), 0.95), aboveMs: number, belowMs: orNull(number) };
const llmCounts = { ...sloBase, above: number, below: number };
/** Triggers whose readings come from the replicas themselves. */
const llmTriggers: Record<LlmSignal, Shape<SloLlmTrigger>> = {
  timeToFirstToken: object({ type: oneOf('timeToFirstToken'), ...llmTimes }),
  interTokenLatency: object({ type: oneOf('interTokenLatency'), ...llmTimes }),
  tokensPerSecond: object({
    type: oneOf('tokensPerSecond'),
    ...sloBase,
    abovePerReplica: number,
    belowPerReplica: number,
  }),
  kvCacheUse: object({ type: oneOf('kvCacheUse'), ...llmCounts }),
  waitingRequests: object({ type: oneOf('waitingRequests'), ...llmCounts }),
  runningRequests: object({ type: oneOf('runningRequests'), ...llmCounts }),
};

const sloTrigger: Shape<SloTrigger> = (value, path) => {
  const { type } = record(value, path);
  const llm = llmSignals.find((signal) => signal === type);
  if (llm !== undefined) return llmTriggers[llm](value, path);
  if (type === 'responseTime') return responseTime(value, path);
  if (type === 'queueWait') return queueWait(value, path);
  if (type === 'throughput') return throughput(value, path);
  const allowed = ['responseTime', 'queueWait', 'throughput', ...llmSignals].join(', ');
  throw new LineError(`${path}.type is one of ${allowed}, not ${shown(type)}`);
};

export const settingsSpecs: { [Policy in SettingsPolicy]: Shape<Extract<DecisionSpec, { policy: Policy }>> } = {
  aibrix: settings('aibrix', defaultAibrixSettings),
  clarifai: settings('clarifai', defaultClarifaiSettings),
  kpa: settings('kpa', defaultKpaSettings, {
    metric: orElse(oneOf('concurrency', 'rps'), defaultKpaSettings.metric),
    aggregation: orElse(oneOf('linear', 'weighted-exponential'), defaultKpaSettings.aggregation),
  }),
  kubeai: settings('kubeai', defaultKubeAiSettings),
  ray: settings('ray', defaultRaySettings, {
    aggregation: orElse(oneOf('mean', 'max', 'min'), defaultRaySettings.aggregation),
  }),
  skyserve: settings('skyserve', defaultSkySettings),
  slo: settings('slo', defaultSloSettings, {
    triggers: listOf(sloTrigger),
    metricsIntervalMs: optional(number),
    objective: optional(object({ share: number, windowMs: number })),
  }),
};
