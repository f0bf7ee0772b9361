import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { upscale } from './traffic.ts';

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const address = started.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/upscale`;
}

/** The head of a PNG is all that is read of it. */
function pngHead(width: number, height: number): Buffer {
  const head = Buffer.alloc(33);
  head.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
  head.write('IHDR', 12, 'latin1');
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return head;
}

const picture = { name: 'p.png', bytes: pngHead(16, 12), contentType: 'image/png', width: 16, height: 12 };

test('a PNG of four times the size is right', async () => {
  const url = await serve((incoming, outgoing) => {
    expect(incoming.method).toBe('POST');
    expect(incoming.headers['content-type']).toBe('image/png');
    incoming.resume().on('end', () => outgoing.end(pngHead(64, 48)));
  });
  expect(await upscale(url, picture)).toMatchObject({ problem: null, width: 64, height: 48 });
});

test.each<[string, RequestListener, RegExp]>([
  ['a refusal', (_, outgoing) => outgoing.writeHead(503).end('{"title":"queue full"}'), /^status 503: .*queue full/],
  ['no picture', (_, outgoing) => outgoing.end('hello'), /no PNG/],
  ['the wrong size', (_, outgoing) => outgoing.end(pngHead(16, 12)), /became 16x12/],
  ['a broken connection', (incoming) => incoming.socket.destroy(), /socket hang up|ECONNRESET/],
])('%s is a problem', async (_, listener, problem) => {
  expect((await upscale(await serve(listener), picture)).problem).toMatch(problem);
});

test('nobody listens: a problem, no exception', async () => {
  const url = await serve(() => {});
  await new Promise((resolve) => server?.close(resolve));
  expect((await upscale(url, picture)).problem).toMatch(/ECONNREFUSED/);
});
