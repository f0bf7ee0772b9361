import { afterEach, describe, expect, it } from 'vitest';
import { available, type NatsService, startNats } from './index.ts';
import { getPage } from './page.ts';
import { describeServiceLife } from './serviceLife.fixture.ts';

const pendingOf = async (nats: NatsService, credentials?: { user: string; password: string }) => {
  const info = await nats.jetStream('CONSUMER.INFO.orders.worker', undefined, credentials);
  return { pending: info.num_pending, unacknowledged: info.num_ack_pending };
};

describeServiceLife({
  service: 'nats',
  start: () => startNats(),
  write: async (nats) => {
    await nats.createStream('orders', ['orders.*']);
    await nats.createConsumer('orders', 'worker');
    await nats.publish('orders.new', ['a', 'b', 'c']);
    await nats.consume('orders', 'worker', 1);
  },
  read: (nats) => pendingOf(nats),
});

describe.runIf(available('nats'))('nats with accounts and TLS', () => {
  let nats: NatsService | undefined;
  afterEach(() => nats?.stop());

  it('keeps accounts apart and shows each on the monitoring port', async () => {
    const alice = { user: 'alice', password: 'alice-secret' };
    const bob = { user: 'bob', password: 'bob-secret' };
    nats = await startNats({
      accounts: [
        { name: 'A', users: [alice] },
        { name: 'B', users: [bob] },
      ],
    });
    await nats.createStream('orders', ['orders.*'], alice);
    await nats.createConsumer('orders', 'worker', alice);
    await nats.publish('orders.new', ['a', 'two\nlines', 'c'], alice);
    expect(await pendingOf(nats, alice)).toEqual({ pending: 3, unacknowledged: 0 });
    await expect(pendingOf(nats, bob)).rejects.toThrow('stream not found');
    await expect(pendingOf(nats, { ...bob, password: 'wrong' })).rejects.toThrow('Authorization Violation');

    const page = await getPage(`${nats.monitoringUrl}/jsz?acc=A&consumers=true`);
    expect(JSON.parse(page.text).account_details[0].stream_detail[0].consumer_detail[0].num_pending).toBe(3);
  });

  it('speaks https on the monitoring port and plain NATS beside it', async () => {
    nats = await startNats({ monitoringTls: true });
    const page = await getPage(`${nats.monitoringUrl}/varz`, nats.tls ? { tls: nats.tls } : {});
    expect(page.status).toBe(200);
    await expect(getPage(`${nats.monitoringUrl.replace('https', 'http')}/varz`)).resolves.toMatchObject({
      status: 400,
    });
    await nats.createStream('orders', ['orders.*']);
  });
});
