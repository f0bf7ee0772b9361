import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { nowUs } from './monotonic.ts';
import { probe } from './probes.ts';
import { becomeReady } from './startup.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function listen(serve: (socket: Socket) => void, port = 0): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    serve(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

const target = (port: number) => ({ host: '127.0.0.1', port, environment: {}, workingDirectory: '/' });
const limits = { timeoutMs: 200, signal: new AbortController().signal };
const http = { type: 'http', path: '/health', headers: { 'x-probe': 'yes' } } as const;
const answer = (status: string) => (socket: Socket) =>
  void socket.once('data', () => socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`));

describe('an http probe', () => {
  it.each([
    ['200 OK', true, ''],
    ['204 No Content', true, ''],
    ['302 Found', true, ''],
    ['404 Not Found', false, 'GET /health answered 404'],
    ['503 Loading', false, 'GET /health answered 503'],
    ['banana', false, 'GET /health did not answer in HTTP'],
  ])('says of %s: %s', async (status, ok, message) => {
    const port = await listen(answer(status));
    expect(await probe(http, target(port), limits)).toMatchObject({ ok, message });
  });

  it('sends what a server expects, and reads the whole answer so that the server sees no broken pipe', async () => {
    let asked = '';
    let broken: Error | null = null;
    const closed = Promise.withResolvers<void>();
    const port = await listen((socket) => {
      socket.on('error', (error) => (broken = error)).on('close', () => closed.resolve());
      socket.once('data', (data) => {
        asked = data.toString();
        socket.write('HTTP/1.1 2');
        setTimeout(() => socket.end(`00 OK\r\n\r\n${'x'.repeat(20_000)}`), 5);
      });
    });
    expect(await probe(http, target(port), limits)).toMatchObject({ ok: true });
    await closed.promise;
    expect(asked).toBe(
      `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: ebb-probe\r\nAccept: */*\r\nConnection: close\r\nx-probe: yes\r\n\r\n`,
    );
    expect(broken).toBeNull();
  });

  it('ends at its timeout, when it is called off, and where nobody listens', async () => {
    const port = await listen(() => {});
    expect(await probe(http, target(port), { ...limits, timeoutMs: 30 })).toMatchObject({
      ok: false,
      message: 'GET /health: no answer within 30 ms',
    });
    const off = new AbortController();
    const waiting = probe(http, target(port), { timeoutMs: 10_000, signal: off.signal });
    off.abort();
    expect(await waiting).toMatchObject({ ok: false, message: 'called off' });
    expect(await probe(http, target(1), limits)).toMatchObject({ ok: false, message: 'nothing listens on port 1' });
    const injected = { ...http, path: '/ HTTP/1.1\r\nEvil: yes' };
    expect((await probe(injected, target(port), limits)).message).toContain('line break');
  });
});

describe('an exec probe', () => {
  it.each([
    [['/bin/sh', '-c', 'exit 0'], true, ''],
    [['/bin/sh', '-c', 'exit 7'], false, '/bin/sh: exit code 7'],
    [['/bin/sh', '-c', 'sleep 100 & wait'], false, '/bin/sh: not finished within 200 ms'],
    [['/no/such/program'], false, '/no/such/program: spawn /no/such/program ENOENT'],
  ])('says of %j: %s', async (command, ok, message) => {
    expect(await probe({ type: 'exec', command }, target(1), limits)).toEqual({ ok, message });
  });
});

describe('a starting replica', () => {
  const readiness = { action: http, periodMs: 1000, timeoutMs: 500, successThreshold: 1, failureThreshold: 3 };
  const startup = { action: http, timeoutMs: 500, budgetMs: 10_000 };

  async function lateness(listenAfterMs: number): Promise<{ listenUs: number; readyUs: number }> {
    const port = await listen(() => {});
    await new Promise((resolve) => servers.pop()?.close(resolve));
    let listensAtUs = 0;
    let seenAtUs = 0;
    setTimeout(() => void listen(answer('200 OK'), port).then(() => (listensAtUs = nowUs())), listenAfterMs);
    const readyAtUs = await becomeReady({
      probes: { startup, readiness },
      target: target(port),
      signal: limits.signal,
      spawnedAtUs: nowUs(),
      startingCount: () => 1,
      onListening: (atUs) => (seenAtUs = atUs),
      onWaiting: () => {},
    });
    return { listenUs: seenAtUs - listensAtUs, readyUs: (readyAtUs ?? Number.POSITIVE_INFINITY) - listensAtUs };
  }

  // Late by at most 1 % of its own start and a few milliseconds; the best of some, for machines that are busy.
  it.each([3, 40, 300])('that listens after %i ms is seen within a few of them', async (listenAfterMs) => {
    const seen = [];
    for (let round = 0; round < 4; round++) seen.push(await lateness(listenAfterMs));
    expect(Math.min(...seen.map(({ listenUs }) => listenUs))).toBeLessThan(4000 + listenAfterMs * 10);
    expect(Math.min(...seen.map(({ readyUs }) => readyUs))).toBeLessThan(8000 + listenAfterMs * 10);
  });

  it('must pass its startup probe first, when that is another one', async () => {
    const asked: string[] = [];
    const port = await listen((socket) => {
      socket.once('data', (data) => {
        asked.push(String(data).split(' ')[1] ?? '');
        answer(asked.length < 4 ? '503 Loading' : '200 OK')(socket);
        socket.emit('data', '');
      });
    });
    await becomeReady({
      probes: { startup: { ...startup, action: { ...http, path: '/started' } }, readiness },
      target: target(port),
      signal: limits.signal,
      spawnedAtUs: nowUs(),
      startingCount: () => 1,
      onListening: () => {},
      onWaiting: () => {},
    });
    expect(asked).toEqual(['/started', '/started', '/started', '/started', '/health']);
  });

  it('is not waited for once it is called off', async () => {
    const off = new AbortController();
    const port = await listen(answer('503 Loading'));
    const waiting: string[] = [];
    const ready = becomeReady({
      probes: { startup, readiness },
      target: target(port),
      signal: off.signal,
      spawnedAtUs: nowUs(),
      startingCount: () => 1,
      onListening: () => {},
      onWaiting: (message) => {
        waiting.push(message);
        if (waiting.length === 3) off.abort();
      },
    });
    expect(await ready).toBeNull();
    expect(waiting).toEqual(Array(3).fill('GET /health answered 503'));
  });
});
