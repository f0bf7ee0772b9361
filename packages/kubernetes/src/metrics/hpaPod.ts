import type { HpaContainer, HpaPod, PodSample } from '@ebb/core';
import { parseMilli } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { conditionOf, listAt, objectAt, textAt, timeAt, valueText } from '../client/values.ts';

const phases = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;

/** A pod as the HPA's controller reads it: requests by container, native sidecars too, and since when it is ready. */
export function hpaPod({ name, body, deletedAtMs }: KubernetesObject): HpaPod {
  const ready = conditionOf(body, 'Ready');
  const status = textAt(ready, 'status');
  const podLevel = amounts(objectAt(body, 'spec', 'resources', 'requests'));
  const sidecars = listAt(body, 'spec', 'initContainers').filter((one) => textAt(one, 'restartPolicy') === 'Always');
  return {
    name,
    phase: phases.find((phase) => phase === textAt(body, 'status', 'phase')) ?? 'Unknown',
    ...(deletedAtMs === null ? {} : { deleting: true }),
    startTimeMs: timeAt(body, 'status', 'startTime'),
    ready: ready
      ? {
          status: status === 'True' || status === 'False' ? status : 'Unknown',
          lastTransitionMs: timeAt(ready, 'lastTransitionTime') ?? 0,
        }
      : null,
    containers: [
      ...listAt(body, 'spec', 'containers').map(container),
      ...sidecars.map((one) => ({ ...container(one), sidecar: true })),
    ],
    ...(Object.keys(podLevel).length > 0 ? { podRequests: podLevel } : {}),
  };
}

/** A `PodMetrics` of metrics.k8s.io. */
export function podSample({ name, body }: KubernetesObject, nowMs: number): PodSample {
  return {
    name,
    atMs: timeAt(body, 'timestamp') ?? nowMs,
    windowMs: durationMs(textAt(body, 'window') ?? ''),
    containers: listAt(body, 'containers').map((one) => ({
      name: textAt(one, 'name') ?? '',
      usage: amounts(objectAt(one, 'usage')),
    })),
  };
}

function container(one: unknown): HpaContainer {
  return { name: textAt(one, 'name') ?? '', requests: amounts(objectAt(one, 'resources', 'requests')) };
}

/** Quantities in thousandths; what is none is left out. */
function amounts(written: Readonly<Record<string, unknown>>): Record<string, number> {
  const read = ['cpu', 'memory'].flatMap((resource): [string, number][] => {
    const text = valueText(written[resource]);
    const parsed = text === null ? null : parseMilli(text);
    return parsed && 'value' in parsed ? [[resource, parsed.value]] : [];
  });
  return Object.fromEntries(read);
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 1e-6,
};

/** A duration as Go writes it, such as `15.034s` or `1m0s`; 0 where it is none. */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)];
  return Math.round(parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (unitMs[unit] ?? 0), 0));
}
