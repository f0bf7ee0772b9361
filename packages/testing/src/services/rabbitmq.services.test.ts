import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { available, type RabbitMqService, startRabbitMq, until } from './index.ts';
import { describeServiceLife } from './serviceLife.fixture.ts';

async function countsOf(rabbit: RabbitMqService, vhost = '/'): Promise<Record<string, string>> {
  const lines = await rabbit.ctl(['list_queues', '-p', vhost, '--no-table-headers', 'name', 'messages']);
  return Object.fromEntries(
    lines
      .trim()
      .split('\n')
      .map((line) => line.split('\t')),
  );
}

describeServiceLife({
  service: 'rabbitmq',
  start: () => startRabbitMq(),
  write: async (rabbit) => {
    await rabbit.createQueue('jobs');
    await rabbit.publish('jobs', ['a', 'b', 'c']);
    await until(async () => (await countsOf(rabbit)).jobs === '3', { withinMs: 60_000, what: () => 'the publication' });
  },
  read: (rabbit) => rabbit.api('GET', 'queues/%2F/jobs').then((queue) => (queue as { name: string }).name),
  // Without confirmations RabbitMQ promises nothing about what it had in memory.
  survivesKill: false,
});

describe.runIf(available('rabbitmq'))('rabbitmq with virtual hosts, users and TLS', () => {
  let rabbit: RabbitMqService;

  beforeAll(async () => {
    rabbit = await startRabbitMq({ tls: true });
  });
  afterAll(() => rabbit?.stop());

  it('keeps a message of a durable queue over a restart', async () => {
    await rabbit.createQueue('kept');
    await rabbit.publish('kept', ['a', 'b']);
    await expect.poll(() => countsOf(rabbit), { timeout: 60_000 }).toEqual({ kept: '2' });
    await rabbit.restart();
    expect(await countsOf(rabbit)).toEqual({ kept: '2' });
  });

  it('tells the same count over the management API', async () => {
    const messages = () =>
      rabbit.api('GET', 'queues/%2F/kept').then((queue) => (queue as { messages?: number }).messages);
    await expect.poll(messages, { timeout: 60_000 }).toBe(2);
  });

  it('keeps virtual hosts and users apart', async () => {
    await rabbit.createVhost('other/one');
    await rabbit.createUser({ name: 'reader', password: 'reader-secret', vhost: 'other/one', tags: 'monitoring' });
    await rabbit.createQueue('jobs', { vhost: 'other/one', queueArguments: { 'x-queue-type': 'quorum' } });
    await rabbit.publish('jobs', ['x'], { vhost: 'other/one' });
    await expect.poll(() => countsOf(rabbit, 'other/one'), { timeout: 60_000 }).toEqual({ jobs: '1' });
    expect(await rabbit.ctl(['list_permissions', '-p', 'other/one'])).toContain('reader');
  });

  it('says what is wrong with a request', async () => {
    await expect(rabbit.api('GET', 'queues/%2F/missing')).rejects.toThrow(/404/);
  });

  it('speaks amqps with a certificate that its authority has signed', async () => {
    const { amqpsPort, host, tls } = rabbit;
    const authorized = await new Promise((resolve, reject) => {
      const socket = connect({ host, port: amqpsPort as number, ca: tls?.pem.caCert as string }, () => {
        resolve(socket.authorized);
        socket.destroy();
      });
      socket.on('error', reject);
    });
    expect(authorized).toBe(true);
  });
});
