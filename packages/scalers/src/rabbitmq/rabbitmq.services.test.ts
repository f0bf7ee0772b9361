import amqplib from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  available,
  blackHole,
  type RabbitMqService,
  refusedPort,
  startRabbitMq,
  until,
} from '../../../testing/src/services/index.ts';
import {
  describeSource,
  readOnce,
  readUntil,
  soon,
  type SourceUnderTest,
  testContext,
} from '../contract/sourceConformance.fixture.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { rabbitmq } from './rabbitmq.ts';

interface QueueView {
  messages?: number;
}

async function view(service: RabbitMqService, queue: string): Promise<QueueView> {
  return (await service.api('GET', `queues/%2F/${encodeURIComponent(queue)}`)) as QueueView;
}

/** Makes a queue hold `count` messages. */
async function put(service: RabbitMqService, queue: string, count: number): Promise<void> {
  await service.api('DELETE', `queues/%2F/${encodeURIComponent(queue)}/contents`);
  if (count > 0)
    await service.publish(
      queue,
      Array.from({ length: count }, (_, index) => `message ${index}`),
    );
}

/** The same, and waits until the broker's statistics say so. */
async function fill(service: RabbitMqService, queue: string, count: number): Promise<void> {
  await put(service, queue, count);
  await until(async () => (await view(service, queue)).messages === count, {
    withinMs: 60_000,
    what: () => `${count} messages in ${queue}`,
  });
}

async function start(protocol: 'amqp' | 'http'): Promise<SourceUnderTest> {
  const service = await startRabbitMq();
  const hole = await blackHole();
  await service.createQueue('tasks');
  await service.createQueue('Aufträge 任務 🎨');
  await service.publish('Aufträge 任務 🎨', ['1', '2', '3']);
  const url = protocol === 'amqp' ? service.amqpUrl : service.httpUrl;
  const values = (metadata: Record<string, string> = {}, host = url): TriggerValues => ({
    metadata: { queueName: 'tasks', mode: 'QueueLength', value: '10', ...metadata },
    auth: { host },
    env: {},
  });
  const at = (place: string) => `${protocol}://guest:guest@${place}/`;
  return {
    values: values(),
    set: (count) => (protocol === 'amqp' ? put(service, 'tasks', count) : fill(service, 'tasks', count)),
    async truth() {
      const listed = await service.ctl(['list_queues', 'name', 'messages_ready', '--no-table-headers']);
      return Number(/^tasks\s+(\d+)$/m.exec(listed)?.[1]);
    },
    snapshot: () => service.ctl(['list_queues', 'name', 'messages_ready', 'messages_unacknowledged', 'consumers']),
    activatesAbove5: values({ activationValue: '5' }),
    wrongName: { values: values({ queueName: 'no such queue' }), is: 'not-found' },
    wrongSignIn: { values: values({}, url.replace('guest:guest', 'guest:a-wrong-password')), is: 'unauthorized' },
    unicode: values({ queueName: 'Aufträge 任務 🎨' }),
    blackHole: values({}, at(hole.address)),
    refused: values({}, at(`127.0.0.1:${await refusedPort()}`)),
    restart: () => service.restart(),
    close: async () => void (await Promise.all([service.stop(), hole.stop()])),
  };
}

