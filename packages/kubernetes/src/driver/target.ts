import type { ObjectKey } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import type { Resource } from '../client/resources.ts';
import { parseSelector, type Selector, selectorOf } from '../client/selector.ts';
import type { Scale } from '../client/client.ts';
import { numberAt, objectAt, textAt, trueCondition } from '../client/values.ts';

/** What is scaled for one workload. */
export interface TargetReference {
  readonly workload: ObjectKey;
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** How a target was found. */
export interface Found {
  /** What its scale says. */
  readonly replicas: number;
  /** When a trigger was last active, as those before have left word. Null: nobody has. */
  readonly lastActiveAtMs: number | null;
}

/** Why the cluster makes fewer pods than the count says, in its own words: a quota, a policy, an account that is missing. */
export interface PodRefusal {
  readonly reason: string;
  readonly message: string;
  /** Since when, as the cluster says. */
  readonly since: string;
}

export interface TargetState {
  readonly replicas: number;
  readonly resourceVersion: string;
  readonly selector: Selector;
  /** Null: none is refused, or this kind does not say. */
  readonly refusal: PodRefusal | null;
}

/** Kinds whose document says how many replicas there are to be and what their pods are. */
export function isPlainKind({ group, kind }: Pick<Resource, 'group' | 'kind'>): boolean {
  return group === 'apps' && ['Deployment', 'StatefulSet', 'ReplicaSet'].includes(kind);
}

export function plainTargetState({ body, resourceVersion }: KubernetesObject): TargetState {
  return {
    // Left out means one, as the API server fills it in.
    replicas: numberAt(body, 'spec', 'replicas') ?? 1,
    resourceVersion,
    selector: selectorOf(objectAt(body, 'spec', 'selector')),
    refusal: podRefusal(body),
  };
}

/** What the status of a Deployment or ReplicaSet says of pods that it is not allowed to make. */
export function podRefusal(body: unknown): PodRefusal | null {
  const found = trueCondition(body, 'ReplicaFailure');
  if (!found) return null;
  return {
    reason: textAt(found, 'reason') || 'FailedCreate',
    message: textAt(found, 'message') || 'pods are refused',
    since: textAt(found, 'lastTransitionTime') ?? '',
  };
}

/** Of any other kind, only its scale says that. */
export function scaledTargetState({ replicas, resourceVersion, selector }: Scale): TargetState {
  return { replicas, resourceVersion, selector: parseSelector(selector ?? ''), refusal: null };
}

/** A StatefulSet loses its highest ordinal whatever a pod is marked with. */
export function hasDeletionCost({ group, kind }: Pick<Resource, 'group' | 'kind'>): boolean {
  return group === 'apps' && (kind === 'Deployment' || kind === 'ReplicaSet');
}
