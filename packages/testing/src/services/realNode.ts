import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { programs } from './installed.ts';
import type { KubernetesCluster } from './kubernetes.ts';
import { makeNodeCgroup, removeNodeCgroup } from './nodeCgroup.ts';
import { ociArchive } from './ociArchive.ts';
import { freePort, loopback } from './ports.ts';
import { Service } from './service.ts';
import { until } from './until.ts';
import { newServiceFolder } from './watchdog.ts';

const run = promisify(execFile);

/** What real pods run: a server on $HOST:$PORT (127.0.0.1 where none is said) that is there $START_AFTER after its start. */
export const realPodImage = 'localhost/ebb-real-pod:1';
const pauseImage = 'localhost/ebb-pause:1';
/** Pods that are to run for real have this as their node selector and tolerate it. */
export const realNodeLabel = 'ebb.dev/real-node';

/** A node whose pods are real: containerd, runc and a kubelet. */
export interface RealNode {
  readonly name: string;
  /** Of the node and its pods. On the machine's loopback interface, so that nothing from outside reaches it. */
  readonly address: string;
  /** What a pod needs in its spec to be placed there; it uses the network of its host. */
  readonly podSpec: Readonly<Record<string, unknown>>;
  readonly kubelet: Service;
  readonly containerd: Service;
  /** Takes the image of an OCI archive in, as a pull would. */
  loadImage(archive: string): Promise<void>;
  /** Removes the node with every pod of it, and ends both processes. */
  stop(): Promise<void>;
}

class Part extends Service {
  readonly #answers: () => Promise<boolean>;

  constructor(launch: ConstructorParameters<typeof Service>[0], answers: () => Promise<boolean>) {
    super(launch);
    this.#answers = answers;
  }

  protected override isReady(): Promise<boolean> {
    return this.#answers();
  }
}

/** Why this machine cannot have real pods; null: it can. */
export function whyNoRealNode(): string | null {
  if (process.env.KUBECONFIG_DISPOSABLE) return 'a cluster that was brought along has nodes of its own';
  if (process.platform !== 'linux') return 'containers need Linux';
  if (process.getuid?.() !== 0) return 'a kubelet runs as root';
  const cgroups = ['/sys/fs/cgroup/cgroup.controllers', '/sys/fs/cgroup/memory'];
  if (!cgroups.some((path) => existsSync(path))) return 'no control groups are mounted at /sys/fs/cgroup';
  return null;
}

/** Joins a real node to a cluster that `startKubernetes` has started. Pods reach no registry and no other network. */
export async function startRealNode(cluster: KubernetesCluster, name = 'real-1'): Promise<RealNode> {
  const why = whyNoRealNode();
  if (why !== null) throw new Error(`no real pods here: ${why}`);
  const found = programs('realNode');
  const folder = newServiceFolder('real-node');
  const address = await addAddress();
  const cgroup = `ebb-${basename(folder)}`;
  const socket = join(folder, 'containerd.sock');
  const ctr = (...args: string[]) => run(found.ctr, ['--address', socket, '--namespace', 'k8s.io', ...args]);
  const containerd = await startContainerd(found, folder, socket, () => ctr('version'));
  const started: Service[] = [containerd];
  const end = async () => {
    await endContainers(ctr);
    for (const service of started.toReversed()) await service.stop();
    await unmountBelow(folder);
    removeNodeCgroup(cgroup);
    await run('ip', ['addr', 'del', `${address}/32`, 'dev', 'lo']).catch(() => {});
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    makeNodeCgroup(cgroup);
    const server = readFileSync(found.server);
    const images: [string, string[]][] = [
      [pauseImage, ['/server', 'pause']],
      [realPodImage, ['/server']],
    ];
    for (const [image, entrypoint] of images) {
      const archive = join(folder, 'image.tar');
      writeFileSync(archive, ociArchive(image, [{ path: 'server', content: server }], entrypoint));
      await ctr('images', 'import', archive);
      rmSync(archive);
    }
    const kubelet = await startKubelet({ program: found.kubelet, cluster, name, folder, socket, address, cgroup });
    started.push(kubelet);
    await until(() => isNodeReady(cluster, name), { withinMs: 60_000, what: () => `the node ${name}` });
    return {
      name,
      address,
      podSpec: {
        nodeSelector: { [realNodeLabel]: 'true' },
        tolerations: [{ key: realNodeLabel, operator: 'Exists' }],
        hostNetwork: true,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
      },
      kubelet,
      containerd,
      async loadImage(archive) {
        await ctr('images', 'import', archive);
      },
      async stop() {
        await removePods(cluster, name);
        await end();
      },
    };
  } catch (error) {
    const log = started.map((service) => service.log().slice(-3000)).join('\n');
    await end();
    throw new Error(`${(error as Error).message}\n${log}`, { cause: error });
  }
}

/**
 * A kubelet takes no loopback address for its own, and without one its pods have none. Those for documentation (RFC 5737) are
 * nobody's: one that is free is put on the loopback interface.
 */
