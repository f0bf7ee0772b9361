import { type HpaMetricReading, type HpaMetricSpec, type PodUsage, type Reading, resourceMetric } from '@ebb/core';
import { type KedaTriggerSpec, keyText } from '@ebb/documents';
import type { EngineContext } from './context.ts';

/** Takes in what a metrics API says of a workload's pods: cpu and memory triggers are read from it. */
export function takePodUsage(context: EngineContext, usage: PodUsage): void {
  const state = context.workloads.get(keyText(usage.workload));
  if (!state) return;
  state.podUsage = usage;
  for (const trigger of state.scaledBy?.spec.triggers ?? []) {
    const metric = resourceMetric(trigger);
    if (metric) state.triggers?.note(readingOf(usage, trigger, metric, context.ports.clock.nowMs()));
  }
  context.touch(state, 'reading');
}

/**
 * What the HPA's metrics client makes of the samples (Kubernetes pkg/controller/podautoscaler/metrics/client.go): all
 * containers of a pod together, and a pod where one of them lacks the resource is left out; or one container, which every
 * pod has to have.
 */
export function podReading(
  { samples }: PodUsage,
  { type: resource, metadata: { containerName } }: Pick<KedaTriggerSpec, 'type' | 'metadata'>,
): HpaMetricReading {
  if ('error' in samples) return samples;
  const without = containerName
    ? samples.find(({ containers }) => !containers.some(({ name }) => name === containerName))
    : undefined;
  if (without) return { error: `container ${containerName} is not in what was measured of pod ${without.name}` };
  const pods = samples.flatMap(({ name, atMs, windowMs, containers }) => {
    const counted = containers.filter((one) => !containerName || one.name === containerName);
    const amounts = counted.flatMap(({ usage }) => usage[resource] ?? []);
    if (amounts.length === 0 || amounts.length < counted.length) return [];
    return [{ name, valueMilli: amounts.reduce((sum, amount) => sum + amount, 0), atMs, windowMs }];
  });
  return pods.length > 0 ? { pods } : { error: `nothing was measured of the pods' ${resource} yet` };
}

/** For people: per cent of what the measured pods request, or CPUs and bytes for each of them, as the trigger aims. */
function readingOf(usage: PodUsage, trigger: KedaTriggerSpec, metric: HpaMetricSpec, nowMs: number): Reading {
  const base = { trigger: trigger.name, class: null, peak: null, spanMs: 0, target: plainTarget(metric) };
  const reading = podReading(usage, trigger);
  if (!('pods' in reading)) {
    const message = 'error' in reading ? reading.error : '';
    return { ...base, value: null, atMs: nowMs, state: 'error', message };
  }
  const used = reading.pods.reduce((sum, { valueMilli }) => sum + valueMilli, 0);
  const atMs = Math.max(...reading.pods.map((pod) => pod.atMs ?? nowMs));
  if (metric.target.type !== 'Utilization') {
    return { ...base, value: used / reading.pods.length / 1000, atMs, state: 'ok' };
  }
  const measured = new Set(reading.pods.map(({ name }) => name));
  const container = metric.type === 'ContainerResource' ? metric.container : null;
  const requested = usage.pods
    .filter(({ name }) => measured.has(name))
    .flatMap(({ containers = [], podRequests }) =>
      container === null && podRequests?.[trigger.type] !== undefined
        ? [podRequests[trigger.type]]
        : containers
            .filter(({ name }) => container === null || name === container)
            .map(({ requests }) => requests[trigger.type]),
    );
  const sum = requested.reduce<number>((total, request) => total + (request ?? 0), 0);
  if (sum === 0 || requested.includes(undefined)) {
    const message = `a container of its pods has no request of ${trigger.type}, which the per cent is of`;
    return { ...base, value: null, atMs, state: 'error', message };
  }
  return { ...base, value: Math.floor((used * 100) / sum), atMs, state: 'ok' };
}

function plainTarget({ target }: HpaMetricSpec): number {
  if (target.type === 'Utilization') return target.averageUtilization;
  return (target.type === 'Value' ? target.valueMilli : target.averageValueMilli) / 1000;
}
