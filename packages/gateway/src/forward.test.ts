import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, open, portOf, rawConnection, testGateway, testReplica } from '../test/harness.ts';
import { endpointAt, gatewayWorkload } from '../test/workload.ts';

describe('an answer', () => {
  it('streams: each chunk arrives before the next one is sent', async () => {
    const send: ((text: string | null) => void)[] = [];
    const replica = await testReplica((_incoming, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      send.push((text) => (text === null ? response.end() : response.write(`data: ${text}\n\n`)));
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const { outgoing, answer } = open(gateway.port, '/w');
    outgoing.end();
    const message = await answer;
    message.setEncoding('utf8');
    expect(message.headers['content-type']).toBe('text/event-stream');
    for (let index = 0; index < 20; index += 1) {
      const chunk = once(message, 'data');
      send[0]?.(`token ${index}`);
      expect((await chunk)[0]).toBe(`data: token ${index}\n\n`);
    }
    send[0]?.(null);
    await once(message, 'end');
  });

  it('keeps status text, repeated fields, trailers and Latin-1 values', async () => {
    const replica = await testReplica((_incoming, response) => {
      response.writeHead(207, 'Many Things', [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'X-Name',
        'caf\xe9',
        'Trailer',
        'X-Sum',
        'Keep-Alive',
        'x',
      ]);
      response.write('body');
      response.addTrailers({ 'X-Sum': '42' });
      response.end();
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const answer = await ask(gateway.port, '/w', { headers: { te: 'trailers' } });
    expect(answer.status).toBe(207);
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(answer.headers['x-name']).toBe('caf\xe9');
    expect(answer.trailers['x-sum']).toBe('42');
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.rawHeaders.filter((name) => name.toLowerCase() === 'keep-alive').length).toBeLessThanOrEqual(1);
  });

  it.each([
    ['HEAD', 200, '10'],
    ['GET', 204, undefined],
    ['GET', 304, undefined],
  ])('to %s with %i has no body and leaves the connection usable', async (method, status, length) => {
    const replica = await testReplica((_incoming, response) => {
      response.writeHead(status, length === undefined ? {} : { 'content-length': length });
      response.end();
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let round = 0; round < 3; round += 1) {
      const answer = await ask(gateway.port, '/w', { method, agent });
      expect(answer.status).toBe(status);
      expect(answer.text).toBe('');
      expect(answer.headers['content-length']).toBe(length);
    }
    agent.destroy();
  });

  it('whose end is the end of the connection is passed on whole', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold but whole'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const port = portOf(server);
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', port)] })]);
    expect((await ask(gateway.port, '/w')).text).toBe('old but whole');
  });

  it('passes Early Hints on before it', async () => {
    const replica = await testReplica((_incoming, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end('done');
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const { outgoing, answer } = open(gateway.port, '/w');
    const hint = once(outgoing, 'information');
    outgoing.end();
    expect((await hint)[0]).toMatchObject({ statusCode: 103 });
    expect((await answer).statusCode).toBe(200);
  });

  it('does not fill memory when the client reads slowly', async () => {
    const total = 64 * 1024 * 1024;
    let written = 0;
    const replica = await testReplica((_incoming, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const { outgoing, answer } = open(gateway.port, '/w');
    outgoing.end();
    const message = await answer;
    // Nobody reads: the replica comes to a stop far from the end.
    let before = -1;
    await expect
      .poll(
        () => {
          const still = written === before;
          before = written;
          return still;
        },
        { interval: 100, timeout: 10_000 },
      )
      .toBe(true);
    expect(written).toBeLessThan(total / 2);
    let received = 0;
    for await (const chunk of message) received += Buffer.byteLength(chunk);
    expect(received).toBe(total);
  });
});

describe('a request', () => {
  it('streams up while it is sent, and stops when the replica does not read', async () => {
    const first = Promise.withResolvers<string>();
    const goOn = Promise.withResolvers<void>();
    const replica = await testReplica((incoming, response) => {
      incoming.once('data', (chunk: Buffer) => {
        incoming.pause();
        first.resolve(chunk.subarray(0, 5).toString());
        void countRest(chunk.length);
      });
      const countRest = async (begun: number): Promise<void> => {
        await goOn.promise;
        let bytes = begun;
        for await (const more of incoming) bytes += Buffer.byteLength(more);
        response.end(String(bytes));
      };
    });
    const total = 100 * 1024 * 1024;
    const gateway = await testGateway([
      gatewayWorkload('w', { buffer: { maxBodyBytes: total }, endpoints: [endpointAt('r1', replica.port)] }),
    ]);
    const { outgoing, answer } = open(gateway.port, '/w', {
      method: 'PUT',
      headers: { 'content-length': String(total) },
    });
    outgoing.write('begin');
    expect(await first.promise).toBe('begin');
    let sent = 5;
    const chunk = Buffer.alloc(64 * 1024);
    const pump = (): void => {
      while (sent < total) {
        const part = chunk.subarray(0, Math.min(chunk.length, total - sent));
        sent += part.length;
        if (!outgoing.write(part)) {
          outgoing.once('drain', pump);
          return;
        }
      }
      outgoing.end();
    };
    pump();
    let before = -1;
    await expect
      .poll(
        () => {
          const still = sent === before;
          before = sent;
          return still;
        },
        { interval: 100, timeout: 10_000 },
      )
      .toBe(true);
    expect(sent).toBeLessThan(total / 2);
    goOn.resolve();
    let text = '';
    for await (const part of await answer) text += String(part);
    expect(text).toBe(String(total));
  });

  it('arrives with its path, query and end-to-end fields, and with where it came from', async () => {
    const replica = await testReplica((incoming, response) => {
      response.end(JSON.stringify({ url: incoming.url, method: incoming.method, headers: incoming.headers }));
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const answer = await ask(gateway.port, '/w/a%20b?q=%C3%BC&x', {
      method: 'DELETE',
      headers: {
        host: 'models.local',
        'x-request-id': 'req-7',
        connection: 'x-secret, keep-alive',
        'x-secret': '1',
        'x-own': '2',
      },
    });
    expect(answer.headers['x-request-id']).toBe('req-7');
    expect(answer.json()).toMatchObject({
      url: '/w/a%20b?q=%C3%BC&x',
      method: 'DELETE',
      headers: {
        host: 'models.local',
        'x-own': '2',
        'x-request-id': 'req-7',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'models.local',
      },
    });
    expect(answer.json()['headers']).not.toHaveProperty('x-secret');
  });

  it('uses kept connections again, each for one exchange at a time', async () => {
    const connections = new Set<unknown>();
    const replica = await testReplica((incoming, response) => {
      connections.add(incoming.socket);
      response.end('ok');
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    for (let round = 0; round < 20; round += 1) expect((await ask(gateway.port, '/w')).status).toBe(200);
    expect(connections.size).toBe(1);
    await Promise.all(Array.from({ length: 300 }, () => ask(gateway.port, '/w')));
    // Nothing waited behind another one: there were as many connections as exchanges at once, and 128 are kept.
    expect(connections.size).toBeGreaterThan(1);
  });

  it('holds back none of 600 streams at once', async () => {
    let open_ = 0;
    const all = Promise.withResolvers<void>();
    const ends: (() => void)[] = [];
    const replica = await testReplica((_incoming, response) => {
      response.writeHead(200);
      response.write('x');
      ends.push(() => response.end());
      open_ += 1;
      if (open_ === 600) all.resolve();
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const answers = Array.from({ length: 600 }, () => ask(gateway.port, '/w'));
    await all.promise;
    for (const end of ends) end();
    expect((await Promise.all(answers)).every(({ text }) => text === 'x')).toBe(true);
  });
});

const webSocketHead = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n`;

describe('an upgrade', () => {
  it('becomes a bare connection in both directions, also after it waited', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const server = createServer((socket) => {
      socket.once('data', (head) => {
        expect(head.toString()).toMatch(/^GET \/w\/chat HTTP\/1\.1\r\n/);
        expect(head.toString()).toMatch(/upgrade: websocket/i);
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\n\r\nfirst ',
        );
        socket.on('data', (chunk) => socket.write(`echo:${chunk.toString()} `));
        socket.on('end', () => socket.end());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const port = portOf(server);

    const client = await rawConnection(gateway.port);
    client.socket.write(webSocketHead('/w/chat'));
    await gateway.control.until('wake');
    await gateway.control.apply(gatewayWorkload('w', { endpoints: [endpointAt('r1', port)] }));
    await expect.poll(client.received).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n[^]*\r\n\r\nfirst $/);
    expect(client.received()).toMatch(/sec-websocket-accept: a/i);
    client.socket.write('hi');
    await expect.poll(client.received).toMatch(/first echo:hi $/);
    await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.inFlight === 1);
    client.socket.end();
    await client.closed;
    await gateway.control.until(
      'counts',
      ({ counts }) => counts[0]?.requests.succeeded === 1 && counts[0].classes['default']?.inFlight === 0,
    );
  });

  it('that the replica declines is an ordinary answer', async () => {
    const replica = await testReplica((_incoming, response) => {
      response.writeHead(403, { 'content-type': 'text/plain' });
      response.end('no sockets here');
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const client = await rawConnection(gateway.port);
    client.socket.write(webSocketHead('/w'));
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(client.received()).toContain('no sockets here');
    await gateway.control.until('counts', ({ counts }) => counts[0]?.requests.succeeded === 1);
  });

  it('to anything but WebSocket is left unheard', async () => {
    const replica = await testReplica((incoming, response) => response.end(incoming.headers.upgrade ?? 'plain'));
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const answer = await ask(gateway.port, '/w', {
      headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' },
    });
    expect(answer.text).toBe('plain');
  });
});
