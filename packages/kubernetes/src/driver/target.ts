import type { ObjectKey } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import type { Resource } from '../client/resources.ts';
import { parseSelector, type Selector, selectorOf } from '../client/selector.ts';
import type { Scale } from '../client/client.ts';
import { numberAt, objectAt } from '../client/values.ts';

/** What is scaled for one workload. */
export interface TargetReference {
  readonly workload: ObjectKey;
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

export interface TargetState {
  readonly replicas: number;
  readonly resourceVersion: string;
  readonly selector: Selector;
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
  };
}

/** Of any other kind, only its scale says that. */
export function scaledTargetState({ replicas, resourceVersion, selector }: Scale): TargetState {
  return { replicas, resourceVersion, selector: parseSelector(selector ?? '') };
}

/** A StatefulSet loses its highest ordinal whatever a pod is marked with. */
export function hasDeletionCost({ group, kind }: Pick<Resource, 'group' | 'kind'>): boolean {
  return group === 'apps' && (kind === 'Deployment' || kind === 'ReplicaSet');
}
