import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { available, isListening, type KubernetesCluster, startKubernetes, until } from './index.ts';

interface Deployment {
  readonly status?: { readonly readyReplicas?: number };
}

const brought = Boolean(process.env.KUBECONFIG_DISPOSABLE);
const prefix = brought ? `fake-${process.pid}` : 'fake';

describe.runIf(available('kubernetes'))('a Kubernetes API, from start to close', () => {
  let cluster: KubernetesCluster;
  beforeAll(async () => {
    cluster = await startKubernetes();
  });
  afterAll(() => cluster?.close());

  const namespace = `ebb-test-${process.pid}`;
  const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const ready = (wanted: number) =>
    until(
      async () => {
        const { status } = await cluster.api.get<Deployment>(`${deployments}/echo`);
        return (status?.readyReplicas ?? 0) === wanted;
      },
      { withinMs: 60_000, what: () => `${wanted} ready replicas` },
    );

  it('tells its version', async () => {
    const { gitVersion } = await cluster.api.get<{ readonly gitVersion: string }>('/version');
    expect(gitVersion).toMatch(/^v1\.\d+\./);
  });

  it('runs a Deployment on fake nodes and follows /scale', async () => {
    expect(await cluster.addNodes(2)).toEqual([`${prefix}-1`, `${prefix}-2`]);
    await cluster.api.post('/api/v1/namespaces', { metadata: { name: namespace } });
    const labels = { app: 'echo' };
    await cluster.api.post(deployments, {
      metadata: { name: 'echo' },
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            nodeSelector: { 'ebb.dev/fake': 'true' },
            containers: [{ name: 'echo', image: 'localhost/echo:1', resources: { requests: { cpu: '1' } } }],
          },
        },
      },
    });
    // Nothing fits yet: the first two nodes have not the label.
    expect(await cluster.addNodes(1, { labels: { 'ebb.dev/fake': 'true' } })).toEqual([`${prefix}-3`]);
    await ready(3);
    await cluster.api.patch(`${deployments}/echo/scale`, { spec: { replicas: 20 } });
    await ready(20);
    await cluster.api.patch(`${deployments}/echo/scale`, { spec: { replicas: 0 } });
    await ready(0);
  });

  it('knows others by their tokens, and refuses strangers', async () => {
    const { status } = await cluster.api.post<{ readonly status: { readonly token: string } }>(
      `/api/v1/namespaces/${namespace}/serviceaccounts/default/token`,
      { spec: { expirationSeconds: 600 } },
    );
    const as = async (token: string) => {
      const other = cluster.apiFor({ name: 'other', token });
      try {
        return await other.send('GET', '/api/v1/nodes');
      } finally {
        other.close();
      }
    };
    const known = await as(status.token);
    expect(known.status).toBe(403);
    expect(known.text).toContain(`system:serviceaccount:${namespace}:default`);
    expect((await as('not-a-token')).status).toBe(401);
  });

  it('says what was refused and why', async () => {
    await expect(cluster.api.get('/api/v1/namespaces/no-such-namespace')).rejects.toThrow(
      'GET /api/v1/namespaces/no-such-namespace was refused with status 404: namespaces "no-such-namespace" not found',
    );
  });

  it.runIf(!brought)('keeps its data when the API server is killed', async () => {
    const apiServer = cluster.parts?.apiServer;
    await apiServer?.kill();
    await expect(cluster.api.get('/version')).rejects.toThrow();
    await apiServer?.restart();
    await cluster.api.get(`/api/v1/namespaces/${namespace}`);
  });

  it('removes what it was told to', async () => {
    await cluster.api.delete(`/api/v1/namespaces/${namespace}`);
    await until(async () => (await cluster.api.send('GET', `/api/v1/namespaces/${namespace}`)).status === 404, {
      withinMs: 60_000,
      what: () => 'the end of the namespace',
    });
  });

  it.runIf(!brought)('leaves no process, port or file behind', async () => {
    const services = Object.values(cluster.parts ?? {});
    const before = services.map(({ pid, port, folder }) => ({ pid, port, folder }));
    expect(before).toHaveLength(5);
    await cluster.close();
    for (const { pid, port, folder } of before) {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      expect(await isListening(port)).toBe(false);
      expect(existsSync(folder)).toBe(false);
    }
    expect(existsSync(dirname(cluster.kubeconfig))).toBe(false);
    await cluster.close();
  });
});
