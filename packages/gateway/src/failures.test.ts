import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer, type Socket } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, closedPort, open, portOf, rawConnection, testGateway, testReplica } from '../test/harness.ts';
import { endpointAt, gatewayWorkload } from '../test/workload.ts';

/** A replica on bare TCP: what it says and when it breaks is up to the test. */
async function bareReplica(onRequest: (socket: Socket, nth: number) => void): Promise<number> {
  const sockets = new Set<Socket>();
  let nth = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {
      nth += 1;
      onRequest(socket, nth);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server);
}

describe('a replica that fails', () => {
  it('in the middle of an answer ends the client’s connection, and is reported', async () => {
    for (const head of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      const body = head.startsWith('C') ? 'half' : '4\r\nhalf\r\n';
      const port = await bareReplica((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`, () => socket.destroy());
      });
      const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', port)] })]);
      await expect(ask(gateway.port, '/w')).rejects.toThrow();
      const failed = await gateway.control.until('endpoint-failed');
      expect(failed.replica).toBe('r1');
      const counts = await gateway.control.until('counts', (message) => message.counts[0]?.requests.failed === 1);
      expect(counts.counts[0]?.classes['default']?.inFlight).toBe(0);
    }
  });

  it('in the middle of an answer to HTTP/1.0 resets the connection, whose end would mean success', async () => {
    const port = await bareReplica((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', () => {
        setTimeout(() => socket.destroy(), 20);
      });
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', port)] })]);
    const client = await rawConnection(gateway.port);
    const failure = once(client.socket, 'error');
    client.socket.write('GET /w HTTP/1.0\r\nHost: x\r\n\r\n');
    expect((await failure)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  it('to accept is passed over, and another one answers', async () => {
    const replica = await testReplica((incoming, response) => incoming.pipe(response));
    const gateway = await testGateway([
      gatewayWorkload('w', { endpoints: [endpointAt('dead', await closedPort(), { slots: 8 })] }),
    ]);
    const answers = Array.from({ length: 5 }, (_, index) =>
      ask(gateway.port, '/w', { method: 'POST', body: `b${index}` }),
    );
    const failed = await gateway.control.until('endpoint-failed');
    expect(failed).toMatchObject({ replica: 'dead', message: 'connection refused' });
    await gateway.control.apply(
      gatewayWorkload('w', {
        endpoints: [
          endpointAt('dead', await closedPort(), { slots: 8 }),
          endpointAt('live', replica.port, { slots: 8 }),
        ],
      }),
    );
    const texts = (await Promise.all(answers)).map(({ status, text, headers }) => [
      status,
      text,
      headers['x-ebb-replica'],
    ]);
    expect(texts).toEqual(texts.map((_, index) => [200, `b${index}`, 'live']));
    const counts = await gateway.control.until('counts', (message) => message.counts[0]?.requests.succeeded === 5);
    expect(counts.counts[0]?.requests.failed).toBe(0);
  });

  it('before it answers on a fresh connection is a 502 that names it, and is not asked twice', async () => {
    let asked = 0;
    const port = await bareReplica((socket) => {
      asked += 1;
      socket.destroy();
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', port)] })]);
    const answer = await ask(gateway.port, '/w', { method: 'POST', body: 'x' });
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ code: 'replica-failed', workload: 'local/default/w' });
    expect(answer.json()['detail']).toContain('r1');
    expect(asked).toBe(1);
  });

  it('by closing a kept connection under a request costs nothing', async () => {
    const port = await bareReplica((socket, nth) => {
      // The second request on the kept connection is the one it closes on; the repetition gets an answer.
      if (nth === 2) socket.resetAndDestroy();
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${nth}`);
    });
    const gateway = await testGateway([
      gatewayWorkload('w', { endpoints: [endpointAt('r1', port), endpointAt('r2', port)] }),
    ]);
    const texts: string[] = [];
    for (let round = 0; round < 3; round += 1)
      texts.push((await ask(gateway.port, '/w', { method: 'POST', body: 'x' })).text);
    expect(texts).not.toContain('2');
    expect(texts).toHaveLength(3);
  });

  it('by speaking no HTTP is a 502', async () => {
    const port = await bareReplica((socket) => socket.write('hello there\r\n\r\n'));
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', port)] })]);
    expect((await ask(gateway.port, '/w')).status).toBe(502);
  });

  it('by silence is a 504 that says how long it had', async () => {
    const port = await bareReplica(() => {});
    const gateway = await testGateway([
      gatewayWorkload('w', { timeouts: { responseMs: 50 }, endpoints: [endpointAt('r1', port)] }),
    ]);
    const answer = await ask(gateway.port, '/w');
    expect(answer.status).toBe(504);
    expect(answer.json()).toMatchObject({ code: 'response-timeout' });
    expect(answer.json()['detail']).toContain('50 ms');
  });

  it('by falling silent in its answer breaks the answer off', async () => {
    const port = await bareReplica((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    const gateway = await testGateway([
      gatewayWorkload('w', { timeouts: { idleMs: 60 }, endpoints: [endpointAt('r1', port)] }),
    ]);
    await expect(ask(gateway.port, '/w')).rejects.toThrow();
    await gateway.control.until('counts', (message) => message.counts[0]?.requests.failed === 1);
  });

  it('by taking too long over the whole of it breaks the answer off', async () => {
    const replica = await testReplica((_incoming, response) => {
      const timer = setInterval(() => response.write('.'), 10);
      response.on('close', () => clearInterval(timer));
    });
    const gateway = await testGateway([
      gatewayWorkload('w', { timeouts: { requestMs: 100 }, endpoints: [endpointAt('r1', replica.port)] }),
    ]);
    await expect(ask(gateway.port, '/w')).rejects.toThrow();
    await gateway.control.until('counts', (message) => message.counts[0]?.requests.failed === 1);
  });
});

describe('a slow client', () => {
  it('occupies no replica while its small body comes', async () => {
    const replica = await testReplica((incoming, response) => incoming.pipe(response));
    const gateway = await testGateway([
      gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port, { slots: 1 })] }),
    ]);
    const { outgoing, answer } = open(gateway.port, '/w', { method: 'POST', headers: { 'content-length': '4' } });
    outgoing.write('sl');
    await expect.poll(() => gateway.gateway.memory.usedBytes).toBe(2);
    expect((await ask(gateway.port, '/w', { method: 'POST', body: 'quick' })).text).toBe('quick');
    outgoing.end('ow');
    let text = '';
    for await (const chunk of await answer) text += String(chunk);
    expect(text).toBe('slow');
    expect(gateway.gateway.allCounts()[0]?.requests).toMatchObject({ total: 2, held: 0 });
  });
});

