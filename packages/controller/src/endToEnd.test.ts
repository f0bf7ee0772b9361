import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Client, connect } from '@ebb/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { BuiltControlPlane, helloDocument, originIn } from './builtSystem.fixture.ts';
import { isRunning } from './processes/awaitEnd.ts';
import { temporaryDirectory } from './temporaryDirectory.fixture.ts';

const inJson = { contentType: 'application/json' } as const;

async function eventually(check: () => unknown): Promise<void> {
  await vi.waitFor(check, { timeout: 20_000, interval: 20 });
}

/** A client, and the certainty that the processes beside the control plane end with the test. */
async function clientOf({ dataDirectory }: BuiltControlPlane): Promise<Client> {
  const client = await connect({ dataDirectory });
  const pids = await processIds(client);
  onTestFinished(() => pids.forEach(killNow));
  return client;
}

/** Ids of gateway, agent and replicas. */
async function processIds(client: Client): Promise<number[]> {
  const { gateway, agent, workloads } = await client.status();
  const replicas = workloads.flatMap(({ replicaList }) => replicaList.map(({ pid }) => pid));
  return [gateway.pid, agent.pid, ...replicas].filter((pid) => pid !== null);
}

function killNow(pid: number): void {
  if (isRunning(pid)) process.kill(pid, 'SIGKILL');
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('the whole of it, as processes', () => {
  it('wakes a workload at zero for its request, lets it go again, and ends with nothing left', async () => {
    const dataDirectory = temporaryDirectory();
    const controlPlane = new BuiltControlPlane(dataDirectory);
    const { apiUrl, gatewayUrl, pid } = await controlPlane.ready();
    const client = await clientOf(controlPlane);
    expect(JSON.parse(readFileSync(join(dataDirectory, 'control.json'), 'utf8'))).toMatchObject({
      pid,
      apiUrl,
      gatewayUrl,
    });
    expect((await fetch(`${apiUrl}/`)).headers.get('content-security-policy')).toContain("default-src 'none'");

    await client.apply(helloDocument({ scaling: { keepAlive: '1s' } }), { ...inJson, origin: originIn(dataDirectory) });
    expect((await client.workloadStatus('hello'))?.replicas).toMatchObject({ ready: 0, wanted: 0 });
    const answer = await fetch(`${gatewayUrl}/hello/there`);
    const served = (await answer.json()) as { pid: number; path: string };
    expect([answer.status, served.path]).toEqual([200, '/hello/there']);
    const { coldStarts, requests } = (await client.workloadStatus('hello')) ?? {};
    expect(coldStarts?.count).toBe(1);
    expect(Object.values(coldStarts?.last ?? {}).every((stage) => stage !== null && stage >= 0)).toBe(true);
    await eventually(async () => expect((await client.workloadStatus('hello'))?.requests.succeeded).toBe(1));
    expect(requests?.failed).toBe(0);

    for await (const event of client.watch()) {
      if (event.type === 'status' && event.status.replicaList.length === 0) break;
    }
    expect(isRunning(served.pid)).toBe(false);
    const lines = [];
    for await (const line of client.logs('hello')) lines.push(line.text);
    expect(lines.join('\n')).toContain('started');

    const through = await client.request('hello', '/hello/again', { method: 'POST', body: 'x' });
    expect(await through.json()).toMatchObject({ path: '/hello/again' });
    const pids = await processIds(client);
    expect(pids).toHaveLength(3);
    await client.shutdown();
    expect(await controlPlane.exitCode()).toBe(0);
    expect(pids.filter(isRunning)).toEqual([]);
    expect(existsSync(join(dataDirectory, 'control.json'))).toBe(false);
    const logs = readdirSync(join(dataDirectory, 'logs'), { withFileTypes: true }).filter((entry) => entry.isFile());
    const words =
      controlPlane.errors + logs.map(({ name }) => readFileSync(join(dataDirectory, 'logs', name), 'utf8')).join('');
    expect(words).toContain('agent ready');
    expect(words).not.toMatch(/hidden-value|ebb_[A-Za-z0-9_-]{20}/);
  });

  it('leaves everything running when it is killed, and takes it up again', async () => {
    const dataDirectory = temporaryDirectory();
    const first = new BuiltControlPlane(dataDirectory);
    const { gatewayUrl } = await first.ready();
    const client = await clientOf(first);
    await client.apply(helloDocument({ scaling: { minReplicas: 1 } }), inJson);
    await eventually(async () => expect((await client.workloadStatus('hello'))?.replicas.ready).toBe(1));
    const ask = async () => ((await (await fetch(`${gatewayUrl}/hello`)).json()) as { pid: number }).pid;
    const replica = await ask();
    const before = await processIds(client);
    onTestFinished(() => before.forEach(killNow));
    const events = client.watch();
    await events.next();

    await first.kill();
    expect(await ask()).toBe(replica);

    const second = new BuiltControlPlane(dataDirectory);
    expect((await second.ready()).gatewayUrl).toBe(gatewayUrl);
    const asking: Promise<number>[] = [];
    for (let index = 0; index < 20; index++) asking.push(ask());
    expect(new Set(await Promise.all(asking))).toEqual(new Set([replica]));
    const again = await clientOf(second);
    expect(await processIds(again)).toEqual(before);
    expect((await again.workloadStatus('hello'))?.replicas).toMatchObject({ ready: 1, starting: 0 });
    // Who watched the first goes on with the second, at its new address.
    await again.apply(helloDocument({ scaling: { minReplicas: 1, maxReplicas: 9 } }), inJson);
    for await (const event of events) if (event.type === 'status' && event.status.maxReplicas === 9) break;

    await again.shutdown();
    expect(await second.exitCode()).toBe(0);
    expect(before.filter(isRunning)).toEqual([]);
  });

  it('starts the gateway and the agent again when they die', async () => {
    const dataDirectory = temporaryDirectory();
    const controlPlane = new BuiltControlPlane(dataDirectory);
    await controlPlane.ready();
    const client = await clientOf(controlPlane);
    await client.apply(helloDocument({ scaling: { minReplicas: 1 } }), inJson);
    await eventually(async () => expect((await client.workloadStatus('hello'))?.replicas.ready).toBe(1));
    const before = await processIds(client);
    for (const pid of before.slice(0, 2)) process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      const { gateway, agent } = await client.status();
      expect([gateway.connected && gateway.pid !== before[0], agent.connected && agent.pid !== before[1]]).toEqual([
        true,
        true,
      ]);
    });
    const after = await processIds(client);
    onTestFinished(() => after.forEach(killNow));
    await eventually(async () => {
      const { gateway } = await client.status();
      expect(await (await fetch(`${gateway.url}/hello`)).json()).toMatchObject({ pid: before[2] });
    });
    controlPlane.child.kill('SIGTERM');
    expect(await controlPlane.exitCode()).toBe(0);
    expect([...before, ...after].filter(isRunning)).toEqual([]);
  });

  it('ends alone when it is asked to leave things running', async () => {
    const dataDirectory = temporaryDirectory();
    const controlPlane = new BuiltControlPlane(dataDirectory);
    await controlPlane.ready();
    const client = await clientOf(controlPlane);
    const pids = await processIds(client);
    await client.shutdown({ leaveRunning: true });
    expect(await controlPlane.exitCode()).toBe(0);
    expect(pids.filter(isRunning)).toEqual(pids);
  });

  it('refuses a second one on the same data folder and says where the first is', async () => {
    const dataDirectory = temporaryDirectory();
    const first = new BuiltControlPlane(dataDirectory);
    const { apiUrl, pid } = await first.ready();
    await clientOf(first);
    const second = new BuiltControlPlane(dataDirectory);
    expect(await second.exitCode()).toBe(4);
    expect(second.errors).toContain(`ebb: another Ebb runs on this data folder: pid ${pid} at ${apiUrl}\n`);
    expect((await fetch(`${apiUrl}/healthz`)).status).toBe(200);
  });
});

