import { type ApiError, Client, connect, UnreachableError } from '@ebb/client';
import type { WatchEvent } from '@ebb/documents';
import { VirtualSystem } from '@ebb/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ApiSystem, apiSystem, documentText, token } from './apiSystem.fixture.ts';
import { lineStream } from './lineStream.ts';

/** The API on a port of its own, and a client of it. */
async function online(
  overrides: Parameters<typeof apiSystem>[1] = {},
): Promise<ApiSystem & { client: Client; url: string }> {
  const set = await apiSystem(new VirtualSystem(), overrides);
  const url = await set.app.listen({ host: '127.0.0.1', port: 0 });
  return { ...set, url, client: await connect({ url, token }) };
}

function watching(client: Client, options: Parameters<Client['watch']>[0] = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const stream = client.watch({ signal: stop.signal, ...options });
  const next = async (): Promise<WatchEvent> => {
    const { value } = await stream.next();
    if (!value) throw new Error('the stream has ended');
    return value;
  };
  return { stream, stop, next };
}

const inJson = { contentType: 'application/json' } as const;

describe('client', () => {
  it('applies, reads, changes and deletes', async () => {
    const { client } = await online();
    const { outcomes } = await client.apply(documentText('a'), { ...inJson, origin: '/models/größe.json' });
    expect(outcomes).toEqual([
      {
        kind: 'Workload',
        cluster: 'local',
        namespace: 'default',
        name: 'a',
        action: 'created',
        resourceVersion: '1',
        generation: 1,
      },
    ]);
    const object = await client.get('Workload', 'a');
    if (!object) throw new Error('no object');
    expect(object).toMatchObject({ kind: 'Workload', metadata: { name: 'a', generation: 1 } });
    expect(await client.list('workload')).toEqual([object]);
    expect(await client.list('workloads', { namespace: '*' })).toEqual([object]);
    expect((await client.workloadStatus('a'))?.name).toBe('a');
    expect((await client.status()).workloads).toHaveLength(1);
    const changed = await client.put({ ...object, spec: { classes: [{ name: 'default', command: ['other'] }] } });
    expect(changed.metadata.generation).toBe(2);
    await expect(client.put(object)).rejects.toMatchObject({ code: 'conflict', status: 409 });
    expect((await client.delete('workloads', 'a'))?.metadata.resourceVersion).toBe('2');
    expect(await client.delete('workloads', 'a')).toBeNull();
    expect(await client.get('workloads', 'a')).toBeNull();
    expect(await client.workloadStatus('a')).toBeNull();
    expect(await client.explain('never')).toBeNull();
    expect(await client.recommendation('never')).toBeNull();
  });

  it('has the problems of refused documents with their places', async () => {
    const { client } = await online();
    const refused = await client
      .apply('kind: Workload\nspec: 1\n', { origin: '/a.yaml' })
      .catch((error: ApiError) => error);
    expect(refused).toMatchObject({ name: 'ApiError', code: 'invalid-documents', status: 422 });
    expect((refused as ApiError).problems[0]).toMatchObject({ file: '/a.yaml', severity: 'error' });
  });

  it('tells a wrong token from an address where nobody is', async () => {
    const { url, app } = await online();
    const stranger = await connect({ url, token: 'ebb_wrong' });
    await expect(stranger.status()).rejects.toMatchObject({ code: 'unauthorized' });
    await app.close();
    await expect(stranger.status()).rejects.toBeInstanceOf(UnreachableError);
  });

  it('asks for a stop', async () => {
    const { client, shutdowns } = await online();
    await client.shutdown();
    await client.shutdown({ leaveRunning: true });
    expect(shutdowns).toEqual([{ leaveRunning: false }, { leaveRunning: true }]);
  });
});

