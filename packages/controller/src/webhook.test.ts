import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MoneyNotice } from '@ebb/engine';
import { expect, it, onTestFinished } from 'vitest';
import { openWebhook } from './webhook.ts';

const notice: MoneyNotice = {
  type: 'idle-cost',
  workload: 'local/default/web',
  currency: 'USD',
  costMicro: '5000001',
  idleSinceMs: 1,
  message: 'it costs',
};

async function listening(
  answer: Parameters<typeof createServer>[1],
): Promise<{ url: string; host: string; server: Server }> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}/hooks/s3cret?key=s3cret`, host, server };
}

function opened(url: string, limitMs?: number) {
  const logged = Promise.withResolvers<unknown[]>();
  const webhook = openWebhook((...words) => logged.resolve(words), limitMs);
  onTestFinished(() => webhook.close());
  webhook.setUrl(url);
  return { webhook, logged: logged.promise };
}

it('posts the notice as JSON', async () => {
  const got = Promise.withResolvers<unknown>();
  const { url } = await listening((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.end('ok');
      got.resolve([
        request.method,
        request.url,
        request.headers['content-type'],
        JSON.parse(String(Buffer.concat(chunks))),
      ]);
    });
  });
  opened(url).webhook.send(notice);
  expect(await got.promise).toEqual(['POST', '/hooks/s3cret?key=s3cret', 'application/json', notice]);
});

it('gives up in time, follows nowhere, and never logs more of the address than its host', async () => {
  const silent = await listening(() => {});
  const refusing = await listening((_, response) => response.writeHead(500).end());
  const elsewhere = await listening((_, response) => response.writeHead(302, { location: '/other?s3cret' }).end());
  const gone = await listening(() => {});
  gone.server.close();
  await once(gone.server, 'close');
  const log = async ({ url }: { url: string }, limitMs?: number) => {
    const { webhook, logged } = opened(url, limitMs);
    webhook.send(notice);
    return logged;
  };
  const told = (host: string, error: string) => ['warn', 'alarm not sent', { host, type: 'idle-cost', error }];
  expect(await log(silent, 30)).toEqual(told(silent.host, 'no answer in time'));
  expect(await log(refusing)).toEqual(told(refusing.host, 'status 500'));
  expect(await log(gone)).toEqual(told(gone.host, 'ECONNREFUSED'));
  const redirected = await log(elsewhere);
  expect(redirected).toEqual(told(elsewhere.host, expect.any(String)));
  expect(JSON.stringify(redirected)).not.toContain('s3cret');
});

it('sends a few at once and nothing without an address', async () => {
  let asked = 0;
  const eight = Promise.withResolvers<void>();
  const { url, host } = await listening(() => {
    asked += 1;
    if (asked === 8) eight.resolve();
  });
  const { webhook, logged } = opened(url);
  for (let count = 0; count < 9; count += 1) webhook.send(notice);
  expect(await logged).toEqual(['warn', 'alarm not sent: others are still on their way', { host, type: 'idle-cost' }]);
  await eight.promise;
  webhook.setUrl(null);
  webhook.send(notice);
  expect(asked).toBe(8);
});
