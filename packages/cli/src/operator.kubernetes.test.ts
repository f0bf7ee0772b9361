import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  available,
  freePort,
  type KubernetesCluster,
  type RedisService,
  startKubernetes,
  startRedis,
  until,
} from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const ebb = fileURLToPath(new URL('../bin/ebb.mjs', import.meta.url));
const objects = '/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const secrets = '/api/v1/namespaces/default/secrets';

/** KEDA's kinds, with whatever is written in them. */
const kedaKind = (kind: string, plural: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.keda.sh` },
  spec: {
    group: 'keda.sh',
    names: { kind, listKind: `${kind}List`, plural, singular: plural.slice(0, -1) },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        subresources: { status: {} },
      },
    ],
  },
});

describe.skipIf(!(available('kubernetes') && available('redis')))('ebb operator', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-operator-'));
  const running: ChildProcess[] = [];
  let cluster: KubernetesCluster;
  let redis: RedisService;

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([startKubernetes(), startRedis({ requirePass: 'sesame' })]);
    await cluster.addNodes(2);
    const kinds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await cluster.api.post(kinds, kedaKind('ScaledObject', 'scaledobjects'));
    await cluster.api.post(kinds, kedaKind('TriggerAuthentication', 'triggerauthentications'));
    for (const path of [objects, objects.replace('scaledobjects', 'triggerauthentications')]) {
      await until(async () => (await cluster.api.send('GET', path)).status === 200, {
        withinMs: 20_000,
        what: () => path,
      });
    }
  });
  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  afterAll(async () => {
    await redis?.stop();
    await cluster?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('signs in with a Secret, scales by the queue, and leaves everything as it is when it ends', async () => {
    const { api } = cluster;
    await api.post(secrets, {
      metadata: { name: 'redis' },
      data: { password: Buffer.from('sesame').toString('base64') },
    });
    await api.post(objects.replace('scaledobjects', 'triggerauthentications'), {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'TriggerAuthentication',
      metadata: { name: 'redis' },
      spec: { secretTargetRef: [{ parameter: 'password', name: 'redis', key: 'password' }] },
    });
    const labels = { app: 'web' };
    const containers = [{ name: 'main', image: 'worker', env: [{ name: 'REDIS', value: redis.address }] }];
    await api.post(deployments, {
      metadata: { name: 'web' },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    });
    await api.post(objects, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'web', annotations: { 'ebb.dev/improvements': 'true' } },
      spec: {
        scaleTargetRef: { name: 'web' },
        triggers: [
          {
            type: 'redis',
            metadata: { addressFromEnv: 'REDIS', listName: 'web', listLength: '10' },
            authenticationRef: { name: 'redis' },
          },
        ],
      },
    });
    const port = await freePort();
    const child = spawn(
      process.execPath,
      [ebb, 'operator', '--kubeconfig', cluster.kubeconfig, '--data', folder, '--api-port', String(port)],
      { stdio: ['ignore', 'inherit', 'pipe'] },
    );
    running.push(child);
    let said = '';
    child.stderr.on('data', (text) => (said += String(text)));
    const within = (check: () => Promise<boolean>, what: string) =>
      until(check, { withinMs: 30_000, what: () => `${what}\n${said}` });
    await within(async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).status === 200, 'health');
    await redis.cli(['rpush', 'web', ...Array.from({ length: 30 }, (_, index) => `m${index}`)]);
    const ready = async () => {
      const { status } = await api.get<{ status: { readyReplicas?: number } }>(`${deployments}/web`);
      return status.readyReplicas;
    };
    await within(async () => (await ready()) === 3, 'three ready');
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code, said).toBe(0);
    expect(await ready()).toBe(3);
    const lease = await api.get<{ spec: { holderIdentity?: string } }>(
      '/apis/coordination.k8s.io/v1/namespaces/default/leases/ebb',
    );
    expect(lease.spec.holderIdentity ?? '').toBe('');
    expect(said).not.toContain('sesame');
  });
});