describe('watch', () => {
  it('begins with what there is and goes on with what happens', async () => {
    const { client } = await online();
    await client.apply(documentText('a'), inJson);
    const { next } = watching(client);
    expect(await next()).toMatchObject({ type: 'status', status: { name: 'a' } });
    await client.apply(documentText('b'), inJson);
    const seen: WatchEvent[] = [];
    while (!seen.some((event) => event.type === 'status' && event.status.name === 'b')) seen.push(await next());
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'document', key: 'local/default/b', action: 'applied' }),
    );
    const sequences = seen.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].sort((left, right) => left - right));
  });

  it('resumes after an event, without loss and without repetition', async () => {
    const { client, context } = await online();
    const from = context.ring.newest;
    for (const name of ['a', 'b', 'c']) await client.apply(documentText(name), inJson);
    const documents = async (since: number, count: number) => {
      const { stream, stop } = watching(client, { since });
      const found: WatchEvent[] = [];
      for await (const event of stream) if (event.type === 'document' && found.push(event) === count) break;
      stop.abort();
      return found;
    };
    const all = await documents(from, 3);
    expect(all.map((event) => event.type === 'document' && event.key)).toEqual([
      'local/default/a',
      'local/default/b',
      'local/default/c',
    ]);
    expect(await documents(all[0]?.sequence ?? 0, 2)).toEqual(all.slice(1));
  });

  it('is refused with 410 where events are missing', async () => {
    const { url, context } = await online();
    const headers = { authorization: `Bearer ${token}` };
    for (const since of [0, context.ring.newest - 1e6, context.ring.newest + 1]) {
      const answer = await fetch(`${url}/api/v1/watch?since=${since}`, { headers });
      expect([answer.status, (await answer.json()) as unknown]).toMatchObject([410, { code: 'watch-expired' }]);
    }
  });

  it('begins again by itself after 410, and tells what was deleted meanwhile', async () => {
    const first = await online();
    await first.client.apply(documentText('stays'), inJson);
    await first.client.apply(documentText('goes'), inJson);
    const { next } = watching(first.client);
    const names = [await next(), await next()].map((event) => event.type === 'status' && event.status.name);
    expect(names).toEqual(['goes', 'stays']);
    // The control plane goes away and another comes at the same address, with other events.
    const port = Number(new URL(first.url).port);
    await first.app.close();
    const second = await apiSystem(new VirtualSystem());
    await second.ask('POST', '/api/v1/apply', {
      headers: { 'content-type': 'application/json' },
      payload: documentText('stays'),
    });
    for (let index = 0; index < 5_000; index++)
      second.context.ring.push({ sequence: 0, type: 'deleted', at: 0, workload: 'x' });
    await second.app.listen({ host: '127.0.0.1', port });
    expect(await next()).toMatchObject({ type: 'status', status: { name: 'stays' } });
    expect(await next()).toMatchObject({ type: 'deleted', workload: 'local/default/goes' });
  });

  it('gives up when nobody comes back, and tells of the loss', async () => {
    const { client, app } = await online();
    await client.apply(documentText('a'), inJson);
    const connections: boolean[] = [];
    const { next } = watching(client, { patienceMs: 100, onConnection: (connected) => connections.push(connected) });
    await next();
    await app.close();
    await expect(next()).rejects.toBeInstanceOf(UnreachableError);
    expect(connections).toEqual([false]);
  });

  it('speaks server-sent events to those who ask for them', async () => {
    const { url, client, context } = await online();
    const from = context.ring.newest;
    await client.apply(documentText('a'), inJson);
    const stop = new AbortController();
    const answer = await fetch(`${url}/api/v1/watch`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'last-event-id': String(from) },
      signal: stop.signal,
    });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    let text = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.includes('event: heartbeat')) break;
    }
    stop.abort();
    expect(text).toMatch(/^id: \d+\nevent: (document|status|decision)\ndata: \{.*\}\n\n/);
    expect(text).toContain('event: document\n');
  });

  it('frees its place when the client leaves', async () => {
    const { client, app } = await online();
    await client.apply(documentText('a'), inJson);
    for (let index = 0; index < 250; index++) {
      const { stream, next, stop } = watching(client);
      await next();
      stop.abort();
      await stream.return();
    }
    expect(app.server.listening).toBe(true);
  });
});

describe('logs', () => {
  it('follow until the reader leaves, also while nothing comes', async () => {
    let ended = 0;
    const line = { replica: 'a-x', atMs: 1, stream: 'stdout' as const, text: 'hello' };
    let wait: (() => void) | undefined;
    const source = () => {
      let sent = false;
      const iterator: AsyncIterableIterator<typeof line> = {
        [Symbol.asyncIterator]: () => iterator,
        next: async () => {
          if (!sent) {
            sent = true;
            return { done: false, value: line };
          }
          await new Promise<void>((resolve) => {
            wait = resolve;
          });
          return { done: true, value: undefined };
        },
        return: async () => {
          ended += 1;
          wait?.();
          return { done: true, value: undefined };
        },
      };
      return iterator;
    };
    const { client } = await online({ logs: source });
    await client.apply(documentText('a'), inJson);
    for await (const one of client.logs('a', { follow: true })) {
      expect(one).toEqual(line);
      break;
    }
    await expect.poll(() => ended).toBe(1);
    const stop = new AbortController();
    for await (const one of client.logs('a', { follow: true, signal: stop.signal })) {
      expect(one).toEqual(line);
      stop.abort();
    }
    await expect.poll(() => ended).toBe(2);
  });

  it('end with the error of their source', async () => {
    const failing = lineStream({ next: () => Promise.reject(new Error('lost')) });
    await expect(failing.toArray()).rejects.toThrow('lost');
  });
});
