import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installManifests, type Manifest } from '@ebb/kubernetes';
import {
  available,
  freePort,
  installKind,
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

describe.skipIf(!(available('kubernetes') && available('redis')))('ebb operator', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-operator-'));
  const running: ChildProcess[] = [];
  let cluster: KubernetesCluster;
  let redis: RedisService;

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([startKubernetes(), startRedis({ requirePass: 'sesame' })]);
    await cluster.addNodes(2);
    await installKind(cluster.api, { group: 'keda.sh', kind: 'ScaledObject' });
    await installKind(cluster.api, { group: 'keda.sh', kind: 'TriggerAuthentication' });
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

  interface Run {
    readonly name: string;
    readonly words: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly port: number;
    readonly leaseNamespace: string;
  }

  /** A queue scales a Deployment; ends the operator and gives what it said. */
  async function followQueue({ name, words, env = {}, port, leaseNamespace }: Run): Promise<string> {
    const { api } = cluster;
    await api.post(secrets, { metadata: { name }, data: { password: Buffer.from('sesame').toString('base64') } });
    await api.post(objects.replace('scaledobjects', 'triggerauthentications'), {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'TriggerAuthentication',
      metadata: { name },
      spec: { secretTargetRef: [{ parameter: 'password', name, key: 'password' }] },
    });
    const labels = { app: name };
    const containers = [{ name: 'main', image: 'worker', env: [{ name: 'REDIS', value: redis.address }] }];
    await api.post(deployments, {
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    });
    await api.post(objects, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name, annotations: { 'ebb.dev/improvements': 'true' } },
      spec: {
        scaleTargetRef: { name },
        advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } } },
        triggers: [
          {
            type: 'redis',
            metadata: { addressFromEnv: 'REDIS', listName: name, listLength: '10' },
            authenticationRef: { name },
          },
        ],
      },
    });
    const child = spawn(process.execPath, [ebb, ...words], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    running.push(child);
    const ended = once(child, 'exit');
    let said = '';
    child.stderr.on('data', (text) => (said += String(text)));
    const within = (check: () => Promise<boolean>, what: string) =>
      until(check, { withinMs: 90_000, what: () => `${what}\n${said}` });
    await within(async () => (await fetch(`http://127.0.0.1:${port}/livez`)).status === 200, 'life');
    await within(async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).status === 200, 'health');
    await redis.cli(['rpush', name, ...Array.from({ length: 30 }, (_, index) => `m${index}`)]);
    const ready = async () => {
      const { status } = await api.get<{ status: { readyReplicas?: number } }>(`${deployments}/${name}`);
      return status.readyReplicas;
    };
    await within(async () => (await ready()) === 3, 'three ready');
    await within(async () => {
      const { status } = await api.get<{ status?: { conditions?: { type: string; status: string }[] } }>(
        `${objects}/${name}`,
      );
      return status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
    }, 'the status');
    await redis.cli(['ltrim', name, '0', '4']);
    await within(async () => (await ready()) === 1, 'one ready');
    child.kill('SIGTERM');
    const [code] = await ended;
    expect(code, said).toBe(0);
    expect(await ready()).toBe(1);
    const lease = await api.get<{ spec: { holderIdentity?: string } }>(
      `/apis/coordination.k8s.io/v1/namespaces/${leaseNamespace}/leases/ebb`,
    );
    expect(lease.spec.holderIdentity ?? '').toBe('');
    expect(said).not.toContain('sesame');
    return said;
  }

  it('signs in with a Secret, scales by the queue, and leaves everything as it is when it ends', async () => {
    const port = await freePort();
    const where = ['--kubeconfig', cluster.kubeconfig, '--data', join(folder, 'beside')];
    const words = ['operator', ...where, '--api-port', String(port)];
    await followQueue({ name: 'web', words, port, leaseNamespace: 'default' });
  });

  it('does the same with the arguments, the environment and the rights of its Deployment', async () => {
    const namespace = 'ebb-installed';
    const manifests = installManifests({ namespace, readNamespaces: ['default'] });
    for (const manifest of manifests) {
      const path = pathsOfKinds[manifest.kind]?.(manifest.metadata.namespace ?? '');
      if (path) await cluster.api.apply(`${path}/${manifest.metadata.name}`, manifest, { force: true });
    }
    const container = manifests.flatMap(containersOf)[0];
    if (!container) throw new Error('nothing is deployed');
    const { status } = await cluster.api.post<{ readonly status: { readonly token: string } }>(
      `/api/v1/namespaces/${namespace}/serviceaccounts/ebb/token`,
      { spec: { expirationSeconds: 3600 } },
    );
    // What the kubelet would fill in, and a folder and a port that are free on this machine.
    const fields: Readonly<Record<string, string>> = {
      'metadata.namespace': namespace,
      'status.podIP': '127.0.0.1',
    };
    const env = container.env.map(({ name, value, valueFrom }) => {
      const filled = valueFrom ? fields[valueFrom.fieldRef.fieldPath] : value;
      if (filled === undefined) throw new Error(`${name} has no value`);
      return [name, name === 'EBB_DATA' ? join(folder, 'installed') : filled];
    });
    const [listed] = container.ports;
    const port = await freePort();
    const words = container.args.map((word) => (word === String(listed?.containerPort) ? String(port) : word));
    expect(words).toContain(String(port));
    const said = await followQueue({
      name: 'installed',
      words,
      env: { ...Object.fromEntries(env), KUBECONFIG: cluster.kubeconfigFor({ name: 'ebb', token: status.token }) },
      port,
      leaseNamespace: namespace,
    });
    expect(said).not.toContain('forbidden');
    expect(said).not.toContain('"level":"error"');
  });
});

interface Container {
  readonly args: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly ports: readonly { readonly containerPort: number }[];
}

function containersOf({ kind, spec }: Manifest): readonly Container[] {
  if (kind !== 'Deployment') return [];
  return (spec as { template: { spec: { containers: readonly Container[] } } }).template.spec.containers;
}

/** Collections of what the operator needs to have rights. */
const pathsOfKinds: Readonly<Record<string, (namespace: string) => string>> = {
  Namespace: () => '/api/v1/namespaces',
  CustomResourceDefinition: () => '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ServiceAccount: (namespace) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
  ClusterRole: () => '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: () => '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  Role: (namespace) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`,
  RoleBinding: (namespace) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
};