describe('a client that goes away', () => {
  it('while a replica works ends the work', async () => {
    const { promise: gone, resolve: closed } = Promise.withResolvers<void>();
    const replica = await testReplica((_incoming, response) => response.on('close', () => closed()));
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const { outgoing } = open(gateway.port, '/w', { method: 'POST' });
    outgoing.end('x');
    await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.inFlight === 1);
    outgoing.destroy();
    await gone;
    const counts = await gateway.control.until('counts', (message) => message.counts[0]?.requests.cancelled === 1);
    expect(counts.counts[0]?.classes['default']?.inFlight).toBe(0);
  });

  it('while it uploads ends the upload', async () => {
    const { promise: gone, resolve: aborted } = Promise.withResolvers<void>();
    const replica = await testReplica((incoming) => {
      incoming.resume();
      incoming.on('error', () => aborted());
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const { outgoing } = open(gateway.port, '/w', { method: 'POST', headers: { 'content-length': '100000' } });
    outgoing.write('half');
    await expect.poll(() => replica.requests).toBe(1);
    outgoing.destroy();
    await gone;
    await gateway.control.until('counts', (message) => message.counts[0]?.requests.cancelled === 1);
  });
});

describe('what no client should send', () => {
  it.each([
    ['two lengths', 'POST /w HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
    [
      'length and chunks',
      'POST /w HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a folded field', 'GET /w HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n'],
    ['no host', 'GET /w HTTP/1.1\r\n\r\n'],
    ['no HTTP', 'hello\r\n\r\n'],
    ['a target that is no path', 'GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('%s is a 400 and ends the connection', async (_name, text) => {
    const replica = await testReplica((_incoming, response) => response.end('reached'));
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const client = await rawConnection(gateway.port);
    client.socket.write(text);
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 400 /);
    expect(replica.requests).toBe(0);
  });

  it('a head that is too large is a 431', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const client = await rawConnection(gateway.port);
    client.socket.write(`GET /w HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(40_000)}\r\n\r\n`);
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('an absolute target is served by its own host', async () => {
    const replica = await testReplica((incoming, response) => response.end(`${incoming.headers.host} ${incoming.url}`));
    const gateway = await testGateway([
      gatewayWorkload('w', { routes: [{ host: 'models.local' }], endpoints: [endpointAt('r1', replica.port)] }),
    ]);
    const client = await rawConnection(gateway.port);
    client.socket.write('GET http://models.local/a?b HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n');
    await client.closed;
    expect(client.received()).toMatch(/models\.local \/a\?b$/);
  });
});

const noRequests = { total: -1, succeeded: 0, failed: 0, refused: 0, cancelled: 0 };

it('counts nothing in flight or held after any mix of aborts and failures', async () => {
  type Act = 'fine' | 'slow' | 'die-before' | 'die-within' | 'client-leaves' | 'big-upload' | 'waits-in-vain';
  const replica = await testReplica((incoming, response) => {
    const act = incoming.headers['x-act'];
    incoming.resume();
    if (act === 'die-before') incoming.socket.destroy();
    else if (act === 'die-within') {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => incoming.socket.destroy());
    } else if (act === 'fine') response.end('ok');
    else setTimeout(() => response.end('late'), 30);
  });
  const dead = await closedPort();
  const gateway = await testGateway([
    gatewayWorkload('w', {
      timeouts: { holdMs: 400 },
      endpoints: [endpointAt('r1', replica.port, { slots: 3 }), endpointAt('dead', dead, { slots: 1 })],
    }),
  ]);
  const agent = new Agent({ keepAlive: true });
  const act = (kind: Act): Promise<unknown> => {
    const headers = { 'x-act': kind };
    if (kind === 'client-leaves') {
      const { outgoing } = open(gateway.port, '/w', { method: 'POST', headers });
      outgoing.end('x');
      return new Promise((resolve) => {
        outgoing.on('close', resolve);
        outgoing.once('socket', (socket) => {
          if (socket.connecting) socket.once('connect', () => setImmediate(() => outgoing.destroy()));
          else setImmediate(() => outgoing.destroy());
        });
      });
    }
    if (kind === 'big-upload')
      return ask(gateway.port, '/w', { method: 'POST', headers, body: Buffer.alloc(3_000_000) });
    if (kind === 'waits-in-vain') return ask(gateway.port, '/w', { headers: { ...headers, 'x-ebb-deadline-ms': '5' } });
    return ask(gateway.port, '/w', { method: 'POST', headers, body: 'body', agent });
  };
  const kinds = fc.constantFrom<Act>(
    'fine',
    'slow',
    'die-before',
    'die-within',
    'client-leaves',
    'big-upload',
    'waits-in-vain',
  );
  let asked = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(kinds, { minLength: 1, maxLength: 30 }), async (acts) => {
      asked += acts.length;
      await Promise.allSettled(acts.map(act));
      await expect
        .poll(
          () => {
            const counts = gateway.gateway.allCounts()[0];
            const { inFlight, held } = counts?.classes['default'] ?? { inFlight: -1, held: -1 };
            return {
              inFlight,
              held,
              replicas: Object.values(counts?.replicas ?? {}).reduce((sum, one) => sum + one, 0),
            };
          },
          { interval: 5, timeout: 5000 },
        )
        .toEqual({ inFlight: 0, held: 0, replicas: 0 });
      expect(gateway.gateway.memory.usedBytes).toBe(0);
      const { total, succeeded, failed, refused, cancelled } = gateway.gateway.allCounts()[0]?.requests ?? noRequests;
      expect(succeeded + failed + refused + cancelled).toBe(total);
    }),
    { numRuns: 25 },
  );
  // A client that left before its request was read never arrived.
  expect((gateway.gateway.allCounts()[0]?.requests ?? noRequests).total).toBeLessThanOrEqual(asked);
  expect(gateway.logged.filter((line) => line.startsWith('error'))).toEqual([]);
  agent.destroy();
});
