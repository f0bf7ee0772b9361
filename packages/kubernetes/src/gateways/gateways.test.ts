import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../client/resources.ts';
import { type FakeCluster, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { Informer } from '../informer/informer.ts';
import type { FoundGateway } from './connection.ts';
import { followGatewayPods, gatewayPodLabels } from './gatewayPods.ts';
import { httpClaimOf, isRouted } from './httpDocuments.ts';
import { LinkSecret, linkSecretName } from './linkSecret.ts';

const namespace = 'ebb-system';
let cluster: FakeCluster;
beforeEach(async () => {
  cluster = await startFakeCluster();
});
afterEach(() => cluster.close());

describe('the secret of the link', () => {
  const open = (value: string) => new LinkSecret({ client: cluster.client, namespace, newSecret: () => value });

  it('is made once, whoever comes first, and kept', async () => {
    const [first, second] = [open('first'), open('second')];
    const secrets = await Promise.all([first.read(), second.read(), open('third').read()]);
    expect(new Set(secrets).size).toBe(1);
    const object = await cluster.client.get(resources.secrets, { namespace, name: linkSecretName });
    expect(object?.body.data).toEqual({ secret: Buffer.from(secrets[0] ?? '').toString('base64') });
  });

  it('is read again after it was replaced', async () => {
    const secret = open('first');
    expect(await secret.read()).toBe('first');
    await cluster.client.delete(resources.secrets, { namespace, name: linkSecretName });
    await open('second').read();
    expect(await secret.read()).toBe('first');
    secret.forget();
    expect(await secret.read()).toBe('second');
  });

  it('has no end of line that a file has: gateways read it without one', async () => {
    const metadata = { name: linkSecretName, namespace };
    const data = { secret: Buffer.from('sesame\n').toString('base64') };
    await cluster.client.create(resources.secrets, { namespace }, { apiVersion: 'v1', kind: 'Secret', metadata, data });
    expect(await open('another').read()).toBe('sesame');
  });
});

describe('gateway pods', () => {
  const pod = (name: string, more: { status?: object; labels?: object; namespace?: string } = {}) => ({
    metadata: { name, namespace: more.namespace ?? namespace, labels: more.labels ?? gatewayPodLabels },
    spec: {
      containers: [
        {
          name: 'gateway',
          ports: [
            { name: 'http', containerPort: 8080 },
            { name: 'link', containerPort: 7071 },
          ],
        },
      ],
    },
    status: more.status ?? { phase: 'Running', podIP: '10.0.0.7' },
  });

  it('are found when they run, and lost when they have ended', async () => {
    const found: FoundGateway[] = [];
    const lost: string[] = [];
    let seen = 0;
    const create = (one: ReturnType<typeof pod>) => cluster.client.create(resources.pods, one.metadata, one);
    await create(pod('a'));
    await create(pod('pending', { status: { phase: 'Pending' } }));
    await create(pod('stranger', { labels: { app: 'web' } }));
    await create(pod('elsewhere', { namespace: 'shop' }));
    const pods = new Informer({ client: cluster.client, resource: resources.pods, namespace: null }).start();
    await pods.synced;
    const events = { found: (one: FoundGateway) => found.push(one), lost: (name: string) => lost.push(name) };
    followGatewayPods({ pods, namespace, onPod: () => seen++, ...events });
    expect(found).toEqual([{ name: 'a', host: '10.0.0.7', port: 7071, isLeaving: false }]);
    expect(seen).toBe(2);
    const until = async (check: () => boolean) => {
      while (!check()) await new Promise((resolve) => setImmediate(resolve));
    };
    await create(pod('b', { status: { phase: 'Failed', podIP: '10.0.0.8' } }));
    await until(() => lost.includes('b'));
    await cluster.client.delete(resources.pods, { namespace, name: 'a' });
    await until(() => lost.includes('a'));
    await pods.close();
  });
});

describe("documents of KEDA's http-add-on", () => {
  const object = (kind: string, name: string, createdAtMs: number, spec: Record<string, unknown>) => ({
    apiVersion: `http.keda.sh/${kind === 'InterceptorRoute' ? 'v1beta1' : 'v1alpha1'}`,
    kind,
    namespace: 'shop',
    name,
    uid: name,
    resourceVersion: '1',
    generation: 1,
    createdAtMs,
    deletedAtMs: null,
    labels: {},
    annotations: {},
    body: { spec },
  });
  const ref = { name: 'web', service: 'web-svc', port: 80 };
  const lists = (...objects: ReturnType<typeof object>[]) => ({
    httpScaledObjects: { list: () => objects.filter(({ kind }) => kind === 'HTTPScaledObject') },
    interceptorRoutes: { list: () => objects.filter(({ kind }) => kind === 'InterceptorRoute') },
  });
  const web = { namespace: 'shop', name: 'web' };

  it('scale what they name, the oldest first, and none that is not valid', () => {
    const documents = lists(
      object('HTTPScaledObject', 'younger', 2, { scaleTargetRef: ref, replicas: { min: 0, max: 3 } }),
      object('HTTPScaledObject', 'broken', 0, { scaleTargetRef: { name: 'web' }, replicas: { min: 'two' } }),
      object('HTTPScaledObject', 'older', 1, { scaleTargetRef: ref, replicas: { min: 0, max: 9 } }),
    );
    expect(httpClaimOf(documents, web)).toMatchObject({ key: { name: 'older' }, maxReplicas: 9 });
    expect(httpClaimOf(documents, { ...web, name: 'other' })).toBeNull();
    expect(httpClaimOf(documents, { ...web, namespace: 'other' })).toBeNull();
  });

  it('route to a workload of the name of their target', () => {
    const documents = lists(
      object('InterceptorRoute', 'route', 1, {
        target: { service: 'web', port: 80 },
        scalingMetric: { concurrency: { targetValue: 1 } },
      }),
    );
    expect(isRouted(documents, web)).toBe(true);
    expect(isRouted(documents, { ...web, name: 'other' })).toBe(false);
    expect(httpClaimOf(documents, web)).toBeNull();
  });

  it('are checked once, however many workloads ask for them', () => {
    let reads = 0;
    const spec = { scaleTargetRef: ref, replicas: { min: 0, max: 3 } };
    const counted = Object.defineProperty(object('HTTPScaledObject', 'counted', 1, spec), 'body', {
      get() {
        reads++;
        return { spec };
      },
    });
    const documents = lists(counted);
    expect(isRouted(documents, web)).toBe(true);
    const before = reads;
    expect(before).toBeGreaterThan(0);
    for (let index = 0; index < 100; index++) expect(isRouted(documents, { ...web, name: `web-${index}` })).toBe(false);
    expect(httpClaimOf(documents, web)).toMatchObject({ maxReplicas: 3 });
    expect(reads).toBe(before);
  });
});
