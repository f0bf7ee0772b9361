import type { KindName } from './kinds.ts';

/** What a kind is called for short, in `ebb get` as in `kubectl get`: the owners' names where a kind is not Ebb's own. */
export const shortNames: Readonly<Partial<Record<KindName, string>>> = {
  Cluster: 'cl',
  ClusterTriggerAuthentication: 'cta',
  HorizontalPodAutoscaler: 'hpa',
  NodePool: 'np',
  ScaledJob: 'sj',
  ScaledObject: 'so',
  TriggerAuthentication: 'ta',
  VerticalPodAutoscaler: 'vpa',
  Workload: 'wl',
};
