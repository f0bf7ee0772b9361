import { available, type KubernetesCluster, startKubernetes, until } from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import { applyRights, kubeconfigOfAccount, refusedRights } from '../fake/installedRights.fixture.ts';
import { deploymentsPath, installKeda, redisObject, scaledObjectsPath } from '../fake/kedaCluster.fixture.ts';
import { runOperator, type StartedOperator, ToldTriggers } from '../fake/operator.fixture.ts';
import { installManifests } from '../manifests/install.ts';

const namespace = 'ebb-warmth';
const podsPath = '/api/v1/namespaces/default/pods';
const daemonSetsPath = '/apis/apps/v1/namespaces/default/daemonsets';
const room = { nodeSelector: { pool: 'gpu' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] };

interface Pod {
  metadata: { name: string; labels: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName?: string; priority: number };
  status: { phase: string };
}

/** With the rights that are installed, and no others. The scheduler is the real one, and so is what it preempts. */
describe.skipIf(!available('kubernetes'))('warmth on a real API server', () => {
  let cluster: KubernetesCluster;
  let one: StartedOperator | null = null;
  const triggers = new ToldTriggers();

  beforeAll(async () => {
    cluster = await startKubernetes();
    const { api } = cluster;
    const taints = [{ key: 'gpu', effect: 'NoSchedule' }];
    // Room for three pods of the target, and some for what is on every node.
    await cluster.addNodes(1, { prefix: 'gpu', labels: { pool: 'gpu' }, taints, resources: { cpu: '3200m' } });
    await cluster.addNodes(1, { prefix: 'other' });
    await installKeda(api);
    const manifests = installManifests({ namespace, withoutKinds: true, warmth: 'true' });
    await applyRights(api, manifests);
    const own = manifests.filter(({ kind, metadata }) => kind.startsWith('Role') && metadata.name === 'ebb');
    await applyRights(api, own, 'default');
    const priorityClass = manifests.find(({ kind }) => kind === 'PriorityClass');
    await api.post('/apis/scheduling.k8s.io/v1/priorityclasses', priorityClass);
    const labels = { app: 'model' };
    const containers = [{ name: 'main', image: 'registry/model:1', resources: { requests: { cpu: '1' } } }];
    await api.post(deploymentsPath, {
      metadata: { name: 'model', annotations: { 'ebb.dev/prepull': 'true', 'ebb.dev/headroom': '2' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { ...room, terminationGracePeriodSeconds: 1, containers } },
      },
    });
    const { transport, server } = await openCluster({ path: await kubeconfigOfAccount(cluster, namespace, 'ebb') });
    const warmth = { pause: 'pause:1', tool: 'busybox:1' };
    one = await runOperator({ server, identity: 'a', triggers, transport, leaseMs: 60_000, warmth });
    await one.operator.ready;
    await api.post(scaledObjectsPath, redisObject('model', '127.0.0.1:1'));
  });
  afterAll(async () => {
    await one?.stop();
    await cluster?.close();
  });

  const within = (check: () => Promise<boolean>, what: string) =>
    until(check, { withinMs: 120_000, what: () => `${what}\n${one?.log.slice(-20).join('\n')}` });
  const pods = async (selector: string) =>
    (await cluster.api.get<{ items: Pod[] }>(`${podsPath}?labelSelector=${encodeURIComponent(selector)}`)).items;
  const prepulling = () => pods('ebb.dev/warmth=prepull');
  const pausing = () => pods('ebb.dev/warmth=headroom');
  const isOn = (node: string) => (pod: Pod) => pod.spec.nodeName?.startsWith(node) === true;
  const isRunning = (pod: Pod) => pod.status.phase === 'Running' && pod.metadata.deletionTimestamp === undefined;

  it('may make and remove what it keeps, and nothing near it', async () => {
    const may = [
      'create apps/daemonsets',
      'update apps/daemonsets',
      'delete apps/deployments',
      'watch apps/daemonsets',
    ];
    const mayNot = [
      ...['patch apps/daemonsets', 'patch apps/deployments', 'create apps/statefulsets', 'delete apps/statefulsets'],
      ...['deletecollection apps/deployments', 'create /pods', 'create scheduling.k8s.io/priorityclasses'],
    ];
    expect(await refusedRights(cluster.api, { namespace, name: 'ebb' }, [...may, ...mayNot])).toEqual(mayNot);
  });

  it('has a pod that pulls on each node where pods may run, and pause pods', async () => {
    await within(async () => (await prepulling()).some(isRunning), 'a pod that pulls');
    await within(async () => (await pausing()).filter(isRunning).length === 2, 'two pause pods');
    expect((await prepulling()).every(isOn('gpu'))).toBe(true);
    await cluster.addNodes(1, { prefix: 'gpu', labels: { pool: 'gpu' }, resources: { cpu: '200m' } });
    await within(async () => (await prepulling()).filter(isRunning).length === 2, 'one on the new node');
    expect((await prepulling()).every(isOn('gpu'))).toBe(true);
    const all = [...(await prepulling()), ...(await pausing())];
    expect(all.map(({ spec }) => spec.priority)).toEqual(all.map(() => -10));
  });

  it('makes pods that keep the standard `restricted`', async () => {
    const strict = 'strict';
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await cluster.api.post('/api/v1/namespaces', { metadata: { name: strict, labels } });
    const account = `/api/v1/namespaces/${strict}/serviceaccounts/default`;
    await within(async () => (await cluster.api.send('GET', account)).status === 200, 'the account');
    const tried = async (podSpec: object) => {
      const pod = { metadata: { name: 'tried' }, spec: podSpec };
      const { status, text } = await cluster.api.send('POST', `/api/v1/namespaces/${strict}/pods?dryRun=All`, pod);
      return status === 201 ? 'taken' : text;
    };
    for (const path of [`${daemonSetsPath}/ebb-prepull-model`, `${deploymentsPath}/ebb-headroom-model`]) {
      const { spec } = await cluster.api.get<{ spec: { template: { spec: object } } }>(path);
      expect(await tried(spec.template.spec)).toBe('taken');
    }
    expect(await tried({ containers: [{ name: 'any', image: 'any' }] })).toContain('violates PodSecurity');
  });

  it('gives way to pods of the target at once, and waits for another node', async () => {
    const before = (await pausing()).map(({ metadata }) => metadata.name);
    // Two find room only where a pause pod was.
    triggers.say('model', 20);
    await within(async () => (await pods('app=model')).filter(isRunning).length === 2, 'two pods of the target');
    expect((await pods('app=model')).every(isOn('gpu-'))).toBe(true);
    await within(async () => (await pausing()).filter(({ spec }) => !spec.nodeName).length === 1, 'one that waits');
    expect((await pausing()).filter(({ metadata }) => before.includes(metadata.name)).length).toBeLessThan(2);
    // As a node autoscaler would.
    await cluster.addNodes(1, { prefix: 'gpu', labels: { pool: 'gpu' } });
    await within(async () => (await pausing()).filter(isRunning).length === 2, 'room again');
  });

  it('goes with the annotation, and with the target', async () => {
    const path = `${deploymentsPath}/model`;
    await cluster.api.patch(path, { metadata: { annotations: { 'ebb.dev/prepull': null } } });
    const gone = async (object: string) => (await cluster.api.send('GET', object)).status === 404;
    await within(() => gone(`${daemonSetsPath}/ebb-prepull-model`), 'no DaemonSet');
    expect(await gone(`${deploymentsPath}/ebb-headroom-model`)).toBe(false);
    await cluster.api.delete(path);
    await within(() => gone(`${deploymentsPath}/ebb-headroom-model`), 'no pause pods');
    expect(one?.log.join('\n')).not.toContain('forbidden');
  });
});
