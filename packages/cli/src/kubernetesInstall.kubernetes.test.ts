import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  executeInstall,
  installManifests,
  InstallServer,
  type Manifest,
  openCluster,
  planInstall,
} from '@ebb/kubernetes';
import { available, freePort, type KubernetesCluster, startKubernetes, until } from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waiting } from './kubernetesInstall/cluster.ts';
import { runMain } from './runMain.fixture.ts';

const bin = fileURLToPath(new URL('../bin/ebb.mjs', import.meta.url));
const namespace = `ebb-set-${process.pid}`;
const core = `/api/v1/namespaces/${namespace}`;
const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/ebb`;
const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`;
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

interface Report {
  readonly from: string | null;
  readonly to: string;
  readonly ready: boolean | null;
  readonly objects: readonly {
    readonly action: string;
    readonly kind: string;
    readonly name: string;
    readonly fields?: string[];
  }[];
}

interface Diagnosis {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly state: string;
    readonly found: string;
    readonly hint: string | null;
  }[];
}

describe.runIf(available('kubernetes'))('ebb kubernetes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-set-'));
  let cluster: KubernetesCluster;
  const operators: ChildProcess[] = [];
  const ebb = (...words: string[]) => {
    const where = words.includes('--kubeconfig') ? [] : ['--kubeconfig', cluster.kubeconfig];
    return runMain(['kubernetes', ...words, '--namespace', namespace, ...where], folder);
  };
  const report = async (...words: string[]): Promise<Report> => {
    const { code, out, err } = await ebb(...words, '--json');
    expect(code, err).toBe(0);
    return JSON.parse(out) as Report;
  };
  const actions = ({ objects }: Report) => new Set(objects.map(({ action }) => action));
  const status = async (path: string) => (await cluster.api.send('GET', path)).status;
  const tokenOf = async (name: string, at: string) => {
    const path = `/api/v1/namespaces/${at}/serviceaccounts/${name}/token`;
    const answer = await cluster.api.post<{ status: { token: string } }>(path, { spec: { expirationSeconds: 3600 } });
    return answer.status.token;
  };
  /** What the pod would run, as its service account and no more. */
  const runOperator = async (at: string, env: Readonly<Record<string, string>> = {}) => {
    const port = await freePort();
    const kubeconfig = cluster.kubeconfigFor({ name: 'ebb', token: await tokenOf('ebb', at) });
    const own = { KUBECONFIG: kubeconfig, POD_NAMESPACE: at, EBB_DATA: join(folder, at), EBB_METRICS: 'true', ...env };
    const operator = spawn(process.execPath, [bin, 'operator', '--api-port', String(port)], {
      env: { ...process.env, ...own },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    operators.push(operator);
    let text = '';
    operator.stderr?.on('data', (part) => (text += String(part)));
    const ended = once(operator, 'exit');
    const stop = async () => {
      operator.kill('SIGTERM');
      await ended;
    };
    return { port, said: () => text, stop };
  };
  const addVolume = (at: string) =>
    cluster.api.post('/api/v1/persistentvolumes', {
      metadata: { name: at },
      spec: {
        capacity: { storage: '2Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/nowhere' },
        claimRef: { namespace: at, name: 'ebb' },
      },
    });

  beforeAll(async () => {
    cluster = await startKubernetes();
    await cluster.addNodes(2);
    await addVolume(namespace);
    await cluster.api.post('/apis/apps/v1/namespaces/default/deployments', {
      metadata: { name: 'web' },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web' }] } },
      },
    });
  });
  afterAll(async () => {
    for (const operator of operators) {
      if (operator.exitCode !== null || operator.signalCode !== null) continue;
      operator.kill('SIGKILL');
      await once(operator, 'exit');
    }
    if (cluster && !cluster.parts) {
      for (const path of [
        core,
        `${core}-tenant`,
        `${core}-tenant-b`,
        `/api/v1/persistentvolumes/${namespace}`,
        `/api/v1/persistentvolumes/${namespace}-tenant`,
      ])
        await cluster.api.send('DELETE', path);
    }
    await cluster?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('names the rights that somebody lacks, and changes nothing', async () => {
    await cluster.api.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'guest' } });
    const kubeconfig = cluster.kubeconfigFor({ name: 'guest', token: await tokenOf('guest', 'default') });
    const { code, err, out } = await ebb('install', '--kubeconfig', kubeconfig);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/you lack \d+ rights that this takes; nothing was changed/);
    for (const right of [
      'get, patch, create customresourcedefinitions.apiextensions.k8s.io',
      'get, patch, create clusterroles.rbac.authorization.k8s.io',
      `get, patch, create deployments.apps in ${namespace}`,
      'get, update deployments.apps/scale',
      `get, patch, create configmaps in ${namespace}`,
    ]) {
      expect(err).toContain(`  ${right}\n`);
    }
    expect(await status(core)).toBe(404);
    expect(await status(`${definitions}/workloads.ebb.dev`)).toBe(404);
    const looked = await ebb('doctor', '--kubeconfig', kubeconfig);
    expect(looked.code).toBe(0);
    expect(looked.out).toContain('not looked at: you may not');
  });

  it('says what it would do, and does nothing', async () => {
    const told = await report('install', '--dry-run');
    expect(actions(told)).toEqual(new Set(['create']));
    expect(told.objects.map(({ kind }) => kind).slice(0, 4)).toEqual([
      ...Array(3).fill('CustomResourceDefinition'),
      'Namespace',
    ]);
    expect(await status(core)).toBe(404);
    const empty = JSON.parse((await ebb('doctor', '--json')).out) as Diagnosis;
    expect(empty.ok).toBe(false);
    expect(empty.checks.filter(({ state }) => state === 'bad').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['definitions', 'operator', 'volume', 'lease', 'rights']),
    );
  });

  it('installs into an empty cluster, and waits until the operator is ready', async () => {
    const { code, out, err } = await ebb('install');
    expect(code, err + out).toBe(0);
    expect(out).toContain(`created  Deployment ${namespace}/ebb\n`);
    expect(out).toContain(`is ready in ${namespace}`);
    const { metadata } = await cluster.api.get<
      Manifest & { metadata: { managedFields: { manager: string; operation: string }[] } }
    >(deployment);
    expect(metadata.managedFields).toContainEqual(expect.objectContaining({ manager: 'ebb-cli', operation: 'Apply' }));
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'ebb-cli' });
  });

  it('does the same again without changing anything', async () => {
    const version = async (path: string) =>
      (await cluster.api.get<{ metadata: { resourceVersion: string } }>(path)).metadata.resourceVersion;
    const paths = [`${definitions}/workloads.ebb.dev`, `${roles}/ebb`, `${core}/serviceaccounts/ebb`, core];
    const before = await Promise.all(paths.map(version));
    const told = await report('install');
    expect(actions(told)).toEqual(new Set(['unchanged']));
    expect(told).toMatchObject({ from: told.to, ready: true });
    expect(await Promise.all(paths.map(version))).toEqual(before);
  });

  it('says that nobody decides where only a fake pod says that it is ready, and is content with a real operator', async () => {
    const { code, out } = await ebb('doctor', '--json');
    const checks = (text: string) => new Map((JSON.parse(text) as Diagnosis).checks.map((one) => [one.name, one]));
    expect(code).toBe(1);
    expect(checks(out).get('lease')).toMatchObject({ state: 'bad', found: `nobody holds ${namespace}/ebb` });
    expect([...checks(out).values()].filter(({ state }) => state === 'bad')).toHaveLength(1);
    expect(checks(out).get('operator')?.hint).toContain('KWOK');

    const { port, said, stop } = await runOperator(namespace);
    await until(async () => checks((await ebb('doctor', '--json')).out).get('lease')?.state !== 'bad', {
      withinMs: 120_000,
      what: () => `a lease\n${said()}`,
    });
    const { code: now, out: text } = await ebb('doctor');
    expect(now, text).toBe(0);
    expect(text).toMatch(/✓ +API server +v1\.\d+/);
    expect(text).toMatch(/✓ +rights +system:serviceaccount:\S+ has all \d+ that it needs/);
    const page = () => fetch(`http://127.0.0.1:${port}/metrics`);
    expect((await page()).headers.get('content-type')).toContain('version=0.0.4');
    // It has the lease before it decides.
    await until(async () => (await (await page()).text()).includes('ebb_leader 1\n'), {
      withinMs: 60_000,
      what: () => `a leader\n${said()}`,
    });
    // A right that somebody has taken away is missed, once the API server's own view of roles has it.
    await cluster.api.patch(`${roles}/ebb`, { rules: [] });
    const rights = async () => checks((await ebb('doctor', '--json')).out).get('rights');
    await until(async () => (await rights())?.state === 'bad', {
      withinMs: 60_000,
      what: () => 'a right that is missed',
    });
    expect(await rights()).toMatchObject({
      state: 'bad',
      found: expect.stringContaining(`get, create, update leases.coordination.k8s.io in ${namespace}`),
    });
    const told = await report('install', '--force');
    expect(told.objects.find(({ kind, name }) => kind === 'Role' && name === 'ebb')).toMatchObject({
      action: 'change',
      fields: ['rules'],
    });
    // It would decide for everything that comes later.
    await stop();
  });

  it('names another manager of a field, and takes it over only when told to', async () => {
    const image = 'registry.example/other:1';
    const asHelm = {
      manager: 'helm',
      body: { spec: { template: { spec: { containers: [{ name: 'operator', image }] } } } },
    };
    const path = `${deployment}?fieldManager=${asHelm.manager}&force=true`;
    const document = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'ebb', namespace },
      ...asHelm.body,
    };
    const applied = await cluster.api.send('PATCH', path, document, { contentType: 'application/apply-patch+yaml' });
    expect(applied.status, applied.text).toBe(200);
    const refused = await ebb('install');
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(
      /Deployment \S+\/ebb: helm owns \.spec\.template\.spec\.containers\[name="operator"\]\.image/,
    );
    expect((await ebb('install', '--force')).code).toBe(0);
    const charge = {
      metadata: { annotations: { 'meta.helm.sh/release-name': 'mine', 'meta.helm.sh/release-namespace': namespace } },
    };
    await cluster.api.patch(deployment, charge);
    const other = await ebb('upgrade');
    expect(other.code).toBe(1);
    expect(other.err).toContain(`Deployment ${namespace}/ebb is in the charge of Helm (release ${namespace}/mine)`);
    await cluster.api.patch(deployment, {
      metadata: { annotations: { 'meta.helm.sh/release-name': null, 'meta.helm.sh/release-namespace': null } },
    });
  });

  it('upgrades an older one with its settings, and takes away what is not in the set any more', async () => {
    const version = '0.0.9';
    const settings = { namespace, image: `registry.example/ebb:${version}`, cpuRequest: '250m' };
    const older = installManifests({ ...settings, networkPolicy: true }).map((one) => ({
      ...one,
      metadata: { ...one.metadata, labels: { ...one.metadata.labels, 'app.kubernetes.io/version': version } },
    }));
    const role = older.find(({ kind }) => kind === 'Role');
    if (!role) throw new Error('there is no Role');
    const gone = { ...role, metadata: { ...role.metadata, name: 'ebb-of-old' } };
    const { transport } = await openCluster({ path: cluster.kubeconfig });
    const server = new InstallServer(transport);
    const plan = await planInstall({ server, manifests: [...older, gone], namespace, version, force: true });
    await executeInstall({ server, plan, namespace, force: true, settings, waiting });
    transport.close();
    expect(await status(`${roles}/ebb-of-old`)).toBe(200);
    const asked = await ebb('install');
    expect(asked.code).toBe(1);
    expect(asked.err).toContain(`version ${version} is installed`);

    const dry = await report('upgrade', '--dry-run');
    const removed = ({ objects }: Report) =>
      objects.filter(({ action }) => action === 'remove').map(({ kind, name }) => `${kind} ${name}`);
    expect(removed(dry)).toEqual(expect.arrayContaining(['NetworkPolicy ebb', 'Role ebb-of-old']));
    expect(new Set(removed(dry).map((one) => one.split(' ')[0]))).toEqual(new Set(['NetworkPolicy', 'Role']));
    expect(await status(`${roles}/ebb-of-old`)).toBe(200);
    const told = await report('upgrade');
    expect(told).toMatchObject({ from: version, to: '0.1.0', ready: true });
    expect(removed(told)).toEqual(removed(dry));
    expect(await status(`${roles}/ebb-of-old`)).toBe(404);
    expect(await cluster.api.get(deployment)).toMatchObject({
      spec: {
        template: {
          spec: { containers: [{ image: 'registry.example/ebb:0.1.0', resources: { requests: { cpu: '250m' } } }] },
        },
      },
    });
    expect(actions(await report('upgrade'))).toEqual(new Set(['unchanged']));
  });

  it('goes from being in charge to advice, with the right to scale nothing, and back', async () => {
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web', namespace: 'default' } };
    const path = '/apis/apps/v1/namespaces/default/deployments/web/scale';
    const operator = cluster.apiFor({ name: 'operator', token: await tokenOf('ebb', namespace) });
    const writesScale = async () =>
      (await operator.send('PUT', `${path}?dryRun=All`, { ...scale, spec: { replicas: 3 } })).status;
    const checks = async () =>
      new Map((JSON.parse((await ebb('doctor', '--json')).out) as Diagnosis).checks.map((one) => [one.name, one]));
    const becomes = (expected: number) =>
      until(async () => (await writesScale()) === expected, { withinMs: 60_000, what: () => `status ${expected}` });
    await becomes(200);
    // An HPA that Ebb was put in charge of would be scaled by nobody.
    const hpas = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
    await cluster.api.post(hpas, {
      metadata: { name: 'web', annotations: { 'ebb.dev/mode': 'control', 'ebb.dev/taken-over': '{}' } },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3 },
    });
    const refused = await ebb('upgrade', '--advice');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('ebb give-back hpa/web --namespace default');
    await becomes(200);
    await cluster.api.send('DELETE', `${hpas}/web`);
    const told = await report('upgrade', '--advice', '--no-wait');
    const of = (action: string) =>
      told.objects.filter((one) => one.action === action).map(({ kind, name }) => `${kind} ${name}`);
    expect(of('change')).toEqual(expect.arrayContaining(['ClusterRole ebb', 'Role ebb', 'Deployment ebb']));
    expect(of('remove')).toEqual(expect.arrayContaining(['Deployment ebb-gateway', 'Service ebb-gateway']));
    await becomes(403);
    expect((await checks()).get('operator')?.found).toContain('in advice: ');
    // Roles and cluster roles reach the API server's own view each by itself.
    await until(async () => (await checks()).get('rights')?.state === 'ok', {
      withinMs: 60_000,
      what: () => 'the rights of advice',
    });
    await report('upgrade', '--take-over', '--no-wait');
    await becomes(200);
    expect((await checks()).get('operator')?.found).toContain('in advice: ');
    await report('upgrade', '--no-advice', '--no-wait');
    await becomes(200);
    expect((await checks()).get('operator')?.found).not.toContain('in advice');
    expect(actions(await report('upgrade'))).toEqual(new Set(['unchanged']));
    operator.close();
  });

  it('refuses to go back, and to lose a version in which objects are stored', async () => {
    const inventory = `${core}/configmaps/ebb-inventory`;
    await cluster.api.patch(inventory, { data: { version: '0.2.0' } });
    const back = await ebb('upgrade');
    expect({ code: back.code, out: back.out }).toEqual({ code: 1, out: '' });
    expect(back.err).toContain('version 0.2.0 is installed, which is newer than 0.1.0');
    expect((await report('upgrade', '--force')).from).toBe('0.2.0');
    const path = `${definitions}/workloads.ebb.dev/status`;
    const stored = (names: string[]) => cluster.api.patch(path, { status: { storedVersions: names } });
    await stored(['v1alpha0', 'v1alpha1']);
    const lost = await ebb('upgrade');
    expect(lost.code).toBe(1);
    expect(lost.err).toContain('workloads.ebb.dev: objects are stored as v1alpha0, which this version has not');
    await stored(['v1alpha1']);
  });

  it('is of tenants, with no right outside of their namespaces', async () => {
    const tenant = `${namespace}-tenant`;
    const second = `${tenant}-b`;
    await cluster.api.post('/api/v1/namespaces', { metadata: { name: second } });
    const group = 'keda.sh';
    // Of the whole cluster: the tenant's operator may not list it, and lives without.
    await cluster.api.post(definitions, {
      metadata: { name: `clustertriggerauthentications.${group}` },
      spec: {
        group,
        names: { kind: 'ClusterTriggerAuthentication', plural: 'clustertriggerauthentications' },
        scope: 'Cluster',
        versions: [{ name: 'v1alpha1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    });
    await addVolume(tenant);
    const words = ['--namespace', tenant, '--kubeconfig', cluster.kubeconfig];
    const ofTenant = (...more: string[]) => runMain(['kubernetes', ...more, ...words], folder);
    const watched = `${tenant},${second}`;
    const { code, out, err } = await ofTenant('install', '--watch-namespace', watched, '--no-kinds');
    expect(code, err).toBe(0);
    expect(out).not.toMatch(/ClusterRole|CustomResourceDefinition/);
    const { port, said, stop } = await runOperator(tenant, { EBB_WATCH_NAMESPACE: watched, EBB_METRICS: 'false' });
    const answers = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`).then(
        (answer) => answer.status,
        () => 0,
      );
    await until(async () => (await answers('/healthz')) === 200, {
      withinMs: 120_000,
      what: () => `health\n${said()}`,
    });
    expect(await answers('/metrics')).toBe(404);
    const healthy = async () => (await ofTenant('doctor')).code === 0;
    await until(healthy, { withinMs: 90_000, what: () => `a tenant in good health\n${said()}` });
    // Each tenant's Workload is scaled, and nobody else's.
    const labels = { app: 'shop' };
    const pod = { metadata: { labels }, spec: { containers: [{ name: 'shop', image: 'shop' }] } };
    const shop = {
      metadata: { name: 'shop' },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: pod },
    };
    const deployments = (at: string) => `/apis/apps/v1/namespaces/${at}/deployments`;
    for (const at of [tenant, second, 'default']) {
      await cluster.api.post(deployments(at), shop);
      await cluster.api.post(`/apis/ebb.dev/v1alpha1/namespaces/${at}/workloads`, {
        ...{ apiVersion: 'ebb.dev/v1alpha1', kind: 'Workload', metadata: { name: 'shop' } },
        spec: { classes: [{ command: ['./serve'] }], scaling: { minReplicas: 2, maxReplicas: 4 } },
      });
    }
    const replicasOf = async (at: string) =>
      (await cluster.api.get<{ spec: { replicas: number } }>(`${deployments(at)}/shop`)).spec.replicas;
    for (const at of [tenant, second]) {
      await until(async () => (await replicasOf(at)) === 2, {
        withinMs: 90_000,
        what: () => `two in ${at}\n${said()}`,
      });
    }
    expect(await replicasOf('default')).toBe(1);
    const account = cluster.apiFor({ name: 'tenant', token: await tokenOf('ebb', tenant) });
    const lists = async (at: string) => (await account.send('GET', `/api/v1/namespaces/${at}/pods`)).status;
    expect([await lists(tenant), await lists(second), await lists('default')]).toEqual([200, 200, 403]);
    account.close();
    await stop();
    await cluster.api.send('DELETE', '/apis/ebb.dev/v1alpha1/namespaces/default/workloads/shop');
    const removed = await ofTenant('uninstall', '--data', '--no-wait');
    expect(removed.code, removed.err).toBe(0);
    expect(await status(`/apis/rbac.authorization.k8s.io/v1/namespaces/${second}/roles/ebb-followed`)).toBe(404);
    for (const at of [tenant, second]) {
      await cluster.api.send('DELETE', `/apis/ebb.dev/v1alpha1/namespaces/${at}/workloads/shop`);
    }
    // The other Ebb keeps what is of the whole cluster.
    for (const path of [`${definitions}/workloads.ebb.dev`, '/apis/rbac.authorization.k8s.io/v1/clusterroles/ebb']) {
      expect(await status(path), path).toBe(200);
    }
  });

  it('takes itself away and leaves what it has scaled, documents and data', async () => {
    const workloads = '/apis/ebb.dev/v1alpha1/namespaces/default/workloads';
    await cluster.api.post(workloads, {
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'Workload',
      metadata: { name: 'web' },
      spec: { classes: [{ name: 'default', command: ['./serve'], concurrency: 4 }] },
    });
    const web = '/apis/apps/v1/namespaces/default/deployments/web';
    const before = await cluster.api.get<{ spec: object }>(web);
    const refused = await ebb('uninstall', '--crds');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('1 Workload would be lost with the definitions; nothing was changed');
    const dry = await ebb('uninstall', '--crds', '--data', '--dry-run');
    expect(dry.out).toContain('1 Workload would go with the definitions');
    expect(await status(deployment)).toBe(200);

    const { code, out, err } = await ebb('uninstall');
    expect(code, err).toBe(0);
    expect(out).toContain(`kept     PersistentVolumeClaim ${namespace}/ebb`);
    for (const path of [
      deployment,
      `${roles}/ebb`,
      `${core}/serviceaccounts/ebb`,
      `${core}/configmaps/ebb-inventory`,
    ]) {
      expect(await status(path), path).toBe(404);
    }
    for (const path of [core, `${core}/persistentvolumeclaims/ebb`, `${workloads}/web`])
      expect(await status(path), path).toBe(200);
    expect((await cluster.api.get<{ spec: object }>(web)).spec).toEqual(before.spec);
    expect(
      (await cluster.api.get<{ items: object[] }>('/api/v1/namespaces/default/pods?labelSelector=app%3Dweb')).items,
    ).toHaveLength(3);

    expect((await ebb('install', '--no-wait')).code).toBe(0);
    expect((await ebb('uninstall', '--crds', '--data', '--yes', '--no-wait')).code).toBe(0);
    for (const path of [`${definitions}/workloads.ebb.dev`, `${core}/persistentvolumeclaims/ebb`]) {
      await until(async () => (await status(path)) === 404, { withinMs: 90_000, what: () => `the end of ${path}` });
    }
    expect(await status(web)).toBe(200);
    const again = await ebb('uninstall');
    expect(again.err).toContain(`no Ebb is installed in the namespace ${namespace}`);
  });
});
