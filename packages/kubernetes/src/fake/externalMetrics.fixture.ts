import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type KubernetesApi, until } from '@ebb/testing/services';

const group = 'external.metrics.k8s.io';
const base = `/apis/${group}/v1beta1`;

export interface ExternalMetrics {
  /** What every HPA of the cluster reads from now on. */
  set(name: string, value: number): void;
  close(): Promise<void>;
}

/** An external metrics API behind the API server's aggregation, so that its real HPA controller has something to read. */
export async function startExternalMetrics(api: KubernetesApi): Promise<ExternalMetrics> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-metrics-'));
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2'],
    ...['-subj', '/CN=localhost', '-keyout', join(folder, 'key'), '-out', join(folder, 'crt')],
  ]);
  const values = new Map<string, number>();
  const tls = { key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'crt')) };
  const server: Server = createServer(tls, (request, answer) => {
    const path = new URL(request.url ?? '/', 'https://localhost').pathname;
    const name = new RegExp(`^${base}/namespaces/[^/]+/([^/]+)$`).exec(path)?.[1];
    const value = name === undefined ? undefined : values.get(name);
    const isFound = path === base || value !== undefined;
    const timestamp = new Date().toISOString();
    const body =
      path === base
        ? { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/v1beta1`, resources: [] }
        : isFound
          ? {
              kind: 'ExternalMetricValueList',
              apiVersion: `${group}/v1beta1`,
              metadata: {},
              items: [{ metricName: name, metricLabels: {}, timestamp, value: String(value) }],
            }
          : { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, reason: 'NotFound' };
    answer.writeHead(isFound ? 200 : 404, { 'content-type': 'application/json' });
    answer.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await api.post('/api/v1/namespaces/default/services', {
    metadata: { name: 'ebb-external-metrics' },
    spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
  });
  await api.post('/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name: `v1beta1.${group}` },
    spec: {
      ...{ group, version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true },
      service: { namespace: 'default', name: 'ebb-external-metrics', port },
    },
  });
  const close = async () => {
    await api.send('DELETE', `/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.${group}`);
    await api.send('DELETE', '/api/v1/namespaces/default/services/ebb-external-metrics');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  };
  await until(async () => (await api.send('GET', base)).status === 200, {
    withinMs: 90_000,
    what: () => 'the external metrics API',
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { set: (name, value) => values.set(name, value), close };
}
