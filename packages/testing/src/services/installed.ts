import { accessSync, constants, globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const kafkaVersion = '4.1.0';
const motoVersion = '5.2.5';
const etcdVersion = '3.6.8';
const kubernetesVersion = '1.36.3';
const kwokVersion = '0.8.0';
const helmVersion = '3.22.0';
const karpenterVersion = '1.14.1';
const kedaVersion = '2.21.0';

/** Every program of a service by its name: looked for on PATH, or, with a slash, as a pattern of paths. */
const programsOf = {
  redis: { 'redis-server': 'redis-server', 'redis-cli': 'redis-cli' },
  rabbitmq: {
    'rabbitmq-server': '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server',
    rabbitmqctl: '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmqctl',
    epmd: 'epmd',
    'amqp-publish': 'amqp-publish',
  },
  kafka: { java: 'java', kcat: 'kcat', jars: join(servicesDirectory(), `kafka-${kafkaVersion}`) },
  nats: { 'nats-server': 'nats-server' },
  postgres: {
    initdb: '/usr/lib/postgresql/*/bin/initdb',
    postgres: '/usr/lib/postgresql/*/bin/postgres',
    psql: 'psql',
  },
  mariadb: { mariadbd: 'mariadbd', 'mariadb-install-db': 'mariadb-install-db', mariadb: 'mariadb' },
  prometheus: { prometheus: 'prometheus' },
  kubernetes: {
    etcd: join(kubernetesDirectory(), `etcd-${etcdVersion}/etcd`),
    'kube-apiserver': join(kubernetesDirectory(), `kubernetes-${kubernetesVersion}/kube-apiserver`),
    'kube-controller-manager': join(kubernetesDirectory(), `kubernetes-${kubernetesVersion}/kube-controller-manager`),
    'kube-scheduler': join(kubernetesDirectory(), `kubernetes-${kubernetesVersion}/kube-scheduler`),
    kwok: join(kubernetesDirectory(), `kwok-${kwokVersion}/kwok`),
    stages: join(kubernetesDirectory(), `kwok-${kwokVersion}/stages.yaml`),
    openssl: 'openssl',
  },
  realNode: {
    containerd: 'containerd',
    ctr: 'ctr',
    runc: 'runc',
    ip: 'ip',
    kubelet: join(kubernetesDirectory(), `kubelet-${kubernetesVersion}/kubelet`),
    server: join(kubernetesDirectory(), 'real-pod-*/real-pod'),
  },
  helm: { helm: join(kubernetesDirectory(), `helm-${helmVersion}/helm`) },
  karpenter: {
    karpenter: join(kubernetesDirectory(), `karpenter-${karpenterVersion}/karpenter`),
    kinds: join(kubernetesDirectory(), `karpenter-${karpenterVersion}/kinds`),
  },
  keda: { kinds: join(kubernetesDirectory(), `keda-${kedaVersion}`) },
  moto: { python: join(servicesDirectory(), `moto-${motoVersion}/bin/python3`) },
} as const;

export type ServiceName = keyof typeof programsOf;

/** The service is not installed on this machine: a suite that needs it is skipped, by name. */
export class ServiceUnavailable extends Error {
  override readonly name = 'ServiceUnavailable';
  readonly service: ServiceName;
  readonly program: string;

  constructor(service: ServiceName, program: string) {
    const ofCluster: readonly ServiceName[] = ['kubernetes', 'helm', 'realNode', 'karpenter', 'keda'];
    const tool = `tools/${ofCluster.includes(service) ? 'kubernetes' : 'services'}/install.sh`;
    super(`${service} is not installed here: ${program} was not found. ${tool} installs it`);
    this.service = service;
    this.program = program;
  }
}

/** Where each program of a service is looked for: a name for PATH, or a pattern of paths. */
export function wherePrograms(service: ServiceName): Readonly<Record<string, string>> {
  return programsOf[service];
}

/** The paths of all programs of a service. Throws `ServiceUnavailable` when one is missing. */
export function programs<Name extends ServiceName>(
  service: Name,
): Readonly<Record<keyof (typeof programsOf)[Name], string>> {
  const found = Object.entries<string>(programsOf[service]).map(([program, where]) => {
    const path = where.includes('/') ? globSync(where).sort().at(-1) : onPath(where);
    if (!path) throw new ServiceUnavailable(service, program);
    return [program, path];
  });
  return Object.fromEntries(found);
}

/**
 * Whether the service can be started here. A no is said aloud with its reason, so that a skipped suite is never a silent
 * one: `describe.runIf(available('kafka'))('kafka scaler', …)`.
 */
export function available(service: ServiceName): boolean {
  // A cluster that was brought along needs nothing of ours, unless a test wants fake nodes.
  if (service === 'kubernetes' && process.env.KUBECONFIG_DISPOSABLE) return true;
  try {
    programs(service);
    return true;
  } catch (error) {
    if (!(error instanceof ServiceUnavailable)) throw error;
    console.warn(`services: SKIPPED ${service}: ${error.message}`);
    return false;
  }
}

/** User and group that a database runs as, since it refuses root. Nothing where this process is not root itself. */
export function identityOf(user: string): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`the system has no user "${user}"`);
  return { uid: Number(uid), gid: Number(gid) };
}

/** Where `tools/kubernetes/install.sh` keeps what it builds. */
function kubernetesDirectory(): string {
  return process.env.EBB_KUBERNETES_DIR || join(homedir(), '.cache/ebb-kubernetes');
}

/** Where `tools/services/install.sh` keeps what is no system package. */
function servicesDirectory(): string {
  return process.env.EBB_SERVICES_DIR || join(homedir(), '.cache/ebb-services');
}

function onPath(program: string): string | undefined {
  // Debian keeps daemons where only root looks.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
