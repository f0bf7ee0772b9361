import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  available,
  type BlackHole,
  blackHole,
  type KafkaService,
  refusedPort,
  startKafka,
} from '../../../testing/src/services/index.ts';
import type { AnyScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import type { ScalerContext, SourceReading, TriggerSource } from '../contract/source.ts';
import { describeSource, readOnce, readUntil, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { apacheKafka } from './apacheKafka.ts';
import { kafka } from './kafka.ts';
import { KafkaAdmin } from './kafkaAdmin.fixture.ts';

const isAvailable = available('kafka');
/** So high that the bound by partitions is never reached. */
const lagThreshold = '10000000';

interface Bed {
  service: KafkaService;
  admin: KafkaAdmin;
  hole: BlackHole;
}

async function startBed(): Promise<Bed> {
  const [service, hole] = await Promise.all([startKafka({ sasl: true, tls: true }), blackHole()]);
  return { service, hole, admin: new KafkaAdmin(service.bootstrapServers) };
}

async function stopBed(bed: Bed | undefined): Promise<void> {
  await bed?.admin.close();
  await bed?.hole.stop();
  await bed?.service.stop();
}

function values(metadata: Record<string, string>, auth: Record<string, string> = {}): TriggerValues {
  return { metadata: { lagThreshold, ...metadata }, auth, env: {} };
}

if (isAvailable) {
  describeSource('kafka on a real broker, signed in with SCRAM', {
    definition: kafka,
    async start() {
      const bed = await startBed();
      const { service, admin, hole } = bed;
      const [group, topic] = ['workers', 'orders'];
      await admin.createTopic(topic);
      await admin.createTopic('named');
      await admin.produce('named', 5);
      await admin.commit('работники-世界', 'named', 2);
      let committed = 0;
      const metadata = { bootstrapServers: service.listeners.sasl ?? '', consumerGroup: group, topic };
      const auth = { sasl: 'scram_sha512', username: service.user, password: service.password };
      return {
        values: values(metadata, auth),
        activatesAbove5: values({ ...metadata, activationLagThreshold: '5' }, auth),
        async set(count) {
          const end = await admin.end(topic);
          if (end - committed < count) await admin.produce(topic, count - (end - committed));
          committed = Math.max(end, committed + count) - count;
          await admin.commit(group, topic, committed);
        },
        truth: async () => (await service.tools.groupOffsets(group)).reduce((sum, { lag = 0 }) => sum + lag, 0),
        snapshot: () => admin.state(group),
        wrongName: { values: values({ ...metadata, topic: 'nothing' }, auth), is: 'not-found' },
        wrongSignIn: { values: values(metadata, { ...auth, password: 'not-the-password' }), is: 'unauthorized' },
        unicode: values({ ...metadata, consumerGroup: 'работники-世界', topic: 'named' }, auth),
        blackHole: values({ ...metadata, bootstrapServers: hole.address }, auth),
        refused: values({ ...metadata, bootstrapServers: `127.0.0.1:${await refusedPort()}` }, auth),
        restart: () => service.restart(),
        async million() {
          await admin.produce(topic, 1_000_000 - ((await admin.end(topic)) - committed));
        },
        close: () => stopBed(bed),
      };
    },
  });

  describeSource('apache-kafka on a real broker, several topics', {
    definition: apacheKafka,
    async start() {
      const bed = await startBed();
      const { service, admin, hole } = bed;
      const group = 'workers';
      await admin.createTopic('orders');
      await admin.createTopic('returns');
      const metadata = { bootstrapServers: service.bootstrapServers, consumerGroup: group, topic: 'orders,returns' };
      return {
        values: values(metadata),
        activatesAbove5: values({ ...metadata, activationLagThreshold: '5' }),
        async set(count) {
          for (const [topic, lag] of [
            ['orders', Math.floor(count / 3)],
            ['returns', count - Math.floor(count / 3)],
          ] as const) {
            await admin.produce(topic, lag);
            await admin.commit(group, topic, (await admin.end(topic)) - lag);
          }
        },
        truth: async () => (await service.tools.groupOffsets(group)).reduce((sum, { lag = 0 }) => sum + lag, 0),
        snapshot: () => admin.state(group),
        // As in KEDA: a topic that does not exist is none of the group's.
        wrongName: { values: values({ ...metadata, topic: 'nothing' }), is: 0 },
        blackHole: values({ ...metadata, bootstrapServers: hole.address }),
        refused: values({ ...metadata, bootstrapServers: `127.0.0.1:${await refusedPort()}` }),
        close: () => stopBed(bed),
      };
    },
  });
}

describe.runIf(isAvailable)('kafka on a real broker', () => {
  let bed: Bed;
  const opened: { source: TriggerSource; context: ScalerContext }[] = [];
  beforeAll(async () => {
    bed = await startBed();
  });
  afterAll(() => stopBed(bed));

  function open(
    metadata: Record<string, string>,
    {
      auth,
      definition = kafka,
      context = testContext(),
    }: { auth?: Record<string, string>; definition?: AnyScaler; context?: ScalerContext } = {},
  ) {
    const source = openTrigger(
      definition,
      values({ bootstrapServers: bed.service.bootstrapServers, ...metadata }, auth),
      context,
    );
    opened.push({ source, context });
    return { source, context, read: () => readOnce(source, context) };
  }

  async function closeAll(): Promise<void> {
    const all = opened.splice(0);
    await Promise.all(all.map(({ source }) => source.close()));
    for (const { context } of all) expect(context.connections.size).toBe(0);
  }

  /** A topic of its own with this many messages in each partition. */
  async function topicWith(topic: string, messages: readonly number[]): Promise<string> {
    await bed.admin.createTopic(topic, messages.length);
    for (const [partition, count] of messages.entries()) await bed.admin.produce(topic, count, partition);
    return topic;
  }

  it('follows the rules for partitions without a commit', async () => {
    const topic = await topicWith('uncommitted', [4, 5, 6]);
    const valueOf = async (metadata: Record<string, string>) => {
      const { context, source } = open({ consumerGroup: 'fresh', topic, ...metadata });
      // The first question about a group makes the broker set up its store of offsets.
      return (await readUntil(source, context, () => true)).value;
    };
    expect(await valueOf({})).toBe(3);
    expect(await valueOf({ offsetResetPolicy: 'earliest' })).toBe(15);
    expect(await valueOf({ scaleToZeroOnInvalidOffset: 'true' })).toBe(0);
    expect(await valueOf({ offsetResetPolicy: 'earliest', scaleToZeroOnInvalidOffset: 'true' })).toBe(0);
    expect(await valueOf({ offsetResetPolicy: 'earliest', partitionLimitation: '0,2-9' })).toBe(10);
    await closeAll();
  });

  it('bounds the metric by partitions, unless consumers may be idle', async () => {
    const topic = await topicWith('bounded', [100, 0, 0, 0, 0, 0]);
    const group = 'bounded';
    for (const partition of [0, 1, 2, 3, 4, 5]) await bed.admin.commit(group, topic, 0, partition);
    const valueOf = async (metadata: Record<string, string>) =>
      (await open({ consumerGroup: group, topic, lagThreshold: '10', ...metadata }).read()).value;
    expect(await valueOf({})).toBe(60);
    expect(await valueOf({ allowIdleConsumers: 'true' })).toBe(100);
    expect(await valueOf({ limitToPartitionsWithLag: 'true' })).toBe(10);
    expect(await valueOf({ ensureEvenDistributionOfPartitions: 'true', lagThreshold: '30' })).toBe(180);
    await closeAll();
  });

  it('counts all topics of the group where none is named', async () => {
    await topicWith('several-a', [3, 3]);
    await topicWith('several-b', [5]);
    await bed.admin.commit('several', 'several-a', 1);
    await bed.admin.commit('several', 'several-b', 2);
    const { read } = open({ consumerGroup: 'several' });
    // The second partition of the first topic has no commit: it counts 1.
    expect(await read()).toEqual({ value: 2 + 1 + 3, active: true });
    const truth = await bed.service.tools.groupOffsets('several');
    expect(truth.map(({ topic, lag }) => [topic, lag])).toEqual([
      ['several-a', 2],
      ['several-b', 3],
    ]);
    expect(await open({ consumerGroup: 'nobody' }).read()).toMatchObject({
      value: 0,
      active: false,
      message: expect.stringContaining('nothing yet'),
    });
    await closeAll();
  });

  it('tells of missing topics: an error for kafka, a word for apache-kafka', async () => {
    const topic = await topicWith('there', [2]);
    await bed.admin.commit('tells', topic, 0);
    const both = open({ consumerGroup: 'tells', topic: `${topic},not-there` }, { definition: apacheKafka });
    expect(await both.read()).toEqual({
      value: 2,
      active: true,
      message: 'topic not-there does not exist: read as empty',
    });
    await expect(open({ consumerGroup: 'tells', topic: 'not-there' }).read()).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('topic not-there does not exist'),
    });
    await expect(open({ consumerGroup: 'tells', topic: 'no such name' }).read()).rejects.toMatchObject({
      code: 'bad-setting',
    });
    await expect(open({ consumerGroup: 'tells', topic, partitionLimitation: '7' }).read()).rejects.toThrow(
      'has 1 partitions and none of 7',
    );
    expect(await bed.admin.admin.listTopics()).not.toContain('not-there');
    await closeAll();
  });

  it('leaves out partitions whose commit stands still, and wakes for them all the same', async () => {
    const topic = await topicWith('persistent', [8, 8]);
    const group = 'persistent';
    await bed.admin.commit(group, topic, 3, 0);
    await bed.admin.commit(group, topic, 5, 1);
    const { read } = open({ consumerGroup: group, topic, excludePersistentLag: 'true' });
    expect(await read()).toEqual({ value: 8, active: true });
    await bed.admin.commit(group, topic, 6, 1);
    expect(await read()).toEqual({ value: 2, active: true });
    expect(await read()).toEqual({ value: 0, active: true });
    await bed.admin.commit(group, topic, 4, 0);
    expect(await read()).toEqual({ value: 4, active: true });
    await closeAll();
  });

  it('is told of a message long before the next round', async () => {
    const topic = await topicWith('pushed', [0, 0]);
    for (const partition of [0, 1]) await bed.admin.commit('pushed', topic, 0, partition);
    const { source, context } = open({ consumerGroup: 'pushed', topic });
    const heard: (SourceReading | Error | null)[] = [];
    let tell = () => {};
    const news = (count: number) =>
      new Promise<void>((resolve) => {
        tell = () => {
          const last = heard.at(-1);
          if (last && !(last instanceof Error) && last.value === count) resolve();
        };
        tell();
      });
    source.watch?.(
      (one) => {
        heard.push(one);
        tell();
      },
      { intervalMs: 3_600_000 },
    );
    await news(0);
    // The long poll begins after the first round: until it has, only a further message is certain to be told. No round is due
    // within this test.
    for (let count = 1; count <= 10; count++) {
      await bed.admin.produce(topic, 1, count % 2);
      await news(count);
    }
    expect(context.connections.size).toBe(1);
    await closeAll();
  });

  it('is told again after a restart of the broker', async () => {
    const topic = await topicWith('pushed-again', [0]);
    await bed.admin.commit('pushed-again', topic, 0);
    const { source } = open({ consumerGroup: 'pushed-again', topic });
    const told = Promise.withResolvers<void>();
    let isProduced = false;
    // No round is due within this test: only what is pushed can be told.
    source.watch?.((one) => isProduced && one && !(one instanceof Error) && one.value > 0 && told.resolve(), {
      intervalMs: 3_600_000,
    });
    await readUntil(source, testContext(), ({ value }) => value === 0);
    await bed.service.restart();
    isProduced = true;
    await bed.admin.produce(topic, 1);
    await told.promise;
    await closeAll();
  });

  it('shares connections and requests between the triggers of one cluster', async () => {
    const context = testContext();
    const sources = [];
    for (let index = 0; index < 40; index++) {
      const topic = await topicWith(`shared-${index}`, [index]);
      await bed.admin.commit(`shared-${index % 5}`, topic, 0);
      sources.push(open({ consumerGroup: `shared-${index % 5}`, topic }, { context }));
    }
    const readings = await Promise.all(sources.map(({ read }) => read()));
    expect(readings.map(({ value }) => value)).toEqual(Array.from({ length: 40 }, (_, index) => index));
    expect(context.connections.size).toBe(1);
    await closeAll();
  });

  it.each([
    ['plaintext', 'sasl'],
    ['scram_sha256', 'sasl'],
    ['scram_sha512', 'saslTls'],
  ] as const)('signs in with %s on %s', async (sasl, listener) => {
    const topic = await topicWith(`signed-${sasl}`, [2]);
    const { service } = bed;
    const tls: Record<string, string> =
      listener === 'saslTls' ? { tls: 'enable', ca: service.tls?.pem.caCert ?? '' } : {};
    const metadata = {
      bootstrapServers: service.listeners[listener] ?? '',
      consumerGroup: 'signed',
      topic,
      offsetResetPolicy: 'earliest',
    };
    const auth = { sasl, username: service.user, password: service.password, ...tls };
    expect(await open(metadata, { auth }).read()).toEqual({ value: 2, active: true });
    const wrong = open(metadata, { auth: { ...auth, password: 'not-the-password' } });
    const error = await wrong.read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SourceError);
    expect(error).toMatchObject({ code: 'unauthorized' });
    expect(String(error)).not.toContain('not-the-password');
    await closeAll();
  });

  it('checks certificates, unless told not to, and says what is wrong with a listener', async () => {
    const topic = await topicWith('tls', [2]);
    const { listeners, tls } = bed.service;
    const metadata = {
      bootstrapServers: listeners.tls ?? '',
      consumerGroup: 'tls',
      topic,
      offsetResetPolicy: 'earliest',
    };
    const ca = tls?.pem.caCert ?? '';
    expect((await open(metadata, { auth: { tls: 'enable', ca } }).read()).value).toBe(2);
    expect((await open({ ...metadata, tls: 'enable', unsafeSsl: 'true' }).read()).value).toBe(2);
    await expect(open(metadata, { auth: { tls: 'enable' } }).read()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('TLS failed'),
    });
    await expect(open(metadata).read()).rejects.toThrow('set tls to enable');
    await expect(open({ ...metadata, bootstrapServers: listeners.plaintext, tls: 'enable' }).read()).rejects.toThrow(
      'set tls to disable',
    );
    await expect(open({ ...metadata, bootstrapServers: listeners.sasl ?? '' }).read()).rejects.toThrow('wants sasl');
    await closeAll();
  });

  it('finds a broker among bootstrap servers that are silent or gone', async () => {
    const topic = await topicWith('found', [2]);
    const bootstrapServers = `${bed.hole.address},127.0.0.1:${await refusedPort()},${bed.service.bootstrapServers}`;
    const { read } = open({ bootstrapServers, consumerGroup: 'found', topic, offsetResetPolicy: 'earliest' });
    expect((await read()).value).toBe(2);
    await closeAll();
    expect(bed.hole.openConnections()).toBeLessThanOrEqual(1);
  });
});