describe.runIf(available('rabbitmq'))('with RabbitMQ', () => {
  describeSource('rabbitmq over AMQP', { definition: rabbitmq, start: () => start('amqp') });
  describeSource('rabbitmq over http', { definition: rabbitmq, start: () => start('http'), newsWithinMs: 30_000 });

  describe('one broker', () => {
    let service: RabbitMqService;
    beforeAll(async () => {
      service = await startRabbitMq({ tls: 'mutual' });
    });
    afterAll(() => service?.stop());

    const open = (
      metadata: Record<string, string>,
      host = service.amqpUrl,
      auth: Record<string, string> = {},
      context = testContext(),
    ) => {
      const source = openTrigger(rabbitmq, { metadata, auth: { host, ...auth }, env: {} }, context);
      return { context, source };
    };

    it('counts ready messages alone over AMQP, and all or ready ones over http', async () => {
      await service.createQueue('unacked');
      await service.publish('unacked', ['1', '2', '3', '4', '5']);
      const connection = await amqplib.connect(service.amqpUrl);
      const channel = await connection.createChannel();
      for (let times = 0; times < 2; times++) await channel.get('unacked');
      const value = async (host: string, metadata: Record<string, string>, expected: number) => {
        const { source, context } = open({ queueName: 'unacked', ...metadata }, host);
        await readUntil(source, context, (reading) => reading.value === expected);
        await source.close();
      };
      await value(service.amqpUrl, {}, 3);
      await value(service.httpUrl, {}, 5);
      await value(service.httpUrl, { excludeUnacknowledged: 'true' }, 3);
      await connection.close();
    });

    it('reads virtual hosts with any name, from the URL and from vhostName, with both protocols', async () => {
      const vhost = 'mö/glich 1';
      await service.createVhost(vhost);
      await service.createQueue('a/b c+d', { vhost });
      const connection = await amqplib.connect(`${service.amqpUrl}${encodeURIComponent(vhost)}`);
      const channel = await connection.createConfirmChannel();
      for (let times = 0; times < 2; times++) channel.sendToQueue('a/b c+d', Buffer.from('x'));
      await channel.waitForConfirms();
      await connection.close();
      for (const root of [service.amqpUrl, service.httpUrl]) {
        for (const [host, more] of [
          [`${root}${encodeURIComponent(vhost)}`, {}],
          [root, { vhostName: vhost }],
        ] as const) {
          const { source, context } = open({ queueName: 'a/b c+d', ...more }, host);
          await readUntil(source, context, ({ value }) => value === 2);
          await source.close();
        }
      }
      const { source, context } = open({ queueName: 'x', vhostName: 'nowhere' });
      await expect(readOnce(source, context)).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringContaining('nowhere'),
      });
      await source.close();
    });

    it('puts the queues that a regular expression matches together', async () => {
      for (const [name, count] of [
        ['image-a', 1],
        ['image-b', 4],
        ['video-a', 9],
      ] as const) {
        await service.createQueue(name);
        await service.publish(
          name,
          Array.from({ length: count }, () => 'x'),
        );
      }
      const regex = { queueName: '^image-.*', useRegex: 'true' };
      for (const [operation, expected] of [
        ['sum', 5],
        ['avg', 2],
        ['max', 4],
      ] as const) {
        const { source, context } = open({ ...regex, operation }, service.httpUrl);
        await readUntil(source, context, ({ value }) => value === expected);
        await source.close();
      }
      const { source, context } = open({ ...regex, pageSize: '1' }, service.httpUrl);
      await expect(readOnce(source, context)).rejects.toMatchObject({ code: 'bad-setting' });
      await source.close();
      const none = open({ ...regex, queueName: '^nothing$' }, service.httpUrl);
      expect(await readOnce(none.source, none.context)).toEqual({ value: 0, active: false });
      await none.source.close();
    });

    it('reads rates', async () => {
      await service.createQueue('rates');
      const rate = open({ queueName: 'rates', mode: 'MessageRate', value: '1' }, service.httpUrl);
      const ratio = open(
        { queueName: 'rates', mode: 'PublishedToDeliveredRatio', value: '1', activationValue: '3' },
        service.httpUrl,
      );
      // The broker knows a rate from the second of its rounds on in which something was published.
      await until(
        async () => {
          await service.publish('rates', ['1', '2', '3']);
          const { value } = await readOnce(rate.source, rate.context);
          const published = await readOnce(ratio.source, ratio.context);
          return value > 0 && published.value === 3 && published.active;
        },
        { withinMs: 90_000, what: () => 'rates' },
      );
      await Promise.all([rate.source.close(), ratio.source.close()]);
    });

    it('signs in with a client certificate, and says what is wrong with the authority', async () => {
      await service.createQueue('tls');
      await service.publish('tls', ['1']);
      const {
        caCert: ca,
        clientCert: cert,
        clientKey: key,
      } = service.tls?.pem ?? { caCert: '', clientCert: '', clientKey: '' };
      const host = `amqps://guest:guest@localhost:${service.amqpsPort}/`;
      const right = open({ queueName: 'tls' }, host, { tls: 'enable', ca, cert, key });
      expect((await readOnce(right.source, right.context)).value).toBe(1);
      await right.source.close();
      const wrong = open({ queueName: 'tls' }, host);
      await expect(readOnce(wrong.source, wrong.context)).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('TLS'),
      });
      await wrong.source.close();
    });

    it('needs no permission over AMQP', async () => {
      await service.createQueue('guarded');
      await service.publish('guarded', ['1', '2']);
      await service.createUser({ name: 'looker', password: 'looker-secret' });
      await service.api('PUT', 'permissions/%2F/looker', { configure: '', write: '', read: '' });
      const { source, context } = open({ queueName: 'guarded' }, service.amqpUrl, {
        username: 'looker',
        password: 'looker-secret',
      });
      expect((await readOnce(source, context)).value).toBe(2);
      await source.close();
    });

    it('one missing queue hurts no other on the same connection, and is found once it is there', async () => {
      const context = testContext();
      const names = ['late', 'there-1', 'there-2'];
      for (const name of names.slice(1)) await service.createQueue(name);
      const sources = names.map((queueName) =>
        openTrigger(rabbitmq, { metadata: { queueName }, auth: { host: service.amqpUrl }, env: {} }, context),
      );
      const [late, ...others] = sources;
      const heard = Promise.withResolvers<void>();
      let isRefused = false;
      const errors: Error[] = [];
      const stops = [
        late?.watch?.(
          (news) => {
            if (news instanceof Error) isRefused = true;
            else if (news && isRefused) heard.resolve();
          },
          { intervalMs: 100 },
        ),
        ...others.map((one) =>
          one.watch?.((news) => void (news instanceof Error && errors.push(news)), { intervalMs: 100 }),
        ),
      ];
      await until(() => isRefused, { withinMs: 20_000, what: () => 'the refusal' });
      await service.createQueue('late');
      await heard.promise;
      expect(errors).toEqual([]);
      expect(context.connections.size).toBe(1);
      for (const stop of stops) stop?.();
      await Promise.all(sources.map((source) => source.close()));
      expect(context.connections.size).toBe(0);
    });

    it('reads a hundred thousand messages as quickly as one, and many queues together', async () => {
      const connection = await amqplib.connect(service.amqpUrl);
      const channel = await connection.createConfirmChannel();
      for (let index = 0; index < 200; index++) await channel.assertQueue(`many-${index}`);
      for (let index = 0; index < 100_000; index++) channel.sendToQueue('many-7', Buffer.from('x'));
      await channel.waitForConfirms();
      await connection.close();
      const context = testContext();
      for (const host of [service.amqpUrl, service.httpUrl]) {
        const sources = Array.from({ length: 200 }, (_, index) =>
          openTrigger(rabbitmq, { metadata: { queueName: `many-${index}` }, auth: { host }, env: {} }, context),
        );
        await until(
          async () => {
            const readings = await Promise.all(sources.map((source) => readOnce(source, context)));
            return readings.every(({ value }, index) => value === (index === 7 ? 100_000 : 0));
          },
          { withinMs: 90_000, what: () => 'the lengths' },
        );
        await Promise.all(sources.map((source) => source.close()));
      }
      expect(context.connections.size).toBe(0);
    });

    it('gives up on a broker that hangs, and goes on when it is back', async () => {
      await service.createQueue('hangs');
      const { source, context } = open({ queueName: 'hangs' }, service.amqpUrl, {}, testContext(soon));
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
});
