// A real Kubernetes API with KWOK for the bench, the operator as a process of its own with the rights of its install, and
// what that process has asked of the API server, from the audit log.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installManifests } from '../packages/kubernetes/dist/index.js';
import { startKubernetes, until } from '../packages/testing/dist/services/index.js';

const entry = fileURLToPath(new URL('../packages/cli/bin/ebb.mjs', import.meta.url));
const namespace = 'ebb-system';
const installed = new Set([
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
]);
/** KEDA's kind as far as an API server needs to know it. */
const kedaKind = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'scaledobjects.keda.sh' },
  spec: {
    group: 'keda.sh',
    names: { kind: 'ScaledObject', listKind: 'ScaledObjectList', plural: 'scaledobjects', singular: 'scaledobject' },
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
};

/** Starts the cluster, with what `ebb kubernetes manifests` installs except the Deployment. */
export async function startBenchCluster(nodes) {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-bench-kubernetes-'));
  const audit = join(folder, 'audit.log');
  const policy = join(folder, 'policy.json');
  const user = `system:serviceaccount:${namespace}:ebb`;
  // The operator's requests alone: others would be counted with it.
  writeFileSync(
    policy,
    JSON.stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived', 'ResponseStarted'],
      rules: [
        { level: 'Request', users: [user], verbs: ['create', 'update', 'patch', 'delete'] },
        { level: 'Metadata', users: [user] },
        { level: 'None' },
      ],
    }),
  );
  const cluster = await startKubernetes({
    apiServerFlags: [`--audit-policy-file=${policy}`, `--audit-log-path=${audit}`, '--audit-log-maxsize=4096'],
  });
  try {
    await cluster.addNodes(nodes);
    await cluster.api.post('/api/v1/namespaces', { metadata: { name: namespace } });
    for (const manifest of [...installManifests({ namespace }), kedaKind]) {
      if (!installed.has(manifest.kind)) continue;
      await cluster.api.apply(pathOf(manifest), manifest, { force: true });
    }
    await until(async () => (await cluster.api.send('GET', '/apis/keda.sh/v1alpha1/scaledobjects')).status === 200, {
      withinMs: 60_000,
      what: () => "the kind of KEDA's documents",
    });
    const tokenPath = `/api/v1/namespaces/${namespace}/serviceaccounts/ebb/token`;
    const { status } = await cluster.api.post(tokenPath, { spec: { expirationSeconds: 86_400 } });
    const kubeconfig = cluster.kubeconfigFor({ name: 'ebb', token: status.token });
    return {
      api: cluster.api,
      cluster,
      requests: auditReader(audit),
      startOperator: () => startOperator({ kubeconfig, data: join(folder, 'data') }),
      async close() {
        await cluster.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await cluster.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

const groups = {
  CustomResourceDefinition: 'apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: 'apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
};

function pathOf({ apiVersion, kind, metadata }) {
  if (metadata.namespace === undefined) return `/${groups[kind]}/${metadata.name}`;
  const group = apiVersion === 'v1' ? 'api/v1' : `apis/${apiVersion}`;
  return `/${group}/namespaces/${metadata.namespace}/${groups[kind]}/${metadata.name}`;
}

/** Gives what was asked since the last time: verb, path, when it was answered (epoch ms), status, and what was written. */
function auditReader(path) {
  let offset = 0;
  let rest = '';
  return () => {
    if (!existsSync(path)) return [];
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(fstatSync(file).size - offset);
      offset += readSync(file, buffer, 0, buffer.length, offset);
      const lines = (rest + buffer.toString()).split('\n');
      rest = lines.pop() ?? '';
      return lines.filter((line) => line !== '').map(readRequest);
    } finally {
      closeSync(file);
    }
  };
}

function readRequest(line) {
  const { verb, requestURI, stageTimestamp, responseStatus, requestObject, objectRef } = JSON.parse(line);
  const { resource = '', subresource = '', namespace: at = '', name = '' } = objectRef ?? {};
  // Dates of JavaScript end at the millisecond, and so do the bars.
  return {
    verb,
    resource: subresource === '' ? resource : `${resource}/${subresource}`,
    object: `${at}/${name}`,
    uri: requestURI,
    atMs: Date.parse(stageTimestamp),
    status: responseStatus?.code ?? 0,
    written: requestObject ?? null,
  };
}

/** What its Deployment says about memory, besides what is there. */
function operatorEnvironment() {
  const operator = installManifests({ namespace }).find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'ebb',
  );
  const { env } = operator.spec.template.spec.containers[0];
  const allocator = env.filter(({ name }) => name.startsWith('MALLOC_')).map(({ name, value }) => [name, value]);
  return { ...process.env, ...Object.fromEntries(allocator) };
}

/** `ebb operator` as a process. `inChargeMs`: from its start to when it decides. */
async function startOperator({ kubeconfig, data }) {
  const startedMs = performance.now();
  const flags = (process.env.EBB_BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
  const args = [
    ...flags,
    entry,
    'operator',
    '--kubeconfig',
    kubeconfig,
    '--data',
    data,
    '--api-port',
    '0',
    '--lease',
    `${namespace}/ebb`,
  ];
  const child = spawn(process.execPath, args, { env: operatorEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  let log = '';
  const inCharge = Promise.withResolvers();
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text) => {
    log = (log + text).slice(-100_000);
    if (log.includes('the operator decides')) inCharge.resolve(performance.now() - startedMs);
  });
  void exited.then(() => inCharge.reject(new Error(`the operator ended:\n${log.slice(-3000)}`)));
  const inChargeMs = await inCharge.promise;
  return {
    pid: child.pid,
    inChargeMs,
    log: () => log,
    usage: () => usage(child.pid),
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      await exited;
    },
  };
}

/** CPU time so far and resident memory of a process, from /proc. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    memoryMiB: Math.round(Number(memory?.[1] ?? 0) / 1024),
  };
}
