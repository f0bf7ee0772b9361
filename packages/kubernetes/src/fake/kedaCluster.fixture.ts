import type { Store, TriggerPort } from '@ebb/core';
import { createTriggerPort, findScaler, type InsideView } from '@ebb/scalers';
import { installKedaKind, type KubernetesApi } from '@ebb/testing/services';

export const scaledObjectsPath = '/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects';
export const deploymentsPath = '/apis/apps/v1/namespaces/default/deployments';

export function installKeda(api: KubernetesApi): Promise<void> {
  return installKedaKind(api, 'ScaledObject');
}

/** Triggers of the real kinds; none of the tests signs in. */
export function realTriggers(_store: Store, clusterMetric?: InsideView['clusterMetric']): TriggerPort {
  return createTriggerPort({
    find: findScaler,
    nowMs: () => Date.now(),
    wallNowMs: () => Date.now(),
    hostEnv: {},
    inside: () => ({
      ...{ replicas: () => 0, requests: () => null, watch: () => () => {} },
      ...(clusterMetric ? { clusterMetric } : {}),
    }),
    authenticate: () => Promise.reject(new Error('no sign-in here')),
    log: () => {},
  });
}

export async function createDeployment(
  api: KubernetesApi,
  name: string,
  replicas: number,
  kind = 'deployments',
): Promise<void> {
  const labels = { app: name };
  await api.post(`/apis/apps/v1/namespaces/default/${kind}`, {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      ...(kind === 'statefulsets' ? { podManagementPolicy: 'Parallel', serviceName: name } : {}),
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image: 'worker', ports: [{ containerPort: 8080 }] }],
        },
      },
    },
  });
}

export interface SeenDeployment {
  spec: { replicas: number };
  status: { readyReplicas?: number; replicas?: number };
}

export function readDeployment(api: KubernetesApi, name: string): Promise<SeenDeployment> {
  return api.get<SeenDeployment>(`${deploymentsPath}/${name}`);
}

/** A ScaledObject over a Redis list, ten messages a replica. */
export function redisObject(
  name: string,
  redis: string,
  more: { annotations?: Record<string, string>; target?: string; list?: string } = {},
): Record<string, unknown> {
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name, annotations: { 'ebb.dev/improvements': 'true', ...more.annotations } },
    spec: {
      scaleTargetRef: { name: more.target ?? name },
      cooldownPeriod: 2,
      maxReplicaCount: 30,
      triggers: [{ type: 'redis', metadata: { address: redis, listName: more.list ?? name, listLength: '10' } }],
    },
  };
}