async function addAddress(): Promise<string> {
  for (let last = 1; last < 255; last++) {
    const address = `192.0.2.${last}`;
    try {
      await run('ip', ['addr', 'add', `${address}/32`, 'dev', 'lo']);
      return address;
    } catch (error) {
      // Another node has it: each iproute2 says that in words of its own, and what is there is the same for all.
      const { stdout } = await run('ip', ['-o', 'addr', 'show', 'dev', 'lo']);
      if (!stdout.includes(` ${address}/`)) throw error;
    }
  }
  throw new Error('all addresses of 192.0.2.0/24 are taken on this machine');
}

async function startContainerd(
  { containerd, runc }: { containerd: string; runc: string },
  folder: string,
  socket: string,
  answers: () => Promise<unknown>,
): Promise<Service> {
  // A registry that is not there: no image comes from anywhere else.
  const closed = 'server = "http://127.0.0.1:9"\n[host."http://127.0.0.1:9"]\n  capabilities = ["pull", "resolve"]\n';
  mkdirSync(join(folder, 'registries/_default'), { recursive: true });
  writeFileSync(join(folder, 'registries/_default/hosts.toml'), closed);
  mkdirSync(join(folder, 'cni'));
  const loopbackOnly = { cniVersion: '1.0.0', name: 'lo', plugins: [{ type: 'loopback' }] };
  writeFileSync(join(folder, 'cni/10-lo.conflist'), JSON.stringify(loopbackOnly));
  const config = join(folder, 'containerd.toml');
  writeFileSync(
    config,
    `version = 2
root = "${folder}/root"
state = "${folder}/state"
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "${runc}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${folder}/registries"
`,
  );
  const isAnswering = () =>
    answers().then(
      () => true,
      () => false,
    );
  const launch = { name: 'containerd', folder: newServiceFolder('containerd'), port: 0, program: containerd } as const;
  return new Part({ ...launch, args: ['--config', config] }, isAnswering).start();
}

async function startKubelet(options: {
  program: string;
  cluster: KubernetesCluster;
  name: string;
  folder: string;
  socket: string;
  address: string;
  cgroup: string;
}): Promise<Service> {
  const { program, cluster, name, folder, socket, address, cgroup } = options;
  const [port, healthPort] = [await freePort(), await freePort()];
  const config = join(folder, 'kubelet.json');
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      address: loopback,
      port,
      readOnlyPort: 0,
      healthzPort: healthPort,
      authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
      authorization: { mode: 'AlwaysAllow' },
      cgroupDriver: 'cgroupfs',
      cgroupRoot: `/${cgroup}`,
      // Machines of tests have control groups of either version, and swap or none.
      failCgroupV1: false,
      failSwapOn: false,
      oomScoreAdj: 0,
      containerRuntimeEndpoint: `unix://${socket}`,
      resolvConf: '',
      enforceNodeAllocatable: [],
      evictionHard: { 'memory.available': '100Mi' },
      registerWithTaints: [{ key: realNodeLabel, value: 'only', effect: 'NoSchedule' }],
    }),
  );
  const args = [
    `--kubeconfig=${cluster.kubeconfig}`,
    `--config=${config}`,
    `--root-dir=${folder}/kubelet`,
    `--cert-dir=${folder}/kubelet-pki`,
    `--hostname-override=${name}`,
    `--node-ip=${address}`,
    `--node-labels=${realNodeLabel}=true`,
  ];
  const launch = { name: 'kubelet', folder: newServiceFolder('kubelet'), port, program, args, readyWithinMs: 60_000 };
  return new Part(launch, async () => (await fetch(`http://${loopback}:${healthPort}/healthz`)).ok).start();
}

async function isNodeReady({ api }: KubernetesCluster, name: string): Promise<boolean> {
  const { status, text } = await api.send('GET', `/api/v1/nodes/${name}`);
  if (status !== 200) return false;
  const node = JSON.parse(text) as { status?: { conditions?: { type: string; status: string }[] } };
  return node.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
}

/** While the kubelet still runs, so that no container outlives it. */
async function removePods({ api }: KubernetesCluster, name: string): Promise<void> {
  const path = `/api/v1/pods?fieldSelector=spec.nodeName%3D${name}`;
  const pods = async () => {
    const { items } = await api.get<{ items: { metadata: { namespace: string; name: string } }[] }>(path);
    return items.map(({ metadata }) => metadata);
  };
  await api.patch(`/api/v1/nodes/${name}`, { spec: { unschedulable: true } });
  await until(
    async () => {
      const left = await pods();
      for (const pod of left) {
        await api.send('DELETE', `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}?gracePeriodSeconds=1`);
      }
      return left.length === 0;
    },
    { withinMs: 30_000, what: () => `the end of the pods of ${name}` },
  );
  await api.send('DELETE', `/api/v1/nodes/${name}`);
}

/** Those that the kubelet did not end: nothing of a pod outlives its node. */
async function endContainers(ctr: (...args: string[]) => Promise<{ stdout: string }>): Promise<void> {
  const list = () => ctr('tasks', 'ls', '--quiet').then(({ stdout }) => stdout.split('\n').filter((id) => id !== ''));
  for (const id of await list().catch((): string[] => [])) {
    await ctr('tasks', 'kill', '--signal', 'SIGKILL', id).catch(() => {});
    await ctr('tasks', 'delete', '--force', id).catch(() => {});
  }
}

/** Volumes and root folders of containers that are still mounted. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.toReversed()) await run('umount', ['--lazy', path]).catch(() => {});
}