describe('what keeps it from starting', () => {
  it.each([
    ['--api-port', /^ebb: port \d+ on 127\.0\.0\.1 is taken.*--api-port/m],
    ['--gateway-port', /^ebb: port \d+ on 127\.0\.0\.1 is taken/m],
  ])('is told in a line when the port of %s is taken', async (flag, line) => {
    const dataDirectory = temporaryDirectory();
    const controlPlane = new BuiltControlPlane(dataDirectory, [flag, String(await takenPort())]);
    expect(await controlPlane.exitCode()).toBe(3);
    expect(controlPlane.errors).toMatch(line);
    const started = [...controlPlane.errors.matchAll(/"pid":(\d+)[^\n]*(?:gateway|agent) started/g)].map(([, pid]) =>
      Number(pid),
    );
    expect(started).toHaveLength(2);
    expect(started.filter(isRunning)).toEqual([]);
  });

  it('is told in a line when the database is damaged', async () => {
    const dataDirectory = temporaryDirectory();
    writeFileSync(join(dataDirectory, 'ebb.db'), 'not a database '.repeat(1000));
    const controlPlane = new BuiltControlPlane(dataDirectory);
    expect(await controlPlane.exitCode()).toBe(5);
    expect(controlPlane.errors).toMatch(/^ebb: .*ebb\.db is damaged or not a database/m);
  });

  it('is told when the data folder is a file, or others may write to it', async () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'file'), '');
    const onFile = new BuiltControlPlane(join(folder, 'file'));
    expect(await onFile.exitCode()).toBe(5);
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    const onOpen = new BuiltControlPlane(join(folder, 'open'));
    expect(await onOpen.exitCode()).toBe(5);
    expect(onOpen.errors).toMatch(/others may write to the data folder/);
  });

  it('is told with the usage when a flag is wrong', async () => {
    const controlPlane = new BuiltControlPlane(temporaryDirectory(), ['--host']);
    expect(await controlPlane.exitCode()).toBe(2);
    expect(controlPlane.errors).toMatch(/^ebb: .*--host.*\nusage: /s);
  });
});
