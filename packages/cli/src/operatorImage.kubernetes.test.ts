import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  available,
  buildContainerfile,
  freePort,
  type KubernetesCluster,
  type RealNode,
  realPodImage,
  startKubernetes,
  startRealNode,
  until,
  whyNoRealNode,
} from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const why = whyNoRealNode();
if (why !== null) console.warn(`services: SKIPPED the image of Ebb in real pods: ${why}`);
const present = available('kubernetes') && available('realNode') && why === null;
const context = fileURLToPath(new URL('../../../', import.meta.url));
const entry = fileURLToPath(new URL('../bin/ebb.mjs', import.meta.url));
const image = 'localhost/ebb:0.1.0';
/** As in the Containerfile. */
const [user, dataDirectory] = [10001, '/var/lib/ebb'];
const system = 'ebb-system';
const pods = `/api/v1/namespaces/${system}/pods`;

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly state: object }[];
  };
}

interface PodTemplate {
  readonly spec: {
    readonly containers: readonly { readonly env: readonly object[] }[];
    readonly [name: string]: unknown;
  };
}

describe.skipIf(!present)('the image of Ebb in real pods', () => {
  const nodes: RealNode[] = [];
  let cluster: KubernetesCluster;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ebb-image-'));
    const archive = await buildContainerfile({ context, folder, name: image, user, dataDirectory });
    cluster = await startKubernetes();
    // Operator and gateway have a port in common, and pods the network of their node: one node for each.
    for (const name of ['real-1', 'real-2']) {
      const node = await startRealNode(cluster, name);
      nodes.push(node);
      await node.loadImage(archive);
    }
    await rm(archive);
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await cluster?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** There is no network of pods and no proxy of Services here: pods have the network of their node. */
  async function onRealNodes(name: string): Promise<void> {
    const { api } = cluster;
    const path = `/apis/apps/v1/namespaces/${system}/deployments/${name}`;
    const [node] = nodes;
    if (!node) throw new Error('there is no node');
    const { automountServiceAccountToken: _token, ...placed } = node.podSpec;
    const url = new URL(api.url);
    const server = [
      { name: 'KUBERNETES_SERVICE_HOST', value: url.hostname },
      { name: 'KUBERNETES_SERVICE_PORT', value: url.port },
    ];
    const { spec } = await api.get<{ spec: { template: PodTemplate } }>(path);
    const containers = spec.template.spec.containers.map((one) => ({ ...one, env: [...one.env, ...server] }));
    await api.patch(path, { spec: { replicas: 1, template: { spec: { ...placed, containers } } } });
  }

  /** The command, as its user runs it. */
  async function ebb(...words: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [entry, 'kubernetes', ...words], {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    });
    return stdout;
  }

  let seen: Pod[] = [];
  const found = async () => (seen = (await cluster.api.get<{ items: Pod[] }>(pods)).items);
  const ready = async () =>
    (await found()).filter(({ status }) =>
      status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    );

  it('becomes ready as it is installed, with no more rights than that, and serves a request at zero', async () => {
    const { api } = cluster;
    // Of volumes that clouds give, the kubelet gives the folder to `fsGroup`; not so of a folder of its own.
    const volume = join(folder, 'volume');
    await mkdir(volume);
    await chown(volume, user, user);
    await api.post('/api/v1/persistentvolumes', {
      metadata: { name: 'ebb' },
      spec: {
        capacity: { storage: '2Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: volume, type: 'Directory' },
        claimRef: { namespace: system, name: 'ebb' },
      },
    });
    await ebb('install', '--image', image, '--no-wait');
    // Where pods have a network of their own, they may be as restricted as they are.
    await api.patch(`/api/v1/namespaces/${system}`, {
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    });
    for (const name of ['ebb', 'ebb-gateway']) await onRealNodes(name);
    await until(async () => (await ready()).length === 2, {
      withinMs: 180_000,
      what: () =>
        `an operator and a gateway of ${JSON.stringify(seen.map(({ metadata, status }) => [metadata.name, status]))}`,
    });
    const [operator, gateway] = [await podOf('ebb-'), await podOf('ebb-gateway-')];
    expect(await usersOf(['operator', 'gateway'])).toEqual([user, user]);

    const port = await freePort();
    const labels = { app: 'model' };
    const [node] = nodes;
    const server = {
      ...{ name: 'server', image: realPodImage, imagePullPolicy: 'Never' },
      readinessProbe: { httpGet: { path: '/', port }, periodSeconds: 1 },
      env: [
        { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'PORT', value: String(port) },
      ],
      ports: [{ containerPort: port, hostPort: port }],
    };
    await api.post('/apis/apps/v1/namespaces/default/deployments', {
      metadata: { name: 'model' },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { ...node?.podSpec, terminationGracePeriodSeconds: 5, containers: [server] },
        },
      },
    });
    await api.post('/apis/ebb.dev/v1alpha1/namespaces/default/workloads', {
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'Workload',
      metadata: { name: 'model' },
      spec: {
        classes: [{ name: 'default', command: ['pod'], concurrency: 1 }],
        scaling: {
          ...{ minReplicas: 0, maxReplicas: 1, keepAlive: '1s', policy: { type: 'windows' } },
          triggers: [{ type: 'concurrency', target: 1 }],
        },
      },
    });
    const health = `http://${gateway.status.podIP}:7070`;
    await until(async () => (await (await fetch(`${health}/metrics`)).text()).includes('default/model'), {
      withinMs: 60_000,
      what: () => 'the workload at the gateway',
    });
    const answer = await ask(gateway.status.podIP ?? '', 'model.default.svc');
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('/hello') });
    const models = '/api/v1/namespaces/default/pods';
    await until(async () => (await api.get<{ items: Pod[] }>(models)).items.length === 0, {
      withinMs: 60_000,
      what: () => 'zero again',
    });
    expect(await ebb('doctor')).toMatch(/operator +ebb-system\/ebb 0\.1\.0, 1 of 1 ready/);
    for (const { metadata } of [operator, gateway]) {
      const { status } = await api.get<Pod>(`${pods}/${metadata.name}`);
      expect(status.containerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0]);
    }
  });

  /** The newest pod whose name is the word and a ReplicaSet's. */
  async function podOf(word: string): Promise<Pod> {
    const pattern = new RegExp(`^${word}[a-z0-9]+-[a-z0-9]+$`);
    const pod = (await ready()).find(({ metadata }) => pattern.test(metadata.name));
    if (!pod) throw new Error(`no pod ${word}`);
    return pod;
  }
});

/** Who runs the commands of Ebb's image on this machine. */
async function usersOf(commands: readonly string[]): Promise<number[]> {
  const users = new Map<string, number>();
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const command = words[words.indexOf('/ebb/packages/cli/bin/ebb.mjs') + 1];
    if (!words.includes('/ebb/packages/cli/bin/ebb.mjs') || command === undefined) continue;
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    users.set(command, Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]));
  }
  return commands.map((command) => users.get(command) ?? Number.NaN);
}

function ask(address: string, host: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: address, port: 8080, path: '/hello', headers: { host } }, (response) => {
      textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}
