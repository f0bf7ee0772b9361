import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programs } from './installed.ts';
import type { KubernetesApi } from './kubernetesApi.ts';
import { fakeNodeAnnotation } from './kubernetesNodes.ts';
import type { ClusterCertificates } from './kubernetesTls.ts';
import { getPage } from './page.ts';
import { freePort, isListening, loopback } from './ports.ts';
import { type Launch, Service } from './service.ts';
import { newServiceFolder } from './watchdog.ts';

/** The processes of a Kubernetes API. Each may be killed, paused and restarted; data and ports are kept. */
export interface ControlPlane {
  readonly etcd: Service;
  readonly apiServer: Service;
  readonly controllerManager: Service;
  readonly scheduler: Service;
  /** Fake kubelets of the nodes that `addNodes` makes. */
  readonly kwok: Service;
}

/** One part: what it is and how it is seen to be ready. */
class Part extends Service {
  readonly #answers: () => Promise<boolean>;

  constructor(launch: Launch, answers: () => Promise<boolean>) {
    super(launch);
    this.#answers = answers;
  }

  protected override isReady(): Promise<boolean> {
    return this.#answers();
  }
}

/** Where and with what a part is started. */
interface PartOptions {
  readonly name: string;
  readonly program: string;
  readonly port: number;
  readonly folder?: string;
  readonly args: readonly string[];
  readonly answers: () => Promise<boolean>;
}

function start({ name, program, port, args, answers, folder = newServiceFolder(name) }: PartOptions): Promise<Service> {
  const launch = { name, folder, port, program, args, discardSignal: 'SIGKILL', readyWithinMs: 90_000 } as const;
  return new Part(launch, answers).start();
}

// Tests arrive in bursts that a cluster for people would slow down.
const clientRate = ['--kube-api-qps=2000', '--kube-api-burst=3000'];

export interface ControlPlaneOptions {
  readonly certificates: ClusterCertificates;
  readonly kubeconfig: string;
  readonly api: KubernetesApi;
  readonly apiServerPort: number;
  readonly apiServerFlags: readonly string[];
}

/** Starts all five. When one does not start, those before it are ended again. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const started: Service[] = [];
  const keep = async (starting: Promise<Service>) => {
    const service = await starting;
    started.push(service);
    return service;
  };
  try {
    const etcd = await keep(startEtcd());
    const apiServer = await keep(startApiServer(etcd, options));
    const results = await Promise.allSettled([
      keep(startControllerManager(options)),
      keep(startScheduler(options)),
      keep(startKwok(options.kubeconfig)),
    ]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    const [controllerManager, scheduler, kwok] = results.map((result) =>
      result.status === 'fulfilled' ? result.value : undefined,
    );
    if (!controllerManager || !scheduler || !kwok) throw new Error('a part of the control plane is missing');
    return { etcd, apiServer, controllerManager, scheduler, kwok };
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

/** Ends them, the newest first. */
export async function stopAll(services: readonly Service[]): Promise<void> {
  for (const service of services.toReversed()) await service.stop();
}

