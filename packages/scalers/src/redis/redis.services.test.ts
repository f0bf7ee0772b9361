import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  available,
  blackHole,
  type RedisService,
  refusedPort,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  until,
} from '../../../testing/src/services/index.ts';
import type { AnyScaler } from '../contract/definition.ts';
import {
  describeSource,
  readOnce,
  readUntil,
  soon,
  type SourceUnderTest,
  testContext,
} from '../contract/sourceConformance.fixture.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { hashSlot } from './hashSlot.ts';
import { redis, redisCluster, redisSentinel } from './lists.ts';
import { redisClusterStreams, redisSentinelStreams, redisStreams } from './streams.ts';

const password = 'correct horse';
const unicode = 'Aufträge 任務 🎨';

type Cli = (args: readonly string[]) => Promise<string>;

interface Plan {
  metadata: Record<string, string>;
  /** Name of the key in the metadata, and of the activation value. */
  names: { key: string; activation: string };
  /** Commands that make the key hold `count`. */
  set(cli: Cli, count: number): Promise<void>;
  truth(cli: Cli): Promise<number>;
  /** A key with this name holds 3. */
  unicode?(cli: Cli): Promise<void>;
  wrongName: SourceUnderTest['wrongName'] extends infer Wrong ? (Wrong extends { is: infer Is } ? Is : never) : never;
}

const elements = (count: number) => Array.from({ length: count }, (_, index) => `e${index}`);

const list: Plan = {
  metadata: { listName: 'jobs', listLength: '10' },
  names: { key: 'listName', activation: 'activationListLength' },
  async set(cli, count) {
    await cli(['del', 'jobs']);
    if (count > 0) await cli(['rpush', 'jobs', ...elements(count)]);
  },
  truth: async (cli) => Number(await cli(['llen', 'jobs'])),
  unicode: async (cli) => void (await cli(['rpush', unicode, 'a', 'b', 'c'])),
  wrongName: 0,
};

async function add(cli: Cli, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await cli(['xadd', 'requests', '*', 'prompt', `p${index}`]);
}

const stream: Plan = {
  metadata: { stream: 'requests', streamLength: '10' },
  names: { key: 'stream', activation: 'activationLagCount' },
  async set(cli, count) {
    await cli(['del', 'requests']);
    await add(cli, count);
  },
  truth: async (cli) => Number(await cli(['xlen', 'requests'])),
  wrongName: 0,
};

const pending: Plan = {
  ...stream,
  metadata: { stream: 'requests', consumerGroup: 'workers', pendingEntriesCount: '10' },
  async set(cli, count) {
    await stream.set(cli, count);
    await cli(['xgroup', 'create', 'requests', 'workers', '0', 'MKSTREAM']);
    if (count > 0) await cli(['xreadgroup', 'GROUP', 'workers', 'c1', 'COUNT', `${count}`, 'STREAMS', 'requests', '>']);
  },
  truth: async (cli) => Number((await cli(['xpending', 'requests', 'workers'])).split('\n')[0]),
  wrongName: 'not-found',
};

const lag: Plan = {
  ...stream,
  metadata: { stream: 'requests', consumerGroup: 'workers', lagCount: '10' },
  async set(cli, count) {
    const exists = (await cli(['exists', 'requests'])).trim() === '1';
    if (!exists) await cli(['xgroup', 'create', 'requests', 'workers', '0', 'MKSTREAM']);
    await cli(['xreadgroup', 'GROUP', 'workers', 'c1', 'COUNT', '1000', 'STREAMS', 'requests', '>']);
    await add(cli, count);
  },
  truth: async (cli) => {
    const rows = (await cli(['xinfo', 'groups', 'requests'])).split('\n');
    return Number(rows[rows.indexOf('lag') + 1]);
  },
};

interface Place {
  address: string;
  metadata?: Record<string, string>;
  cli: Cli;
  service?: RedisService;
  million?(): Promise<void>;
  stop(): Promise<void>;
}

