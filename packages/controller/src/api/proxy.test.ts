import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { VirtualSystem } from '@ebb/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { apiSystem, token } from './apiSystem.fixture.ts';

/** The API in front of a gateway that does as the test says. */
async function inFrontOf(gateway: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(gateway).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { app } = await apiSystem(new VirtualSystem(), {
    gateway: () => ({ connected: true, url: `http://127.0.0.1:${port}`, pid: 1 }),
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const ask = (path: string, init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {}) =>
    fetch(`${url}/api/v1/namespaces/vision/workloads/a/proxy${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
  return { ask, server };
}

describe('requests through the control plane', () => {
  it('arrive at the gateway as they were, but without what is the control plane’s own', async () => {
    const heads: IncomingMessage[] = [];
    const { ask } = await inFrontOf((request, response) => {
      heads.push(request);
      response
        .writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'a=1', 'x-ebb-replica': 'a-x7k2p' })
        .end('<script>');
    });
    const answer = await ask('/up%2Fscale/%C3%A4?x=1&y=%20', {
      headers: { cookie: 'secret=1', 'x-own': 'kept', 'x-ebb-workload': 'other' },
    });
    expect(heads[0]?.url).toBe('/up%2Fscale/%C3%A4?x=1&y=%20');
    expect(heads[0]?.headers).toMatchObject({ 'x-ebb-workload': 'local/vision/a', 'x-own': 'kept' });
    expect(JSON.stringify(heads[0]?.rawHeaders)).not.toMatch(/ebb_t|secret/);
    expect(await answer.text()).toBe('<script>');
    expect(answer.headers.get('content-security-policy')).toBe('sandbox');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(answer.headers.get('x-ebb-replica')).toBe('a-x7k2p');
    await ask('');
    expect(heads[1]?.url).toBe('/');
  });

  it('stream both ways', async () => {
    const { ask } = await inFrontOf((request, response) => {
      response.writeHead(206, { 'content-type': 'application/octet-stream' });
      request.pipe(response);
    });
    const picture = new Uint8Array(3_000_000).map((_, index) => index % 251);
    const answer = await ask('/echo', { method: 'POST', body: picture, headers: { 'content-type': 'image/png' } });
    expect(answer.status).toBe(206);
    expect(Buffer.compare(new Uint8Array(await answer.arrayBuffer()), picture)).toBe(0);

    const { ask: askDrip } = await inFrontOf((_request, response) => {
      // And no end: what is there must come without it.
      response.writeHead(200).write('first');
    });
    const reader = (await askDrip('/drip')).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
    await reader?.cancel();
  });

  it('are given up at the gateway when the client leaves while they are held', async () => {
    const held = Promise.withResolvers<IncomingMessage>();
    const { ask } = await inFrontOf((request) => held.resolve(request));
    const stop = new AbortController();
    const asked = ask('/slow', { signal: stop.signal }).catch((error: Error) => error.name);
    const request = await held.promise;
    const gone = once(request.socket, 'close');
    stop.abort();
    await gone;
    expect(await asked).toBe('AbortError');
  });

  it('carry the gateway’s own refusals', async () => {
    const { ask } = await inFrontOf((_request, response) => {
      response
        .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '2' })
        .end('{"code":"queue-full"}');
    });
    const answer = await ask('/x', { method: 'DELETE' });
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([
      503,
      '2',
      { code: 'queue-full' },
    ]);
  });

  it('are refused while the gateway is away', async () => {
    const { ask: through } = await apiSystem(new VirtualSystem(), {
      gateway: () => ({ connected: false, url: '', pid: null }),
    });
    const answer = await through('GET', '/api/v1/namespaces/default/workloads/a/proxy/x');
    expect(answer.json()).toMatchObject({ status: 503, code: 'gateway-unavailable' });
    const { ask, server } = await inFrontOf(() => {});
    server.close();
    expect((await ask('/x')).status).toBe(503);
  });
});
