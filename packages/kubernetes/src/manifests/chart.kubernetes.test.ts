import { fileURLToPath } from 'node:url';
import { yamlValues } from '@ebb/documents';
import { available, type KubernetesCluster, runHelm, startKubernetes, until } from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InstallChoice, installManifests } from './install.ts';
import type { Manifest } from './settings.ts';

const chart = fileURLToPath(new URL('../../../../charts/ebb', import.meta.url));
const kubeVersion = ['--kube-version', '1.36.3'];

/** What the chart gives, by kind, namespace and name. */
async function rendered(namespace: string, ...args: string[]): Promise<Map<string, Manifest>> {
  const text = await runHelm(['template', 'ebb', chart, '--namespace', namespace, ...kubeVersion, ...args]);
  return byName(yamlValues(text) as Manifest[]);
}

/** What `ebb kubernetes manifests` gives; Helm makes namespaces and kinds by itself. */
function plain(choice: InstallChoice): Map<string, Manifest> {
  return byName(installManifests({ ...choice, withoutKinds: true }).filter(({ kind }) => kind !== 'Namespace'));
}

function byName(manifests: readonly Manifest[]): Map<string, Manifest> {
  const name = ({ kind, metadata }: Manifest) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
  return new Map(manifests.map((one) => [name(one), withoutNothing(one) as Manifest]));
}

