import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { yamlValues } from '@ebb/documents';
import {
  available,
  type KafkaService,
  type KubernetesCluster,
  type RabbitMqService,
  type RedisService,
  startKafka,
  startKubernetes,
  startRabbitMq,
  startRedis,
  installKind,
  until,
} from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import type { Transport } from '../client/transport.ts';
import { type JsonObject, isObject, listAt, numberAt, textAt } from '../client/values.ts';
import { installScaledJobs, JobWorkers } from '../fake/jobWorkers.fixture.ts';
import { installKeda } from '../fake/kedaCluster.fixture.ts';
import { runOperator, type StartedOperator } from '../fake/operator.fixture.ts';
import { expectWritten, noteScales, type ScaleWrite } from '../fake/scaleWrites.fixture.ts';
import { signedInTriggers } from '../fake/signedInTriggers.fixture.ts';

const folder = fileURLToPath(new URL('../../fixtures/everyday/', import.meta.url));
const namespaces = ['shop', 'media', 'search', 'team-a', 'team-b', 'batch'];
const plurals: Record<string, string> = {
  Deployment: 'apis/apps/v1|deployments',
  StatefulSet: 'apis/apps/v1|statefulsets',
  Secret: 'api/v1|secrets',
  ScaledObject: 'apis/keda.sh/v1alpha1|scaledobjects',
  ScaledJob: 'apis/keda.sh/v1alpha1|scaledjobs',
  TriggerAuthentication: 'apis/keda.sh/v1alpha1|triggerauthentications',
};

