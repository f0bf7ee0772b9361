import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { FromGateway, GatewayWorkload } from '@ebb/core';
import type { GatewayConnection } from '@ebb/kubernetes';
import { expect, onTestFinished, test } from 'vitest';
import { type ClusterGateway, startClusterGateway } from './clusterGateway.ts';
import { clusterGateways } from './clusterGateways.ts';

const key = 'local/shop/web';
const free = { host: '127.0.0.1', port: 0 };

function workload(port: number | null): GatewayWorkload {
  return {
    key,
    classes: [{ name: 'default', accepts: null }],
    serving: {
      routes: [{ host: 'web.shop', pathPrefix: null, headers: {}, model: null }],
      timeouts: { holdMs: 10_000, responseMs: 10_000, requestMs: 0, idleMs: 0 },
      buffer: { maxRequests: 100, maxBodyBytes: 1_000_000, maxTotalBytes: 1_000_000 },
      balancing: 'leastConnections',
      affinity: null,
      deferrable: null,
      drainMs: 10_000,
    },
    endpoints:
      port === null ? [] : [{ replica: 'r1', class: 'default', host: '127.0.0.1', port, slots: 2, draining: false }],
    unavailable: null,
  };
}

async function start(): Promise<ClusterGateway & { secretFile: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-gateway-'));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 'sesame\n', { mode: 0o600 });
  const gateway = await startClusterGateway({
    name: 'gateway-a',
    serve: free,
    link: { ...free, secretFile },
    health: free,
    log: () => {},
  });
  onTestFinished(async () => {
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...gateway, secretFile };
}

interface Operator {
  readonly connection: GatewayConnection;
  readonly heard: FromGateway[];
  next<Type extends FromGateway['type']>(type: Type): Promise<Extract<FromGateway, { type: Type }>>;
  readonly closed: Promise<string>;
}

async function connect({ link }: ClusterGateway, epoch: number, secret = 'sesame'): Promise<Operator> {
  const connection = await clusterGateways().connect({ ...link, secret, epoch });
  onTestFinished(() => connection.close());
  const heard: FromGateway[] = [];
  let from = 0;
  let wake = () => {};
  connection.onMessage = (message) => {
    heard.push(message);
    wake();
  };
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  connection.onClose = resolve;
  return {
    connection,
    heard,
    closed,
    async next(type) {
      for (;;) {
        const index = heard.findIndex((message, at) => at >= from && message.type === type);
        const found = heard[index];
        if (found) {
          from = index + 1;
          return found as Extract<FromGateway, { type: typeof type }>;
        }
        await new Promise<void>((done) => {
          wake = done;
        });
      }
    },
  };
}

const health = async ({ healthUrl }: ClusterGateway, path = '/healthz') => {
  const answer = await fetch(`${healthUrl}${path}`);
  return { status: answer.status, text: await answer.text() };
};
const ask = (gateway: ClusterGateway) => fetch(gateway.url, { headers: { 'x-ebb-workload': 'shop/web' } });

test('is ready once it was told what there is, and stays so while nobody tells it anything', async () => {
  const gateway = await start();
  expect(await health(gateway)).toEqual({ status: 503, text: 'no operator has said yet what there is\n' });
  const operator = await connect(gateway, 5);
  await operator.next('hello');
  operator.connection.send({ type: 'lead' });
  await operator.next('hello');
  expect((await health(gateway)).status).toBe(503);
  operator.connection.send({ type: 'sync', workloads: [workload(9)], revision: 3 });
  expect(await operator.next('applied')).toMatchObject({ revision: 3 });
  expect((await health(gateway)).status).toBe(200);
  expect((await health(gateway, '/metrics')).text).toContain(key);
  operator.connection.close();
  await operator.closed;
  expect((await health(gateway)).status).toBe(200);
});

test('says to the next operator what it has, and does not listen to the one before', async () => {
  const gateway = await start();
  const older = await connect(gateway, 5);
  older.connection.send({ type: 'lead' });
  older.connection.send({ type: 'sync', workloads: [workload(9)], revision: 1 });
  await older.next('applied');
  const newer = await connect(gateway, 6);
  newer.connection.send({ type: 'lead' });
  await older.closed;
  await newer.next('hello');
  expect(await newer.next('hello')).toMatchObject({ gateway: 'gateway-a', slots: { r1: 2 } });
  const late = await connect(gateway, 5);
  late.connection.send({ type: 'sync', workloads: [], revision: 1 });
  await late.closed;
  expect((await health(gateway, '/metrics')).text).toContain(key);
});

test('talks to nobody who does not know the secret', async () => {
  const gateway = await start();
  await expect(connect(gateway, 9, 'guess')).rejects.toMatchObject({ name: 'LinkRefusedError' });
  writeFileSync(gateway.secretFile, 'another');
  await connect(gateway, 9, 'another');
});

test('holds on to a request when it is to leave, until it is answered', async () => {
  const gateway = await start();
  const operator = await connect(gateway, 5);
  operator.connection.send({ type: 'sync', workloads: [workload(null)], revision: 1 });
  await operator.next('applied');
  const held = ask(gateway);
  await operator.next('wake');
  const left = gateway.leave('the test says so', { noticeMs: 0, graceMs: 10_000 });
  expect(await health(gateway)).toEqual({ status: 503, text: 'it is leaving\n' });
  const replica = createServer((_request, response) => response.end('late')).listen(0, '127.0.0.1');
  await once(replica, 'listening');
  onTestFinished(() => void replica.close());
  operator.connection.send({
    type: 'workload',
    workload: workload((replica.address() as AddressInfo).port),
    revision: 2,
  });
  const answer = await held;
  expect([answer.status, await answer.text()]).toEqual([200, 'late']);
  await left;
  await gateway.stopped;
});

test('breaks off what it carries when its time to leave is over', async () => {
  const gateway = await start();
  const operator = await connect(gateway, 5);
  operator.connection.send({ type: 'sync', workloads: [workload(null)], revision: 1 });
  await operator.next('applied');
  const held = ask(gateway);
  await operator.next('wake');
  await gateway.leave('the test says so', { noticeMs: 0, graceMs: 20 });
  expect((await held).status).toBe(503);
});

test('waits for nothing more once it is stopped while it leaves', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const gateway = await start();
  const before = timers();
  const left = gateway.leave('the test says so', { noticeMs: 60_000, graceMs: 60_000 });
  expect(timers()).toBe(before + 1);
  await gateway.stop();
  await left;
  expect(timers()).toBe(before);
});
