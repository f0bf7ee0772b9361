import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  available,
  blackHole,
  freePort,
  type NatsService,
  refusedPort,
  startNats,
  until,
} from '../../../testing/src/services/index.ts';
import { describeSource, readOnce, readUntil, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { natsJetStream } from './natsJetStream.ts';

const app = { user: 'app', password: 'app-secret' };
const subjects = ['orders.>'];

function values(
  endpoint: string,
  changes: Record<string, string> = {},
  auth: Record<string, string> = {},
): TriggerValues {
  return {
    metadata: {
      natsServerMonitoringEndpoint: endpoint,
      account: 'APP',
      stream: 'orders',
      consumer: 'worker',
      ...changes,
    },
    auth,
    env: {},
  };
}

async function lagOf(service: NatsService, stream: string, consumer: string): Promise<number> {
  const info = await service.jetStream(`CONSUMER.INFO.${stream}.${consumer}`, undefined, app);
  return Number(info.num_pending) + Number(info.num_ack_pending);
}

function started(): Promise<NatsService> {
  return startNats({
    accounts: [
      { name: 'APP', users: [app] },
      { name: 'OTHER', users: [{ user: 'other', password: 'other-secret' }] },
    ],
  });
}

const messages = (count: number) => Array.from({ length: count }, (_, at) => `m${at}`);

describe.runIf(available('nats'))('the real thing', () => {
  for (const kind of ['polled', 'pushed'] as const) {
    describeSource(`nats-jetstream, ${kind}`, {
      definition: natsJetStream,
      async start() {
        const service = await started();
        const hole = await blackHole();
        await service.createStream('orders', subjects, app);
        await service.createConsumer('orders', 'worker', app);
        await service.createStream('größe', ['löwe.🚀'], app);
        await service.createConsumer('größe', 'spälte', app);
        await service.publish('löwe.🚀', messages(3), app);
        const push: Record<string, string> = kind === 'pushed' ? { natsServer: service.url } : {};
        const auth = kind === 'pushed' ? app : {};
        const endpoint = service.monitoringAddress;
        return {
          values: values(endpoint, push, auth),
          activatesAbove5: values(endpoint, { activationLagThreshold: '5', ...push }, auth),
          async set(count) {
            await service.jetStream('STREAM.PURGE.orders', undefined, app);
            if (count > 0) await service.publish('orders.new', messages(count), app);
          },
          truth: () => lagOf(service, 'orders', 'worker'),
          async snapshot() {
            const { ts: _time, ...stream } = await service.jetStream('STREAM.INFO.orders', undefined, app);
            const { ts: _now, ...consumer } = await service.jetStream('CONSUMER.INFO.orders.worker', undefined, app);
            return { stream, consumer };
          },
          wrongName: { values: values(endpoint, { consumer: 'nobody', ...push }, auth), is: 'not-found' },
          unicode: values(endpoint, { stream: 'größe', consumer: 'spälte', ...push }, auth),
          blackHole: values(hole.address, push, auth),
          refused: values(`127.0.0.1:${await refusedPort()}`, push, auth),
          restart: () => service.restart(),
          ...(kind === 'polled'
            ? {
                async million() {
                  const part = messages(100_000);
                  await service.jetStream('STREAM.PURGE.orders', undefined, app);
                  for (let times = 0; times < 10; times++) await service.publish('orders.new', part, app);
                },
              }
            : {}),
          async close() {
            await hole.stop();
            await service.stop();
          },
        };
      },
    });
  }

  describe('what it counts and what wakes it', () => {
    let service: NatsService;
    beforeAll(async () => {
      service = await started();
      await service.createStream('orders', subjects, app);
      await service.createConsumer('orders', 'worker', app);
    });
    afterAll(() => service?.stop());

    async function using<Result>(
      changes: Record<string, string>,
      auth: Record<string, string>,
      action: (source: ReturnType<typeof openTrigger>, context: ReturnType<typeof testContext>) => Promise<Result>,
      logged?: string[],
    ) {
      const context = testContext({ log: (_level, message) => logged?.push(message) });
      const source = openTrigger(natsJetStream, values(service.monitoringAddress, changes, auth), context);
      try {
        return await action(source, context);
      } finally {
        await source.close();
        expect(context.connections.size).toBe(0);
      }
    }

    it('counts what is delivered and not acknowledged together with what is pending', async () => {
      await service.jetStream('STREAM.PURGE.orders', undefined, app);
      await service.publish('orders.a', messages(10), app);
      const connection = await connect({ servers: service.address, user: app.user, pass: app.password });
      const taken = Promise.withResolvers<void>();
      let count = 0;
      connection.subscribe('inbox.here', { callback: () => void (++count === 4 && taken.resolve()) });
      connection.publish('$JS.API.CONSUMER.MSG.NEXT.orders.worker', JSON.stringify({ batch: 4 }), {
        reply: 'inbox.here',
      });
      await taken.promise;
      await connection.close();
      await using({}, {}, async (source, context) => {
        expect((await readOnce(source, context)).value).toBe(10);
        await service.consume('orders', 'worker', 2, app);
        expect((await readOnce(source, context)).value).toBe(8);
        expect(await lagOf(service, 'orders', 'worker')).toBe(8);
      });
    });

    it.each([
      [{ stream: 'nothing' }, /stream "nothing"/],
      [{ consumer: 'nobody' }, /consumer "nobody"/],
      [{ account: 'NOWHERE' }, /account "NOWHERE"/],
      [{ account: 'OTHER' }, /stream "orders"|account "OTHER"/],
    ])('says what is missing: %j', async (changes, message) => {
      await using(changes, {}, async (source, context) => {
        await expect(readOnce(source, context)).rejects.toMatchObject({
          code: 'not-found',
          message: expect.stringMatching(message),
        });
      });
    });

    it('is woken by a message long before the next round, and asked no more than it must', async () => {
      await using({ natsServer: service.url }, app, async (source, context) => {
        await readOnce(source, context);
        let news = 0;
        let next = Promise.withResolvers<void>();
        const stop = source.watch?.(
          () => {
            news++;
            next.resolve();
          },
          { intervalMs: 3_600_000 },
        );
        await next.promise;
        // It tells when the subscription is there.
        await until(() => news > 1, { withinMs: 20_000, what: () => 'the subscription' });
        // No round is due within this test: only what is pushed can wake it.
        next = Promise.withResolvers<void>();
        await service.publish('orders.y', ['again'], app);
        await next.promise;
        // Also one that falls into the pause behind another.
        for (let times = 0; times < 5; times++) {
          const told = news;
          await service.publish('orders.y', ['quick'], app);
          await until(() => news > told, { withinMs: 20_000, what: () => `wake-up ${times}` });
        }
        const before = news;
        const busyMs = performance.now();
        await service.publish('orders.z', messages(50_000), app);
        expect(news - before).toBeLessThan(5 + (performance.now() - busyMs) / 50);
        stop?.();
      });
    });

    it('goes on in rounds when the client port refuses', async () => {
      const logged: string[] = [];
      await using(
        { natsServer: service.url },
        { user: 'app', password: 'wrong-secret' },
        async (source, context) => {
          await readOnce(source, context);
          let rounds = 0;
          const answers: Promise<unknown>[] = [];
          const stop = source.watch?.(
            () => {
              rounds++;
              answers.push(readOnce(source, context));
            },
            { intervalMs: 20 },
          );
          await until(() => rounds > 5 && logged.length > 0, { withinMs: 30_000, what: () => 'rounds and a warning' });
          stop?.();
          await Promise.all(answers);
        },
        logged,
      );
      expect(logged).toHaveLength(1);
      expect(logged[0]).toMatch(/rounds go on/);
      expect(logged[0]).not.toContain('wrong-secret');
    });
  });

  describe('a cluster', () => {
    const nodes = [1, 2, 3].map((at) => ({ name: `n${at}`, host: `127.0.0.${at}` }));
    const processes = new Map<string, ChildProcess>();
    const folder = mkdtempSync(join(tmpdir(), 'ebb-nats-'));
    let ports: { client: number; route: number; monitor: number };

    function start({ name, host }: { name: string; host: string }): void {
      const config = {
        server_name: name,
        listen: `${host}:${ports.client}`,
        http: `${host}:${ports.monitor}`,
        jetstream: { store_dir: join(folder, name), max_memory_store: 16_777_216 },
        cluster: {
          name: 'c',
          listen: `${host}:${ports.route}`,
          routes: nodes.map((node) => `nats://${node.host}:${ports.route}`),
        },
      };
      const path = join(folder, `${name}.conf`);
      writeFileSync(path, JSON.stringify(config));
      processes.set(name, spawn('nats-server', ['-c', path], { stdio: 'ignore' }));
    }

    async function stop(name: string): Promise<void> {
      const child = processes.get(name);
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }

    // Several servers behind one port need several addresses; all of 127/8 is this machine.
    beforeAll(async () => {
      ports = { client: await freePort(), route: await freePort(), monitor: await freePort() };
      for (const node of nodes) start(node);
    });
    afterAll(async () => {
      for (const { name } of nodes) await stop(name);
      rmSync(folder, { recursive: true, force: true });
    });

    async function api(subject: string, body: unknown): Promise<Record<string, unknown>> {
      const live = nodes.filter(
        ({ name }) => processes.get(name)?.exitCode === null && processes.get(name)?.signalCode === null,
      );
      const connection = await connect({ servers: live.map(({ host }) => `${host}:${ports.client}`), timeout: 2000 });
      try {
        const answer = (await connection.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 5000 })).json<
          Record<string, unknown>
        >();
        if (answer.error) throw new Error(JSON.stringify(answer.error));
        return answer;
      } finally {
        await connection.close();
      }
    }

    async function leaderOf(consumer: string): Promise<string> {
      const { cluster } = await api(`CONSUMER.INFO.orders.${consumer}`, {});
      return (cluster as { leader?: string }).leader ?? '';
    }

    it('finds the server that leads the consumer, also when another one takes over', async () => {
      const replicas = { num_replicas: 3, storage: 'memory' };
      await until(() => api('STREAM.CREATE.orders', { name: 'orders', subjects, ...replicas }).then(() => true), {
        withinMs: 120_000,
        what: () => 'a stream',
      });
      const config = { durable_name: 'worker', ack_policy: 'explicit', ...replicas };
      await until(
        () => api('CONSUMER.DURABLE.CREATE.orders.worker', { stream_name: 'orders', config }).then(() => true),
        { withinMs: 90_000, what: () => 'a consumer' },
      );
      const connection = await connect({ servers: nodes.map(({ host }) => `${host}:${ports.client}`) });
      for (let at = 0; at < 21; at++) await connection.request('orders.x', 'm');
      await connection.close();

      const context = testContext();
      const sources = nodes.map(({ host }) =>
        openTrigger(natsJetStream, values(`${host}:${ports.monitor}`, { account: '$G' }), context),
      );
      for (const source of sources)
        expect((await readUntil(source, context, ({ value }) => value === 21)).value).toBe(21);

      let leader = '';
      await until(async () => (leader = await leaderOf('worker')) !== '', {
        withinMs: 60_000,
        what: () => 'a leader',
      });
      await stop(leader);
      for (const [at, source] of sources.entries()) {
        if (nodes[at]?.name === leader) continue;
        expect((await readUntil(source, context, ({ value }) => value === 21, 90_000)).value).toBe(21);
      }
      await until(async () => (await leaderOf('worker')) !== leader, {
        withinMs: 90_000,
        what: () => 'another leader',
      });
      await Promise.all(sources.map((source) => source.close()));
    });
  });
});
