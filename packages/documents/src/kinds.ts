import type { z } from 'zod';
import { clusterKind } from './cluster/cluster.ts';
import { hpaKind } from './hpa/hpa.ts';
import { httpScaledObjectKind } from './httpAddOn/httpScaledObject.ts';
import { interceptorRouteKind } from './httpAddOn/interceptorRoute.ts';
import { scaledJobKind } from './keda/scaledJob.ts';
import { scaledObjectKind } from './keda/scaledObject.ts';
import { clusterTriggerAuthenticationKind, triggerAuthenticationKind } from './keda/triggerAuthentication.ts';
import type { KindDefinition } from './kind.ts';
import { configMapKind } from './kubernetes/configMap.ts';
import { secretKind } from './kubernetes/secret.ts';
import { nodePoolKind } from './nodePool/nodePool.ts';
import { vpaKind } from './vpa/vpa.ts';
import { workloadKind } from './workload/workload.ts';

/** Every kind that is accepted, by name: one line each. */
export const kinds = {
  Cluster: clusterKind,
  ClusterTriggerAuthentication: clusterTriggerAuthenticationKind,
  ConfigMap: configMapKind,
  HTTPScaledObject: httpScaledObjectKind,
  HorizontalPodAutoscaler: hpaKind,
  InterceptorRoute: interceptorRouteKind,
  NodePool: nodePoolKind,
  ScaledJob: scaledJobKind,
  ScaledObject: scaledObjectKind,
  Secret: secretKind,
  TriggerAuthentication: triggerAuthenticationKind,
  VerticalPodAutoscaler: vpaKind,
  Workload: workloadKind,
} as const;

export type KindName = keyof typeof kinds;
export type AnyKind = KindDefinition<KindName, z.ZodType>;

/** A document of each kind as it is written. */
export type DocumentOf<Name extends KindName> = z.input<(typeof kinds)[Name]['schema']>;

export function isKindName(name: unknown): name is KindName {
  return typeof name === 'string' && Object.hasOwn(kinds, name);
}

export const kindNames = Object.keys(kinds).filter(isKindName);

/** The definition behind a name, seen without its document's own type. */
export function kindOf(name: KindName): AnyKind {
  return kinds[name];
}