/** Without fields that say nothing: null, and what is empty. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (typeof value !== 'object' || value === null) return value;
  const isNothing = (field: unknown, name: string) =>
    field === null ||
    (['nodeSelector', 'tolerations', 'annotations'].includes(name) && Object.keys(field as object).length === 0);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => !isNothing(field, name))
      .map(([name, field]) => [name, withoutNothing(field)]),
  );
}

describe.runIf(available('helm'))('the chart', () => {
  it('is without fault for Helm', async () => {
    const text = await runHelm(['lint', '--strict', chart, ...kubeVersion]);
    expect(text).toContain('0 chart(s) failed');
  });

  it('gives the same objects as the command', async () => {
    expect(await rendered('shop')).toEqual(plain({ namespace: 'shop' }));
  });

  it('passes on what was chosen', async () => {
    const values = [
      ...['image.repository=registry.example/ebb', 'image.tag=7', 'image.pullPolicy=Always'],
      ...['storage.size=5Gi', 'storage.className=fast', 'readNamespaces={team-a,team-b}', 'networkPolicy.enabled=true'],
      ...['resources.requests.cpu=2', 'resources.requests.memory=1Gi', 'resources.limits.memory=3Gi'],
    ].flatMap((value) => ['--set-string', value]);
    expect(await rendered('shop', ...values)).toEqual(
      plain({
        namespace: 'shop',
        image: 'registry.example/ebb:7',
        imagePullPolicy: 'Always',
        storageSize: '5Gi',
        storageClass: 'fast',
        readNamespaces: ['team-a', 'team-b'],
        networkPolicy: true,
        cpuRequest: '2',
        memoryRequest: '1Gi',
        memoryLimit: '3Gi',
      }),
    );
  });

  it('has a database in the place of the volume', async () => {
    expect(await rendered('shop', '--set=store.postgresSecret=ebb-store')).toEqual(
      plain({ namespace: 'shop', postgresSecret: 'ebb-store' }),
    );
  });

  it('follows one namespace, and gives the operator labels and an identity', async () => {
    const values = [
      '--set=watchNamespace=team-a,metrics.enabled=false',
      '--set-json=podLabels={"azure.workload.identity/use":"true","app.kubernetes.io/name":"other"}',
      '--set-json=serviceAccount.annotations={"eks.amazonaws.com/role-arn":"arn:aws:iam::1:role/ebb"}',
    ];
    expect(await rendered('shop', ...values)).toEqual(
      plain({
        namespace: 'shop',
        watchNamespace: 'team-a',
        metrics: 'false',
        podLabels: { 'azure.workload.identity/use': 'true', 'app.kubernetes.io/name': 'other' },
        serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/ebb' },
      }),
    );
  });

  it.each([
    ['with its rights alone', ['--set=advice=true,nodePools.enabled=true'], { advice: 'true', nodePools: 'true' }],
    ['in two namespaces', ['--set=advice=true,watchNamespace=a\\,b'], { advice: 'true', watchNamespace: 'a,b' }],
    ['with all rights', ['--set=advice=true,takeOver=true'], { advice: 'true', takeOver: 'true' }],
  ])('advises %s', async (_how, values, choice) => {
    const scaleKinds = ['argoproj.io/rollouts'];
    const more = ['--set-json=scaleKinds=["argoproj.io/rollouts"]', '--set=networkPolicy.enabled=true'];
    const expected = plain({ namespace: 'shop', scaleKinds, networkPolicy: true, ...choice });
    expect(await rendered('shop', ...more, ...values)).toEqual(expected);
  });

  it.each([
    ['everywhere', [], {}],
    ['in one namespace', ['--set=watchNamespace=a'], { watchNamespace: 'a' }],
    ['nowhere in advice', ['--set=advice=true'], { advice: 'true' }],
  ])('lets endpoints of Services be kept, %s', async (_where, values, choice) => {
    const expected = plain({ namespace: 'shop', serveServices: 'true', ...choice });
    expect(await rendered('shop', '--set=serveServices.enabled=true', ...values)).toEqual(expected);
  });

  it.each([
    ['everywhere', [], {}],
    ['in one namespace', ['--set=watchNamespace=a'], { watchNamespace: 'a' }],
    ['not in advice', ['--set=advice=true'], { advice: 'true' }],
  ])('has sizing and warmth, %s', async (_where, values, choice) => {
    const images = { pauseImage: 'mirror/pause:1', toolImage: 'mirror/busybox:1' };
    const expected = plain({ namespace: 'shop', sizing: 'true', warmth: 'true', ...images, ...choice });
    const chosen = Object.entries(images).map(([name, image]) => `--set=warmth.${name}=${image}`);
    expect(await rendered('shop', '--set=sizing.enabled=true,warmth.enabled=true', ...chosen, ...values)).toEqual(
      expected,
    );
  });

  it('lets further kinds be scaled, everywhere or in the namespace that is followed', async () => {
    const kinds = ['--set-json', 'scaleKinds=["argoproj.io/rollouts","example.dev/fleets"]'];
    const scaleKinds = ['argoproj.io/rollouts', 'example.dev/fleets'];
    expect(await rendered('shop', ...kinds)).toEqual(plain({ namespace: 'shop', scaleKinds }));
    const followed = await rendered('shop', ...kinds, '--set=watchNamespace=team-a');
    expect(followed).toEqual(plain({ namespace: 'shop', scaleKinds, watchNamespace: 'team-a' }));
    const both = await rendered('shop', ...kinds, '--set-string', 'watchNamespace=team-a\\, team-b');
    expect(both).toEqual(plain({ namespace: 'shop', scaleKinds, watchNamespace: 'team-a,team-b' }));
  });

  it('says where the operator may run', async () => {
    const choice = ['nodeSelector={"disk":"ssd"}', 'tolerations=[{"key":"system","operator":"Exists"}]'];
    const objects = await rendered('shop', ...choice.flatMap((value) => ['--set-json', value]));
    expect(objects.get('Deployment shop/ebb')).toMatchObject({
      spec: {
        template: {
          spec: { nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 'system', operator: 'Exists' }] },
        },
      },
    });
  });

  it('refuses a Kubernetes that is too old', async () => {
    const asked = runHelm(['template', 'ebb', chart, '--kube-version', '1.28.0']);
    await expect(asked).rejects.toThrow(/kubeVersion: >=1\.29\.0-0/);
  });
});

describe.runIf(available('helm') && available('kubernetes'))('the chart in a Kubernetes API', () => {
  let cluster: KubernetesCluster;
  const namespace = `ebb-chart-${process.pid}`;

  beforeAll(async () => {
    cluster = await startKubernetes();
  });
  afterAll(async () => {
    if (cluster && !cluster.parts) await cluster.api.send('DELETE', `/api/v1/namespaces/${namespace}`);
    await cluster?.close();
  });

  it('is installed and taken away again', async () => {
    const where = ['--namespace', namespace];
    await runHelm(['install', 'ebb', chart, ...where, '--create-namespace'], cluster.kubeconfig);
    const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/ebb`;
    expect(await cluster.api.get(deployment)).toMatchObject({ metadata: { name: 'ebb' }, spec: { replicas: 1 } });
    const kinds = async () => {
      const { resources } = await cluster.api.get<{ readonly resources: readonly { readonly name: string }[] }>(
        '/apis/ebb.dev/v1alpha1',
      );
      return resources.map(({ name }) => name);
    };
    await until(async () => (await kinds()).includes('workloads'), {
      withinMs: 60_000,
      what: () => 'the kind Workload',
    });
    await runHelm(['uninstall', 'ebb', ...where], cluster.kubeconfig);
    expect((await cluster.api.send('GET', deployment)).status).toBe(404);
  });
});
