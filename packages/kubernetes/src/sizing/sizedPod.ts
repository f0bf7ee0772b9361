import type { ResourceAmounts, SizedResource, UpdatableContainer } from '@ebb/core';
import { parseBytes, parseMilli } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import {
  isObject,
  type JsonObject,
  listAt,
  objectAt,
  textAt,
  timeAt,
  trueCondition,
  valueText,
} from '../client/values.ts';

/** A container of a pod or of a template: what it has, and what of it cannot change without its restart. */
export interface SizableContainer extends UpdatableContainer {
  readonly restartsFor: readonly SizedResource[];
}

/** As the API server classes a pod; a resize in place has to keep it. */
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

export interface SizablePod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** What owns it: its ReplicaSet or StatefulSet. */
  readonly group: string;
  readonly isRunning: boolean;
  readonly startedAtMs: number | null;
  readonly isPodLevel: boolean;
  readonly containers: readonly SizableContainer[];
  /** What its init containers have, which count for its class and never change. */
  readonly others: readonly SizableContainer[];
  readonly resize: { readonly status: 'deferred' | 'infeasible' | 'resizing'; readonly message: string } | null;
}

/** A pod as sizing sees it. */
export function sizablePod({ namespace, name, uid, body, deletedAtMs }: KubernetesObject): SizablePod {
  const owners = listAt(body, 'metadata', 'ownerReferences');
  const owner = owners.find((one) => isObject(one) && one.controller === true);
  return {
    ...{ namespace, name, uid },
    group: textAt(owner, 'uid') ?? '',
    isRunning: textAt(body, 'status', 'phase') === 'Running' && deletedAtMs === null,
    startedAtMs: timeAt(body, 'status', 'startTime'),
    isPodLevel: Object.keys(objectAt(body, 'spec', 'resources')).length > 0,
    containers: listAt(body, 'spec', 'containers').map((one) => sizableContainer(one, body)),
    others: listAt(body, 'spec', 'initContainers').map((one) => sizableContainer(one, body)),
    resize: resizeOf(body),
  };
}

/** Containers of the pods that a target makes; null where this kind has no such template. */
export function templateContainers(body: JsonObject): SizableContainer[] | null {
  const containers = listAt(body, 'spec', 'template', 'spec', 'containers');
  if (containers.length === 0) return null;
  return containers.map((one) => sizableContainer(one, {}));
}

/** The class of a pod with these containers. Source: Kubernetes pkg/apis/core/v1/helper/qos. */
export function qosOf(containers: readonly Pick<SizableContainer, 'requests' | 'limits'>[]): QosClass {
  const amounts = containers.flatMap(({ requests, limits }) =>
    keys.map((key): [number, number] => [requests[key] ?? limits[key] ?? 0, limits[key] ?? 0]),
  );
  if (amounts.every(([request, limit]) => request === 0 && limit === 0)) return 'BestEffort';
  return amounts.every(([request, limit]) => request > 0 && request === limit) ? 'Guaranteed' : 'Burstable';
}

const keys = ['cpuMilli', 'memoryBytes'] as const;

function sizableContainer(one: unknown, body: JsonObject): SizableContainer {
  const name = textAt(one, 'name') ?? '';
  const limits = amountsOf(objectAt(one, 'resources', 'limits'));
  const restartsFor = listAt(one, 'resizePolicy').flatMap((policy): SizedResource[] => {
    const resource = textAt(policy, 'resourceName');
    const isRestart = textAt(policy, 'restartPolicy') === 'RestartContainer';
    return isRestart && (resource === 'cpu' || resource === 'memory') ? [resource] : [];
  });
  // What is left out takes its limit, as the API server does it for pods.
  const requests = { ...limits, ...amountsOf(objectAt(one, 'resources', 'requests')) };
  return { name, requests, limits, restartsFor, lastOom: lastOom(name, body) };
}

function amountsOf({ cpu, memory }: JsonObject): ResourceAmounts {
  const cpuMilli = amount(parseMilli, cpu);
  const memoryBytes = amount(parseBytes, memory);
  return { ...(cpuMilli === null ? {} : { cpuMilli }), ...(memoryBytes === null ? {} : { memoryBytes }) };
}

function amount(parse: typeof parseMilli, written: unknown): number | null {
  const text = valueText(written);
  const parsed = text === null ? null : parse(text);
  return parsed && 'value' in parsed ? parsed.value : null;
}

function lastOom(name: string, body: JsonObject): UpdatableContainer['lastOom'] {
  const status = listAt(body, 'status', 'containerStatuses').find((one) => textAt(one, 'name') === name);
  const ended = objectAt(status, 'lastState', 'terminated');
  if (textAt(ended, 'reason') !== 'OOMKilled') return null;
  const finishedAtMs = timeAt(ended, 'finishedAt');
  return finishedAtMs === null ? null : { startedAtMs: timeAt(ended, 'startedAt') ?? finishedAtMs, finishedAtMs };
}

/** What the kubelet says of a resize (Kubernetes 1.33 and later). */
function resizeOf(body: JsonObject): SizablePod['resize'] {
  const pending = trueCondition(body, 'PodResizePending');
  if (pending) {
    const status = textAt(pending, 'reason') === 'Infeasible' ? 'infeasible' : 'deferred';
    return { status, message: textAt(pending, 'message') ?? '' };
  }
  const going = trueCondition(body, 'PodResizeInProgress');
  return going && { status: 'resizing', message: textAt(going, 'message') ?? '' };
}
