import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installManifests } from '@ebb/kubernetes';
import { freePort, installKedaKind, installKind, type KubernetesCluster, until } from '@ebb/testing/services';

const ebb = fileURLToPath(new URL('../../cli/bin/ebb.mjs', import.meta.url));
export const system = 'ebb-system';

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly podIP?: string; readonly conditions?: readonly { type: string; status: string }[] };
}

export interface GatewayProcess {
  readonly name: string;
  readonly url: string;
  readonly healthUrl: string;
  said(): string;
  /** As the kubelet ends a pod: the pod is marked, then the process hears of it. */
  terminate(): Promise<void>;
  ended: Promise<number | null>;
}

/**
 * There are no real pods: gateways are processes of this machine, and the pods of a workload stand for one real HTTP server. All
 * pods are on a node of which this is the kubelet, and have the address 127.0.0.1.
 */
export class GatewayCluster {
  readonly cluster: KubernetesCluster;
  readonly #folder = mkdtempSync(join(tmpdir(), 'ebb-gateways-'));
  readonly #processes: ChildProcess[] = [];
  readonly #servers: Server[] = [];
  #running = true;
  #isAway = false;
  readonly #gatewaysUp = new Set<string>();
  readonly #addressOf: (pod: string) => string;
  #kubelet: Promise<void> = Promise.resolve();
  /** When the last pod was made ready. */
  readyAtMs = 0;
  serial = 0;

  /** `addressOf`: the address of a pod, in the place of 127.0.0.1, at which nobody listens. */
  constructor(cluster: KubernetesCluster, { addressOf = () => loopback }: { addressOf?(pod: string): string } = {}) {
    this.cluster = cluster;
    this.#addressOf = addressOf;
  }

