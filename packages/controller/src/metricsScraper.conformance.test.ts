import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeMetricsScraperConformance } from '@ebb/testing/conformance';
import { expect, it, onTestFinished } from 'vitest';
import { httpMetricsScraper } from './metricsScraper.ts';

async function listen(answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port, path: '/metrics', server };
}

describeMetricsScraperConformance('the HTTP scraper', () => ({
  scraper: httpMetricsScraper(),
  serving: (text) => listen((_, response) => response.end(text)),
  refusing: (status) => listen((_, response) => response.writeHead(status).end('no')),
  silent: () => listen(() => {}),
  nobody: async () => {
    const { server, ...address } = await listen(() => {});
    server.close();
    await once(server, 'close');
    return address;
  },
  settled: async (promise) => (await Promise.allSettled([promise]))[0],
}));

it('keeps one connection over several scrapes, and reads no page without an end', async () => {
  const scraper = httpMetricsScraper();
  onTestFinished(() => scraper.close());
  const { server, ...address } = await listen((_, response) => response.end('a 1\n'));
  let connections = 0;
  server.on('connection', () => connections++);
  for (let i = 0; i < 5; i++) expect(await scraper.scrape(address, 5000)).toBe('a 1\n');
  expect(connections).toBe(1);
  const endless = await listen((_, response) => {
    const part = 'x'.repeat(1 << 20);
    const more = () => {
      while (response.write(part));
      response.once('drain', more);
    };
    more();
  });
  await expect(scraper.scrape(endless, 20_000)).rejects.toThrow(/more than 8388608 bytes/);
});