function suite(definition: AnyScaler, plan: Plan, place: () => Promise<Place>) {
  return {
    definition,
    counts: [0, 1, 7, 30],
    async start(): Promise<SourceUnderTest> {
      const at = await place();
      const hole = await blackHole();
      await plan.unicode?.(at.cli);
      const values = (metadata: Record<string, string> = {}, auth: Record<string, string> = {}): TriggerValues => ({
        metadata: { ...plan.metadata, address: at.address, ...at.metadata, ...metadata },
        auth: { password, ...auth },
        env: {},
      });
      return {
        values: values(),
        set: (count) => plan.set(at.cli, count),
        truth: () => plan.truth(at.cli),
        ...(at.million
          ? { snapshot: async () => `${await at.cli(['debug', 'digest'])} ${await at.cli(['config', 'get', '*'])}` }
          : {}),
        activatesAbove5: values({ [plan.names.activation]: '5' }),
        wrongName: { values: values({ [plan.names.key]: 'no such key' }), is: plan.wrongName },
        wrongSignIn: { values: values({}, { password: 'a-wrong-password' }), is: 'unauthorized' },
        ...(plan.unicode ? { unicode: values({ [plan.names.key]: unicode }) } : {}),
        blackHole: values({ address: hole.address }),
        refused: values({ address: `127.0.0.1:${await refusedPort()}` }),
        ...(at.service ? { restart: () => at.service?.restart() ?? Promise.resolve() } : {}),
        ...(at.million && plan.unicode ? { million: at.million } : {}),
        close: async () => void (await Promise.all([at.stop(), hole.stop()])),
      };
    },
  };
}

async function single(notifyKeyspaceEvents = ''): Promise<Place> {
  const service = await startRedis({
    requirePass: password,
    notifyKeyspaceEvents,
    config: ['enable-debug-command yes'],
  });
  return {
    address: service.address,
    cli: (args) => service.cli(args),
    service,
    async million() {
      await service.cli(['del', 'jobs']);
      await service.cli(['eval', "for i = 1, 1000000 do redis.call('RPUSH', KEYS[1], i) end", '1', 'jobs']);
    },
    stop: () => service.stop(),
  };
}

async function cluster(): Promise<Place> {
  const nodes = await startRedisCluster({ requirePass: password });
  return { address: nodes.addresses, cli: (args) => nodes.cli(args), stop: () => nodes.stop() };
}

async function sentinel(): Promise<Place> {
  const both = await startRedisSentinel({ requirePass: password, sentinelPass: 'sentinel-secret' });
  return {
    address: both.sentinel.address,
    metadata: { sentinelMaster: both.masterName, sentinelPassword: 'sentinel-secret' },
    cli: (args) => both.master.cli(args),
    service: both.master,
    stop: () => both.stop(),
  };
}