  get secretFile(): string {
    return join(this.#folder, 'secret');
  }

  async install(): Promise<void> {
    const { api } = this.cluster;
    for (const manifest of installManifests({}).filter(({ kind }) => kind === 'CustomResourceDefinition')) {
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${manifest.metadata.name}`;
      await api.apply(path, manifest, { force: true });
    }
    await installKedaKind(api, 'ScaledObject');
    await installKind(api, { group: 'http.keda.sh', kind: 'HTTPScaledObject' });
    await api.post('/api/v1/namespaces', { metadata: { name: system } });
    await api.post('/api/v1/nodes', { metadata: { name: node } });
    for (const namespace of [system, 'default']) {
      await this.within(
        async () =>
          (await api.send('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`)).status === 200 &&
          (await api.send('GET', '/apis/ebb.dev/v1alpha1/workloads')).status === 200,
        'the service account and the kinds',
      );
    }
    this.#kubelet = this.#beKubelet();
  }

  within(check: () => Promise<boolean> | boolean, what: string, withinMs = 90_000): Promise<void> {
    return until(check, { withinMs, what: () => `${what}\n${this.#said.slice(-6000)}` });
  }

  #said = '';

  /** An HTTP server in the place of pods. */
  async serve(listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** A Deployment of no replicas, and a Workload that scales it. */
  async deploy(name: string, port: number, concurrency: number, scaling: object): Promise<void> {
    await this.deployAlone(name, port);
    await this.cluster.api.post('/apis/ebb.dev/v1alpha1/namespaces/default/workloads', {
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'Workload',
      metadata: { name },
      spec: {
        classes: [{ name: 'default', command: ['pod'], concurrency }],
        serving: { timeouts: { hold: '300s', request: '300s' }, drain: '60s' },
        scaling,
      },
    });
  }

  async deployAlone(name: string, port: number): Promise<void> {
    const { api } = this.cluster;
    const labels = { app: name };
    await api.post('/apis/apps/v1/namespaces/default/deployments', {
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            nodeName: node,
            containers: [{ name: 'main', image: 'worker', ports: [{ containerPort: port }] }],
          },
        },
      },
    });
  }

  async replicas(name: string): Promise<number> {
    const path = `/apis/apps/v1/namespaces/default/deployments/${name}`;
    return (await this.cluster.api.get<{ spec: { replicas: number } }>(path)).spec.replicas;
  }

  async scaleBack(name: string): Promise<void> {
    await this.within(async () => (await this.replicas(name)) === 0, `${name} at zero`);
  }

  /** The API server is killed and comes back, with `meanwhile` in between. */
  async withoutApiServer(meanwhile: () => Promise<void>): Promise<void> {
    const server = this.cluster.parts?.apiServer;
    if (!server) throw new Error('the API server of a cluster that was brought along is not ours to end');
    this.#isAway = true;
    await server.kill();
    await meanwhile();
    await server.restart();
    this.#isAway = false;
  }

  /** A gateway process, and the pod that it stands for. */
  async startGateway(): Promise<GatewayProcess> {
    const name = `gateway-${++this.serial}`;
    const [port, linkPort, healthPort] = [await freePort(), await freePort(), await freePort()];
    const { api } = this.cluster;
    const pods = `/api/v1/namespaces/${system}/pods`;
    await api.post(pods, {
      metadata: {
        name,
        labels: { 'app.kubernetes.io/name': 'ebb', 'app.kubernetes.io/component': 'gateway' },
      },
      spec: {
        nodeName: node,
        terminationGracePeriodSeconds: 60,
        containers: [
          {
            ...{ name: 'gateway', image: 'ebb' },
            ports: [
              // As of all gateways of an installation; who plays the cluster's proxy goes to `url`.
              { name: 'http', containerPort: 8080 },
              { name: 'link', containerPort: linkPort },
            ],
          },
        ],
      },
    });
    await this.within(async () => (await api.get<Pod>(`${pods}/${name}`)).status.podIP !== undefined, 'an address');
    await this.#mountSecret();
    this.#gatewaysUp.add(name);
    const words = ['gateway', '--name', name, '--link-secret', this.secretFile, '--notice', '200ms', '--grace', '30s'];
    const ports = ['--port', String(port), '--link-port', String(linkPort), '--health-port', String(healthPort)];
    const child = this.#spawn([...words, ...ports]);
    let said = '';
    child.stderr?.on('data', (text) => (said += String(text)));
    const healthUrl = `http://127.0.0.1:${healthPort}`;
    await this.within(
      async () => (await fetch(`${healthUrl}/healthz`).catch(() => null))?.status === 200,
      `${name} is ready\n${said}`,
    );
    return {
      name,
      url: `http://127.0.0.1:${port}`,
      healthUrl,
      said: () => said,
      terminate: async () => {
        await api.send('DELETE', `${pods}/${name}`);
        child.kill('SIGTERM');
      },
      ended: once(child, 'exit').then(([code]) => {
        this.#gatewaysUp.delete(name);
        return code as number | null;
      }),
    };
  }

  /** As the kubelet does, once the operator has made the Secret. */
  async #mountSecret(): Promise<void> {
    const path = `/api/v1/namespaces/${system}/secrets/ebb-gateway-link`;
    await this.within(async () => (await this.cluster.api.send('GET', path)).status === 200, 'the Secret');
    const { data } = await this.cluster.api.get<{ data: { secret: string } }>(path);
    writeFileSync(this.secretFile, Buffer.from(data.secret, 'base64'), { mode: 0o600 });
  }

  startOperator(dataName: string): ChildProcess {
    const data = join(this.#folder, dataName);
    const where = ['--kubeconfig', this.cluster.kubeconfig, '--data', data, '--lease', `${system}/ebb`];
    const child = this.#spawn(['operator', ...where, '--api-port', '0']);
    child.stderr?.on('data', (text) => (this.#said += String(text)));
    return child;
  }

  note(text: string): void {
    this.#said += `${text}\n`;
  }

  async close(): Promise<void> {
    this.#running = false;
    try {
      await this.#kubelet;
    } finally {
      for (const child of this.#processes) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      for (const server of this.#servers) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  #spawn(words: readonly string[]): ChildProcess {
    const env = { ...process.env, POD_IP: '127.0.0.1' };
    const child = spawn(process.execPath, [ebb, ...words], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#processes.push(child);
    return child;
  }

  /** Does what a kubelet does, for the pods of its node: an address and a state for new ones, an end for those that go. */
  async #beKubelet(): Promise<void> {
    const { api } = this.cluster;
    let saidAtMs = 0;
    const step = async () => {
      if (performance.now() - saidAtMs > 5000) {
        saidAtMs = performance.now();
        const at = new Date().toISOString();
        const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: at };
        await api.send('PATCH', `/api/v1/nodes/${node}/status`, { status: { conditions: [ready] } }, { contentType });
      }
      for (const namespace of [system, 'default']) {
        const path = `/api/v1/namespaces/${namespace}/pods`;
        const { items } = await api.get<{ items: Pod[] }>(path);
        for (const { metadata, status } of items)
          await this.#bringPod(namespace, `${path}/${metadata.name}`, metadata, status);
      }
    };
    while (this.#running) {
      // What was asked while the server was away may be answered when it is back.
      const wasAway = this.#isAway;
      await step().catch((error: unknown) => {
        if (!wasAway && !this.#isAway) throw error;
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #bringPod(
    namespace: string,
    path: string,
    { name, deletionTimestamp }: Pod['metadata'],
    status: Pod['status'],
  ): Promise<void> {
    const { api } = this.cluster;
    if (deletionTimestamp !== undefined) {
      if (!this.#gatewaysUp.has(name)) await api.send('DELETE', `${path}?gracePeriodSeconds=0`);
      return;
    }
    // A node that was not heard of for long has its pods called unready by its controller: its kubelet puts that right.
    const isReady = status.conditions?.some(({ type, status: said }) => type === 'Ready' && said === 'True');
    if (status.podIP !== undefined && isReady) return;
    const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
    }));
    const podIP = this.#addressOf(name);
    const running = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions };
    const sentMs = performance.now();
    const answer = await api.send('PATCH', `${path}/status`, { status: running }, { contentType });
    if (answer.status === 200 && namespace === 'default' && status.podIP === undefined) this.readyAtMs = sentMs;
  }
}

/** A node that nobody else plays the kubelet of. */
const node = 'by-hand';
const loopback = '127.0.0.1';
const contentType = 'application/strategic-merge-patch+json';

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly atMs: number;
}

/** A request to a workload by its name in the cluster or a host of its own, over a connection of its own. */
export function ask(
  url: string,
  name: string,
  path = '/',
  onChunk: (text: string) => void = () => {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${url}${path}`,
      { headers: { host: name.includes('.') ? name : `${name}.default` }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
          onChunk(part);
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, atMs: performance.now() }));
        response.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}
