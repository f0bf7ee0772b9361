import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { available, startPrometheus, until } from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromPrometheus } from './fromPrometheus.ts';
import { totalsOf } from './trace.fixture.ts';

describe.runIf(available('prometheus'))('a range query of a real Prometheus', () => {
  let asked = 0;
  const exporter = createServer((_request, response) => response.end(`requests_total{model="a"} ${(asked += 7)}\n`));
  let prometheus: Awaited<ReturnType<typeof startPrometheus>>;

  beforeAll(async () => {
    await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
    prometheus = await startPrometheus({ targets: [`127.0.0.1:${(exporter.address() as AddressInfo).port}`] });
  });
  afterAll(async () => {
    await prometheus?.stop();
    exporter.close();
  });

  const range = () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    return { fromSeconds: nowSeconds - 120, toSeconds: nowSeconds };
  };

  it('gives the requests that a counter counted', async () => {
    let total = 0;
    const ask = async () => {
      const trace = await fromPrometheus(prometheus.url, 'requests_total', range(), 1, { values: 'counter' });
      total = Object.values(await totalsOf(trace)).reduce((sum, one) => sum + one, 0);
      return total >= 14;
    };
    await until(() => ask().catch(() => false), { withinMs: 60_000, what: () => 'two rises of the counter' });
    expect(total).toBeLessThanOrEqual(asked);
    expect(total % 7).toBe(0);
  });

  it('asks for a long range in parts', async () => {
    const { toSeconds } = range();
    const trace = await fromPrometheus(prometheus.url, 'vector(2)', { fromSeconds: toSeconds - 24_999, toSeconds }, 1);
    expect(await totalsOf(trace)).toEqual({ prometheus: 50_000 });
  });

  it('repeats what is wrong with a query, and says that nothing was found', async () => {
    await expect(fromPrometheus(prometheus.url, 'sum(', range(), 1)).rejects.toThrow('parse error');
    await expect(fromPrometheus(prometheus.url, 'nothing_here', range(), 1)).rejects.toThrow('found nothing');
  });
});