describe.runIf(available('redis'))('with Redis', () => {
  describeSource(
    'redis',
    suite(redis, list, () => single()),
  );
  describeSource(
    'redis with keyspace notifications',
    suite(redis, list, () => single('KEA')),
  );
  describeSource(
    'redis-streams, length',
    suite(redisStreams, stream, () => single()),
  );
  describeSource(
    'redis-streams, pending entries',
    suite(redisStreams, pending, () => single()),
  );
  describeSource(
    'redis-streams, lag',
    suite(redisStreams, lag, () => single()),
  );
  describeSource('redis-cluster', suite(redisCluster, list, cluster));
  describeSource('redis-cluster-streams', suite(redisClusterStreams, stream, cluster));
  describeSource('redis-sentinel', suite(redisSentinel, list, sentinel));
  describeSource('redis-sentinel-streams', suite(redisSentinelStreams, stream, sentinel));

  describe('one server', () => {
    let service: RedisService;
    let client: Redis;
    beforeAll(async () => {
      service = await startRedis({
        aclUsers: [
          {
            name: 'plain',
            password: 'plain-secret',
            rules: '~* resetchannels +llen +scard +zcard +hlen +xlen +xpending +xinfo|groups',
          },
          { name: 'jobs', password: 'jobs-secret', rules: '~jobs* resetchannels +@all -config -xread' },
        ],
        notifyKeyspaceEvents: 'KEA',
      });
      client = new Redis(service.url);
    });
    afterAll(async () => {
      client?.disconnect();
      await service?.stop();
    });

    const open = (
      definition: AnyScaler,
      metadata: Record<string, string>,
      auth: Record<string, string> = {},
      context = testContext(),
    ) => {
      const source = openTrigger(
        definition,
        { metadata: { address: service.address, ...metadata }, auth, env: {} },
        context,
      );
      return { context, source, value: async () => (await readOnce(source, context)).value };
    };

    it('counts by the type of the key, for every account that may ask', async () => {
      await client.rpush('jobs-list', 'a', 'b');
      await client.sadd('jobs-set', 'a', 'b', 'c');
      await client.zadd('jobs-zset', 1, 'a', 2, 'b', 3, 'c', 4, 'd');
      await client.hset('jobs-hash', { a: 1, b: 2, c: 3, d: 4, e: 5 });
      await client.set('jobs-text', 'x');
      const accounts: Record<string, string>[] = [
        {},
        { username: 'plain', password: 'plain-secret' },
        { username: 'jobs', password: 'jobs-secret' },
      ];
      for (const auth of accounts) {
        const context = testContext();
        const names = ['jobs-list', 'jobs-set', 'jobs-zset', 'jobs-hash', 'jobs-none'];
        const sources = names.map((listName) => open(redis, { listName }, auth, context));
        const wrong = open(redis, { listName: 'jobs-text' }, auth, context);
        for (let times = 0; times < 2; times++) {
          const values = await Promise.all([
            ...sources.map(({ value }) => value()),
            wrong.value().catch((error: unknown) => error),
          ]);
          expect(values.slice(0, 5)).toEqual([2, 3, 4, 5, 0]);
          expect(values[5]).toMatchObject({ code: 'bad-answer' });
        }
        await Promise.all([...sources, wrong].map(({ source }) => source.close()));
        expect(context.connections.size).toBe(0);
      }
    });

    it('one key that is out of bounds hurts no other on the same connection', async () => {
      const auth = { username: 'jobs', password: 'jobs-secret' };
      const context = testContext();
      const allowed = open(redis, { listName: 'jobs-list' }, auth, context);
      const other = open(redis, { listName: 'other' }, auth, context);
      const answers = await Promise.all([allowed.value(), other.value().catch((error: unknown) => error)]);
      expect(answers).toEqual([2, expect.objectContaining({ code: 'unauthorized' })]);
      await Promise.all([allowed.source.close(), other.source.close()]);
    });

    it('reads the lag of a group by all its rules, for every account that may ask', async () => {
      const { value, source } = open(redisStreams, { stream: 'rules', consumerGroup: 'g', lagCount: '1' });
      const plain = open(
        redisStreams,
        { stream: 'rules', consumerGroup: 'g', lagCount: '1' },
        { username: 'plain', password: 'plain-secret' },
      );
      const both = async (expected: number) =>
        expect([await value(), await plain.value()]).toEqual([expected, expected]);
      await both(0);
      for (let index = 1; index <= 4; index++) await client.xadd('rules', `${index}-0`, 'n', index);
      // The group is not there yet: its first consumer would get everything.
      await both(4);
      await client.xgroup('CREATE', 'rules', 'g', '0');
      await both(4);
      await client.xreadgroup('GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', 'rules', '>');
      await both(3);
      await client.xdel('rules', '3-0');
      const reading = await readOnce(source, testContext());
      expect(reading).toMatchObject({ value: 2, message: expect.stringContaining('deletions') });
      await Promise.all([source.close(), plain.source.close()]);
    });

    it.each([
      [
        'a list, by notifications',
        redis,
        { listName: 'pushed' },
        () => client.rpush('pushed', 'x'),
        () => client.del('pushed'),
      ],
      [
        'a set, by notifications',
        redis,
        { listName: 'pushed-set' },
        () => client.sadd('pushed-set', 'x'),
        () => client.del('pushed-set'),
      ],
      [
        'a stream, by XREAD',
        redisStreams,
        { stream: 'pushed-stream' },
        () => client.xadd('pushed-stream', '*', 'a', 'b'),
        () => client.del('pushed-stream'),
      ],
    ] as const)('hears of %s at once, long before it would ask', async (_name, definition, metadata, put, clear) => {
      const { source, context } = open(definition, metadata);
      // So long that a busy machine is quicker: what is heard three times within a third of it is not what a round has found.
      const intervalMs = 1800;
      const values: number[] = [];
      const heard: { value: number; resolve(): void }[] = [];
      const stop = source.watch?.(
        (news) => {
          if (!news || news instanceof Error) return;
          values.push(news.value);
          heard.find(({ value }) => value === news.value)?.resolve();
        },
        { intervalMs },
      );
      const next = (value: number) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        heard.splice(0, 1, { value, resolve });
        return promise;
      };
      await until(() => values[0] === 0, { withinMs: 20_000, what: () => 'the first reading' });
      const isHeard = async () => {
        const clients = String(await client.client('LIST'));
        return /cmd=xread/.test(clients) || /\bsub=1\b/.test(clients);
      };
      for (let times = 0; times < 3; times++) {
        await until(isHeard, { withinMs: 20_000, what: () => 'listening' });
        const full = next(1);
        const startedMs = performance.now();
        await put();
        await full;
        expect(performance.now() - startedMs).toBeLessThan(intervalMs / 3);
        const empty = next(0);
        await clear();
        await empty;
      }
      stop?.();
      await source.close();
      expect(context.connections.size).toBe(0);
      // Nothing of ours is left at the server.
      await until(async () => !String(await client.client('LIST')).includes('name=ebb'), {
        withinMs: 20_000,
        what: () => 'the end of all connections',
      });
    });

    it('polls an account that may neither see the setting nor wait', async () => {
      const auth = { username: 'plain', password: 'plain-secret' };
      for (const [definition, metadata, put] of [
        [redis, { listName: 'polled' }, () => client.rpush('polled', 'x')],
        [redisStreams, { stream: 'polled-stream' }, () => client.xadd('polled-stream', '*', 'a', 'b')],
      ] as const) {
        const { source } = open(definition, metadata, auth);
        const zero = Promise.withResolvers<void>();
        const one = Promise.withResolvers<void>();
        const stop = source.watch?.(
          (news) => {
            if (!news || news instanceof Error) return;
            (news.value === 1 ? one : zero).resolve();
          },
          { intervalMs: 50 },
        );
        await zero.promise;
        await put();
        await one.promise;
        stop?.();
        await source.close();
      }
    });

    it('says that a cluster needs the other type, and which database there is not', async () => {
      const nodes = await startRedisCluster();
      try {
        const context = testContext();
        const metadata = { address: nodes.addresses.split(',')[0] ?? '' };
        const sources = ['a', 'b', 'c', 'd', 'e', 'f'].map((listName) =>
          open(redis, { ...metadata, listName }, {}, context),
        );
        const answers = await Promise.allSettled(sources.map(({ value }) => value()));
        expect(answers.map((answer) => (answer.status === 'rejected' ? String(answer.reason) : ''))).toContainEqual(
          expect.stringContaining('redis-cluster'),
        );
        await Promise.all(sources.map(({ source }) => source.close()));
        for (const key of ['a', 'jobs', unicode, '{user1}.x', 'x{}y', 'a{b}{c}']) {
          expect(hashSlot(key)).toBe(Number(await nodes.cli(['cluster', 'keyslot', key])));
        }
        const many = testContext();
        const spread = Array.from({ length: 50 }, (_, index) => `k${index}`);
        for (const [index, key] of spread.entries()) if (index > 0) await nodes.cli(['rpush', key, ...elements(index)]);
        const all = spread.map((listName) => open(redisCluster, { listName, address: nodes.addresses }, {}, many));
        expect(await Promise.all(all.map(({ value }) => value()))).toEqual(spread.map((_, index) => index));
        await Promise.all(all.map(({ source }) => source.close()));
      } finally {
        await nodes.stop();
      }
      const { value, source } = open(redis, { listName: 'x', databaseIndex: '99' });
      await expect(value()).rejects.toMatchObject({ code: 'bad-setting' });
      await source.close();
    });

    it('reads another database, and notices changes there', async () => {
      const other = new Redis(service.url, { db: 3 });
      await other.rpush('elsewhere', 'a', 'b');
      const { source, context } = open(redis, { listName: 'elsewhere', databaseIndex: '3' });
      await readUntil(source, context, ({ value }) => value === 2);
      await source.close();
      other.disconnect();
    });

    it('gives up on a server that hangs, and goes on when it is back', async () => {
      const { source, context } = open(redis, { listName: 'hangs' }, {}, testContext(soon));
      expect((await readOnce(source, context)).value).toBe(0);
      service.pause();
      try {
        await expect(readOnce(source, context)).rejects.toMatchObject({ code: 'timeout' });
      } finally {
        service.resume();
      }
      await readUntil(source, context, ({ value }) => value === 0);
      await source.close();
    });
  });

  it('speaks TLS with a client certificate', async () => {
    const service = await startRedis({ tls: 'mutual' });
    try {
      await service.cli(['rpush', 'jobs', 'a']);
      const {
        caCert: ca,
        clientCert: cert,
        clientKey: key,
      } = service.tls?.pem ?? { caCert: '', clientCert: '', clientKey: '' };
      const metadata = { address: `localhost:${service.port}`, listName: 'jobs' };
      const context = testContext();
      const right = openTrigger(redis, { metadata, auth: { tls: 'enable', ca, cert, key }, env: {} }, context);
      expect((await readOnce(right, context)).value).toBe(1);
      const wrong = openTrigger(
        redis,
        { metadata: { ...metadata, enableTLS: 'true' }, auth: { cert, key }, env: {} },
        context,
      );
      await expect(readOnce(wrong, context)).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('TLS'),
      });
      await Promise.all([right.close(), wrong.close()]);
    } finally {
      await service.stop();
    }
  });
});