async function startEtcd(): Promise<Service> {
  const [port, peerPort, folder] = [await freePort(), await freePort(), newServiceFolder('etcd')];
  const client = `http://${loopback}:${port}`;
  const peer = `http://${loopback}:${peerPort}`;
  return start({
    name: 'etcd',
    program: programs('kubernetes').etcd,
    port,
    folder,
    args: [
      `--data-dir=${join(folder, 'data')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      // Data outlives the process, as tests want, and not the machine, as they do not.
      '--unsafe-no-fsync',
    ],
    answers: async () => (await getPage(`${client}/readyz`)).status === 200,
  });
}

async function startApiServer(
  etcd: Service,
  { certificates, api, apiServerPort, apiServerFlags }: ControlPlaneOptions,
): Promise<Service> {
  const folder = newServiceFolder('kube-apiserver');
  return start({
    name: 'kube-apiserver',
    program: programs('kubernetes')['kube-apiserver'],
    port: apiServerPort,
    folder,
    args: [
      `--etcd-servers=http://${etcd.address}`,
      `--bind-address=${loopback}`,
      `--advertise-address=${loopback}`,
      `--secure-port=${apiServerPort}`,
      `--cert-dir=${join(folder, 'generated')}`,
      `--tls-cert-file=${certificates.apiServer}`,
      `--tls-private-key-file=${certificates.apiServerKey}`,
      `--client-ca-file=${certificates.ca}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${certificates.serviceAccountKey}`,
      `--service-account-signing-key-file=${certificates.serviceAccountKey}`,
      '--service-cluster-ip-range=10.0.0.0/16',
      '--authorization-mode=Node,RBAC',
      '--endpoint-reconciler-type=none',
      `--requestheader-client-ca-file=${certificates.frontProxyCa}`,
      '--requestheader-allowed-names=front-proxy-client',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-username-headers=X-Remote-User',
      `--proxy-client-cert-file=${certificates.frontProxy}`,
      `--proxy-client-key-file=${certificates.frontProxyKey}`,
      '--max-requests-inflight=2000',
      '--max-mutating-requests-inflight=1000',
      ...apiServerFlags,
    ],
    answers: async () => (await api.send('GET', '/readyz')).status === 200,
  });
}

async function startControllerManager({ certificates, kubeconfig }: ControlPlaneOptions): Promise<Service> {
  const port = await freePort();
  return start({
    name: 'kube-controller-manager',
    program: programs('kubernetes')['kube-controller-manager'],
    port,
    args: [
      ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map((it) => `--${it}=${kubeconfig}`),
      `--bind-address=${loopback}`,
      `--secure-port=${port}`,
      `--tls-cert-file=${certificates.apiServer}`,
      `--tls-private-key-file=${certificates.apiServerKey}`,
      `--service-account-private-key-file=${certificates.serviceAccountKey}`,
      `--root-ca-file=${certificates.ca}`,
      `--cluster-signing-cert-file=${certificates.ca}`,
      `--cluster-signing-key-file=${certificates.caKey}`,
      '--leader-elect=false',
      '--use-service-account-credentials=false',
      '--concurrent-deployment-syncs=10',
      '--concurrent-replicaset-syncs=20',
      ...clientRate,
    ],
    answers: () => isListening(port),
  });
}

async function startScheduler({ certificates, kubeconfig }: ControlPlaneOptions): Promise<Service> {
  const [port, folder] = [await freePort(), newServiceFolder('kube-scheduler')];
  const config = join(folder, 'scheduler.json');
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      leaderElection: { leaderElect: false },
      clientConnection: { kubeconfig, qps: 2000, burst: 3000 },
    }),
  );
  return start({
    name: 'kube-scheduler',
    program: programs('kubernetes')['kube-scheduler'],
    port,
    folder,
    args: [
      `--config=${config}`,
      ...['authentication-kubeconfig', 'authorization-kubeconfig'].map((it) => `--${it}=${kubeconfig}`),
      `--bind-address=${loopback}`,
      `--secure-port=${port}`,
      `--tls-cert-file=${certificates.apiServer}`,
      `--tls-private-key-file=${certificates.apiServerKey}`,
    ],
    answers: () => isListening(port),
  });
}

/** Starts fake kubelets for the nodes with KWOK's annotation, and for no others. */
export async function startKwok(kubeconfig: string): Promise<Service> {
  const port = await freePort();
  const { kwok, stages } = programs('kubernetes');
  return start({
    name: 'kwok',
    program: kwok,
    port,
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--config=${stages}`,
      '--manage-all-nodes=false',
      `--manage-nodes-with-annotation-selector=${fakeNodeAnnotation}=fake`,
      `--node-ip=${loopback}`,
      '--cidr=10.128.0.0/10',
      `--server-address=${loopback}:${port}`,
      '--node-lease-duration-seconds=40',
    ],
    answers: async () => (await getPage(`http://${loopback}:${port}/healthz`)).status === 200,
  });
}
