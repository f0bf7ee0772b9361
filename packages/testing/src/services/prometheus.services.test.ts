import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { available, type PrometheusService, startPrometheus, until } from './index.ts';
import { getPage } from './page.ts';
import { describeServiceLife } from './serviceLife.fixture.ts';

const exporter = createServer((_request, response) => response.end('queue_length{queue="jobs"} 42\n'));
let target: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
  target = `127.0.0.1:${(exporter.address() as AddressInfo).port}`;
});
afterAll(() => exporter.close());

const lastKnown = async (prometheus: PrometheusService) => {
  const [sample] = await prometheus.query('last_over_time(queue_length[1h])');
  return sample;
};
const isScraped = (prometheus: PrometheusService) =>
  until(async () => (await lastKnown(prometheus))?.value === 42, { withinMs: 60_000, what: () => 'a scrape' });

describeServiceLife({
  service: 'prometheus',
  start: () => startPrometheus({ targets: [target] }),
  write: isScraped,
  read: lastKnown,
});

describe.runIf(available('prometheus'))('prometheus with a password and TLS', () => {
  let prometheus: PrometheusService;

  beforeAll(async () => {
    prometheus = await startPrometheus({
      scrapeConfigs: [{ job_name: 'more', static_configs: [{ targets: [target] }] }],
      webAuth: { user: 'ebb', password: 'ebb-secret' },
      tls: 'mutual',
    });
  });
  afterAll(() => prometheus?.stop());

  it('scrapes what it is told to', async () => {
    await isScraped(prometheus);
    expect((await lastKnown(prometheus))?.metric).toMatchObject({ job: 'more', queue: 'jobs' });
  });

  it('turns away who has no password or no certificate', async () => {
    const { url, tls } = prometheus;
    expect((await getPage(`${url}/-/ready`, tls ? { tls } : {})).status).toBe(401);
    await expect(fetch(`${url}/-/ready`)).rejects.toThrow();
  });

  it('says what is wrong with a query', async () => {
    await expect(prometheus.query('sum(')).rejects.toThrow('parse error');
  });
});
