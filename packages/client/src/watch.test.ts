import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Client, connect } from './client.ts';

type Step = (response: ServerResponse, since: string | null) => void;

/** A control plane whose watch answers go by a script, one step a connection. */
async function scripted(steps: Step[]): Promise<{ client: Client; asked: (string | null)[] }> {
  const asked: (string | null)[] = [];
  const server = createServer((request, response) => {
    const since = new URL(request.url ?? '', 'http://localhost').searchParams.get('since');
    asked.push(since);
    const step = steps[asked.length - 1];
    if (!step) throw new Error('the script is over');
    step(response, since);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { client: await connect({ url: `http://127.0.0.1:${port}/`, token: 'ebb_t' }), asked };
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const status = (name: string, sequence: number) =>
  line({ type: 'status', sequence, at: 1, status: { cluster: 'local', namespace: 'default', name } });
const heartbeat = (sequence: number) => line({ type: 'heartbeat', sequence, at: 1 });
const deleted = (name: string, sequence: number) =>
  line({ type: 'deleted', sequence, at: 1, workload: `local/default/${name}` });
const expired: Step = (response) => {
  const body = { type: 'about:blank', title: '', status: 410, detail: 'gone', code: 'watch-expired' };
  response.writeHead(410, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
};

async function take(client: Client, count: number): Promise<string[]> {
  const found: string[] = [];
  for await (const event of client.watch()) {
    found.push(event.type === 'status' ? `${event.status.name} ${event.sequence}` : `${event.type} ${event.sequence}`);
    if (found.length === count) break;
  }
  return found;
}

describe('watch', () => {
  it('asks for the whole list again when the list broke off', async () => {
    const { client, asked } = await scripted([
      (response) => response.end(status('a', 10)),
      (response) => response.write(status('a', 10) + status('b', 10) + heartbeat(10)),
    ]);
    expect(await take(client, 3)).toEqual(['a 10', 'a 10', 'b 10']);
    expect(asked).toEqual([null, null]);
  });

  it('goes on after the last event, or after the last heartbeat', async () => {
    const { client, asked } = await scripted([
      (response) => response.end(status('a', 10) + heartbeat(10) + status('a', 12)),
      (response) => response.end(heartbeat(15)),
      (response) => response.write(status('a', 16)),
    ]);
    expect(await take(client, 3)).toEqual(['a 10', 'a 12', 'a 16']);
    expect(asked).toEqual([null, '12', '15']);
  });

  it('tells what went while it was away, once', async () => {
    const { client, asked } = await scripted([
      (response) =>
        response.end(status('a', 10) + status('b', 10) + status('c', 10) + heartbeat(10) + deleted('c', 11)),
      expired,
      (response) => response.write(status('b', 90) + heartbeat(90) + status('b', 91)),
    ]);
    expect(await take(client, 7)).toEqual(['a 10', 'b 10', 'c 10', 'deleted 11', 'b 90', 'deleted 90', 'b 91']);
    expect(asked).toEqual([null, '11', null]);
  });

  it('reads lines however they are cut', async () => {
    const text = Buffer.from(status('größe', 10) + heartbeat(10));
    const { client } = await scripted([
      (response) => {
        let index = 0;
        const next = (): void => {
          if (index === text.length) return;
          response.write(text.subarray(index, index + 1), next);
          index += 1;
        };
        next();
      },
    ]);
    expect(await take(client, 1)).toEqual(['größe 10']);
  });

  it('ends with its signal, and throws what cannot be mended', async () => {
    const { client } = await scripted([
      (response) => response.write(heartbeat(1)),
      (response) => response.writeHead(401).end('who are you'),
    ]);
    const stop = new AbortController();
    const ended = client.watch({ signal: stop.signal }).next();
    setTimeout(() => stop.abort(), 20);
    expect(await ended).toEqual({ done: true, value: undefined });
    await expect(client.watch().next()).rejects.toMatchObject({
      name: 'ApiError',
      status: 401,
      message: 'who are you',
    });
  });
});