/** They wait most of the time. */
const together = { concurrent: true } as const;

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Files as KEDA's users have them, without a word of Ebb: what is exact here is KEDA's own arithmetic and clocks. */
describe.skipIf(!available('kubernetes') || !available('redis'))('the everyday files of KEDA', () => {
  let cluster: KubernetesCluster;
  let redis: RedisService;
  let kafka: KafkaService | null = null;
  let rabbit: RabbitMqService | null = null;
  let operator: StartedOperator;
  let writes: readonly ScaleWrite[] = [];
  /** Every Job that was made, with those that were refused. */
  let jobPosts = 0;

  beforeAll(async () => {
    [cluster, redis, kafka, rabbit] = await Promise.all([
      startKubernetes(),
      startRedis(),
      available('kafka') ? startKafka() : null,
      available('rabbitmq') ? startRabbitMq() : null,
    ]);
    const { api } = cluster;
    await Promise.all([
      cluster.addNodes(6),
      installKeda(api),
      installScaledJobs(api),
      installKind(api, { group: 'keda.sh', kind: 'TriggerAuthentication' }),
      ...namespaces.map((name) => api.post('/api/v1/namespaces', { metadata: { name } })),
    ]);
    // An operator that finds a kind missing looks again after half a minute.
    const isDiscovered = async () => {
      const known = listAt(await api.get('/apis/keda.sh/v1alpha1'), 'resources').map((one) => textAt(one, 'kind'));
      return ['ScaledObject', 'ScaledJob', 'TriggerAuthentication'].every((kind) => known.includes(kind));
    };
    await until(isDiscovered, { withinMs: 60_000, what: () => "KEDA's kinds in the list of kinds" });
    const { transport, server } = await openCluster({ path: cluster.kubeconfig });
    const noted = noteScales(transport);
    writes = noted.writes;
    operator = await runOperator({
      ...{ server, identity: 'a', triggers: signedInTriggers, transport: countingJobs(noted.transport) },
      leaseMs: 60_000,
    });
    await operator.operator.ready;
  });
  afterAll(async () => {
    await operator?.stop();
    await Promise.all([kafka?.stop(), rabbit?.stop(), redis?.stop()]);
    await cluster?.close();
  });

  function countingJobs(transport: Transport): Transport {
    return {
      ...transport,
      send(request) {
        if (request.method === 'POST' && request.path.endsWith('/jobs')) jobPosts++;
        return transport.send(request);
      },
    };
  }
  /** Every count that was written for `namespace/name`. */
  const written = (key: string) =>
    writes.filter(({ namespace, name }) => `${namespace}/${name}` === key).map(({ count }) => count);
  function pathOf(kind: string, namespace: string, name = ''): string {
    const [group, plural] = (plurals[kind] ?? '').split('|');
    return `/${group}/namespaces/${namespace}/${plural}${name === '' ? '' : `/${name}`}`;
  }
  /** Creates what a file says, at the addresses that the services have here. */
  async function apply(file: string, addresses: Record<string, string>): Promise<void> {
    let text = readFileSync(`${folder}${file}`, 'utf8');
    for (const [there, here] of Object.entries(addresses)) {
      expect(text).toContain(there);
      text = text.replaceAll(there, here);
    }
    for (const document of yamlValues(text).filter(isObject)) {
      const kind = textAt(document, 'kind') ?? '';
      await cluster.api.post(pathOf(kind, textAt(document, 'metadata', 'namespace') ?? ''), document);
    }
  }
  const within = (check: () => Promise<boolean> | boolean, what: string, withinMs = 120_000) =>
    until(check, { withinMs, what: () => `${what}; written ${shown()}\n${operator.log.slice(-25).join('\n')}` });
  const shown = () => writes.map(({ namespace, name, count }) => `${namespace}/${name} ${count}`).join(', ');
  const target = (kind: string, namespace: string, name: string) =>
    cluster.api.get<JsonObject>(pathOf(kind, namespace, name));
  /** The target has that count, and so many pods that are ready. */
  const has = async (kind: string, namespace: string, name: string, count: number) => {
    const found = await target(kind, namespace, name);
    const number = (...path: string[]) => numberAt(found, ...path) ?? 0;
    const counts = [number('spec', 'replicas'), number('status', 'replicas'), number('status', 'readyReplicas')];
    return counts.every((one) => one === count);
  };
  const scaledTo = (key: string, count: number, kind = 'Deployment', withinMs = 120_000) => {
    const [namespace = '', name = ''] = key.split('/');
    return within(() => has(kind, namespace, name, count), `${key} with ${count} ready`, withinMs);
  };
  /** What was written in all, by this operator's word and by the object's generation: nobody else has written. */
  async function wrote(key: string, counts: number[], kind = 'Deployment'): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    await expectWritten(() => written(key), counts);
    expect(numberAt(await target(kind, namespace, name), 'metadata', 'generation')).toBe(1 + counts.length);
  }
  const condition = async (kind: string, namespace: string, name: string, type: string) => {
    const all = listAt(await target(kind, namespace, name), 'status', 'conditions');
    const found = all.find((one) => textAt(one, 'type') === type);
    return `${textAt(found, 'status')} ${textAt(found, 'message')}`;
  };
  const annotate = (namespace: string, name: string, annotations: Record<string, string | null>) =>
    cluster.api.patch(pathOf('ScaledObject', namespace, name), { metadata: { annotations } });
  const fill = (list: string, count: number) => {
    const script = "for i = 1, ARGV[1] do redis.call('rpush', KEYS[1], i) end";
    return redis.cli(['eval', script, '1', list, String(count)]);
  };

  it('Kafka: held by an annotation, scaled by the lag, paused, and down after the cool-down', {
    ...together,
    skip: !available('kafka'),
  }, async () => {
    if (!kafka) throw new Error('no broker');
    const { tools, bootstrapServers } = kafka;
    await tools.createTopic('orders', 6);
    await tools.produce(
      'orders',
      Array.from({ length: 40 }, (_, index) => `order ${index}`),
    );
    await apply('kafka.yaml', { 'kafka.shop.svc:9092': bootstrapServers });
    await scaledTo('shop/orders', 2);
    await within(
      async () => (await condition('ScaledObject', 'shop', 'orders', 'Paused')).startsWith('True'),
      'paused',
    );
    // A lag of 40 is worth eight: the maximum holds.
    await annotate('shop', 'orders', { 'autoscaling.keda.sh/paused-replicas': null });
    await scaledTo('shop/orders', 4);
    await within(
      async () => !(await condition('ScaledObject', 'shop', 'orders', 'Paused')).startsWith('True'),
      'not paused any more',
    );
    await annotate('shop', 'orders', { 'autoscaling.keda.sh/paused': 'true' });
    await within(
      async () => (await condition('ScaledObject', 'shop', 'orders', 'Paused')).startsWith('True'),
      'paused again',
    );
    await tools.commit('orders', 'orders', 'latest');
    await annotate('shop', 'orders', { 'autoscaling.keda.sh/paused': null });
    const resumedMs = performance.now();
    await scaledTo('shop/orders', 0);
    console.log(`kafka: resumed with no lag → 0 after ${Math.round(performance.now() - resumedMs)} ms (cool-down 3 s)`);
    await wrote('shop/orders', [2, 4, 0]);
  });

  it('RabbitMQ: one Job a message, never more than the maximum', {
    ...together,
    skip: !available('rabbitmq'),
  }, async () => {
    if (!rabbit) throw new Error('no broker');
    const broker = rabbit;
    await broker.createQueue('videos');
    const take = async () => {
      const how = { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' };
      await broker.api('POST', 'queues/%2F/videos/get', how);
    };
    const workers = await new JobWorkers({
      ...{ api: cluster.api, workMs: 300, isDedicated: true, beginsUnseen: true },
      begin: take,
      end: async () => 0,
    }).start();
    try {
      await broker.publish(
        'videos',
        Array.from({ length: 12 }, (_, index) => `video ${index}`),
      );
      await apply('rabbitmq.yaml', { 'amqp://guest:guest@rabbitmq.media.svc:5672/': broker.amqpUrl });
      const jobs = async () =>
        (await cluster.api.get<{ items: JsonObject[] }>('/apis/batch/v1/namespaces/media/jobs')).items;
      const complete = async () => (await jobs()).filter((job) => numberAt(job, 'status', 'succeeded') === 1).length;
      await within(async () => (await complete()) >= 12, 'twelve complete');
      await within(async () => (await condition('ScaledJob', 'media', 'encode', 'Active')).startsWith('False'), 'rest');
      expect(await jobs()).toHaveLength(12);
      expect(jobPosts).toBe(12);
      expect(workers.begun).toHaveLength(12);
      expect(workers.most).toBeLessThanOrEqual(5);
      for (const job of await jobs()) {
        expect(textAt(job, 'metadata', 'labels', 'scaledjob.keda.sh/name')).toBe('encode');
        expect(textAt(job, 'metadata', 'labels', 'team')).toBe('media');
      }
    } finally {
      await workers.stop();
    }
  });

  it('a StatefulSet: starts in order, and loses its highest ordinals', together, async () => {
    const outOfOrder: string[] = [];
    const pods = async () => {
      const { items } = await cluster.api.get<{ items: Pod[] }>('/api/v1/namespaces/search/pods');
      const isReady = ({ status }: Pod) =>
        status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
      const names = items.map(({ metadata }) => metadata.name).sort();
      const inOrder = items.map((_, ordinal) => `index-${ordinal}`);
      const waiting = items.filter((pod) => !isReady(pod) && pod.metadata.deletionTimestamp === undefined);
      const isLast = waiting.every(({ metadata }) => metadata.name === inOrder.at(-1));
      if (String(names) !== String(inOrder) || !isLast) outOfOrder.push(`${names}, waiting ${waiting.length}`);
      return names;
    };
    await apply('statefulset.yaml', { 'redis.search.svc:6379': redis.address });
    await within(async () => (await pods()).length === 1, 'the minimum');
    await scaledTo('search/index', 1, 'StatefulSet');
    await fill('documents', 50);
    await within(async () => (await pods()).length === 5, 'five');
    await scaledTo('search/index', 5, 'StatefulSet');
    await redis.cli(['ltrim', 'documents', '0', '14']);
    await within(async () => (await pods()).length === 2, 'two');
    expect(await pods()).toEqual(['index-0', 'index-1']);
    await scaledTo('search/index', 2, 'StatefulSet');
    expect(outOfOrder).toEqual([]);
    await wrote('search/index', [1, 5, 2], 'StatefulSet');
  });

  it('one name in two namespaces: each by its own queue', together, async () => {
    await apply('namespaces.yaml', { 'redis.team-a.svc:6379': redis.address, 'redis.team-b.svc:6379': redis.address });
    await fill('mail-a', 10);
    await scaledTo('team-a/mailer', 1);
    await fill('mail-b', 30);
    await scaledTo('team-b/mailer', 3);
    expect(await has('Deployment', 'team-a', 'mailer', 1)).toBe(true);
    await redis.cli(['del', 'mail-a']);
    await scaledTo('team-a/mailer', 0);
    expect(await has('Deployment', 'team-b', 'mailer', 3)).toBe(true);
    await redis.cli(['del', 'mail-b']);
    await scaledTo('team-b/mailer', 0);
    await wrote('team-a/mailer', [1, 0]);
    await wrote('team-b/mailer', [1, 3, 0]);
  });

  it('five hundred pods, and none', together, async () => {
    await apply('crowd.yaml', { 'redis.batch.svc:6379': redis.address });
    await fill('pieces', 10_000);
    const filledMs = performance.now();
    await within(() => written('batch/crowd').at(-1) === 500, '500 written');
    const writtenMs = performance.now();
    await scaledTo('batch/crowd', 500, 'Deployment', 240_000);
    const readyMs = performance.now();
    await redis.cli(['del', 'pieces']);
    await scaledTo('batch/crowd', 0, 'Deployment', 240_000);
    const took = [writtenMs - filledMs, readyMs - filledMs, performance.now() - readyMs].map(Math.round);
    console.log(
      `10,000 messages → 500 written: ${took[0]} ms, → 500 ready: ${took[1]} ms; empty → 0 pods: ${took[2]} ms`,
    );
    await wrote('batch/crowd', [1, 500, 0]);
  });
});
