import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type KubernetesApi, until } from '@ebb/testing/services';
import { newServingCertificate } from '../metrics/derCertificate.ts';

const base = '/apis/metrics.k8s.io/v1beta1';
const apiService = '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io';
const service = '/api/v1/namespaces/default/services/pod-metrics';

export interface PodMetrics {
  /** CPU that all pods that are asked for use together; they share it evenly. */
  cpuMilli: number;
  /** What was asked. */
  readonly asked: string[];
  close(): Promise<void>;
}

interface Pods {
  items: { metadata: { name: string; namespace: string }; status?: { phase?: string } }[];
}

/** A resource metrics API behind the API server's aggregation, in the place of metrics-server. */
export async function startPodMetrics(api: KubernetesApi): Promise<PodMetrics> {
  const { key, certificate } = newServingCertificate(['localhost'], Date.now(), 2);
  const answerTo = async (url: URL): Promise<object | null> => {
    if (url.pathname === base) {
      const resources = [{ name: 'pods', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] }];
      return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'metrics.k8s.io/v1beta1', resources };
    }
    const namespace = new RegExp(`^${base}/namespaces/([^/]+)/pods$`).exec(url.pathname)?.[1];
    if (namespace === undefined) return null;
    const selector = url.searchParams.get('labelSelector') ?? '';
    metrics.asked.push(selector);
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
    const running = (await api.get<Pods>(path)).items.filter(({ status }) => status?.phase === 'Running');
    const items = running.map(({ metadata: { name } }) => ({
      metadata: { name, namespace },
      timestamp: new Date().toISOString(),
      window: '1s',
      containers: [
        { name: 'main', usage: { cpu: `${Math.round((metrics.cpuMilli * 1e6) / running.length)}n`, memory: '64Mi' } },
      ],
    }));
    return { kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', metadata: {}, items };
  };
  const serve = async ({ url = '/' }: IncomingMessage, answer: ServerResponse) => {
    // What is asked while the cluster is ended has no answer, and nobody who would wait for one.
    const body = await answerTo(new URL(url, 'https://localhost')).catch(() => null);
    answer.writeHead(body ? 200 : 404, { 'content-type': 'application/json' });
    answer.end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }));
  };
  const server = createServer({ key, cert: certificate }, (request, answer) => void serve(request, answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const metrics: PodMetrics = {
    cpuMilli: 0,
    asked: [],
    async close() {
      await api.send('DELETE', apiService);
      await api.send('DELETE', service);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await api.post('/api/v1/namespaces/default/services', {
    metadata: { name: 'pod-metrics' },
    spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
  });
  await api.post('/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name: 'v1beta1.metrics.k8s.io' },
    spec: {
      ...{ group: 'metrics.k8s.io', version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100 },
      insecureSkipTLSVerify: true,
      service: { namespace: 'default', name: 'pod-metrics', port },
    },
  });
  await until(async () => (await api.send('GET', base)).status === 200, {
    withinMs: 90_000,
    what: () => 'the resource metrics API',
  });
  return metrics;
}
