import type { SloLlmTrigger } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { FleetReadings, type FleetScrape, type FleetSignals } from './fleetReadings.ts';

const steps = { increase: { replicas: 1, factor: 2 }, decrease: { replicas: 1, factor: 1 } };
const windowMs = 10_000;
const firstToken: SloLlmTrigger = {
  type: 'timeToFirstToken',
  name: 'ttft',
  quantile: 0.95,
  aboveMs: 500,
  belowMs: 250,
  windowMs,
  ...steps,
};
const cache: SloLlmTrigger = { type: 'kvCacheUse', name: 'cache', above: 0.9, below: 0.4, windowMs, ...steps };
const tokens: SloLlmTrigger = {
  type: 'tokensPerSecond',
  name: 'tokens',
  abovePerReplica: 100,
  belowPerReplica: 50,
  windowMs,
  ...steps,
};

interface Server {
  fast: number;
  slow: number;
  tokens: number;
  cache: number;
  waiting?: number;
}

/** A vLLM page of so many first tokens within 100 ms and so many within a second. */
function page({ fast, slow, tokens: generated, cache: use, waiting = 0 }: Server): string {
  return [
    `vllm:time_to_first_token_seconds_bucket{le="0.1"} ${fast}`,
    `vllm:time_to_first_token_seconds_bucket{le="0.5"} ${fast}`,
    `vllm:time_to_first_token_seconds_bucket{le="1"} ${fast + slow}`,
    `vllm:time_to_first_token_seconds_bucket{le="+Inf"} ${fast + slow}`,
    `vllm:time_to_first_token_seconds_sum ${fast * 0.05 + slow * 0.8}`,
    `vllm:time_to_first_token_seconds_count ${fast + slow}`,
    `vllm:generation_tokens_total ${generated}`,
    `vllm:kv_cache_usage_perc ${use}`,
    `vllm:num_requests_waiting ${waiting}`,
  ].join('\n');
}

const server = (more: Partial<Server> = {}): Server => ({ fast: 0, slow: 0, tokens: 0, cache: 0, ...more });
const scrape = (replica: string, of: Server | string, className = 'default'): FleetScrape => ({
  replica,
  class: className,
  page: typeof of === 'string' ? { error: of } : { text: page(of) },
});

function fleet(more: Partial<FleetSignals> = {}) {
  const readings = new FleetReadings({
    server: 'auto',
    triggers: [firstToken, cache, tokens],
    countsTimes: true,
    windowMs,
    ...more,
  });
  return (atMs: number, ...scrapes: FleetScrape[]) =>
    Object.fromEntries(
      readings.take(scrapes, atMs).map(({ trigger, class: name, value }) => [`${trigger}/${name}`, value]),
    );
}

describe('replicas together', () => {
  it('give the quantile of all their times, the mean of their caches and the sum of their tokens', () => {
    const take = fleet();
    const before = take(
      0,
      scrape('a', server({ fast: 1000, slow: 1000, tokens: 50_000, cache: 0.2 })),
      scrape('b', server()),
    );
    // What was counted before the first scrape is not ours to judge.
    expect(before).toEqual({ 'metrics:missing/default': 0, 'metrics:waiting/default': 0, 'cache/default': 0.1 });
    const after = take(
      1000,
      scrape('a', server({ fast: 1090, slow: 1000, tokens: 50_120, cache: 0.4 })),
      scrape('b', server({ slow: 10, tokens: 30, cache: 0.6 })),
    );
    // 90 within 100 ms and 10 between 500 ms and a second: the 95th is half way.
    expect(after['ttft/default']).toBeCloseTo(750, 6);
    expect(after['tokens/default']).toBeCloseTo(150, 6);
    expect(after['metrics:answers/default']).toBeCloseTo(100, 6);
    expect(after['cache/default']).toBeCloseTo((0.3 + 0.3) / 2, 6);
    expect([after['ttft:timed/default'], after['ttft:late/default']]).toEqual([100, 10]);
  });

  it('are averaged over the window, and what is older falls out', () => {
    const take = fleet();
    take(0, scrape('a', server()));
    take(1000, scrape('a', server({ slow: 10 })));
    for (let s = 2; s <= 10; s++)
      expect(take(s * 1000, scrape('a', server({ slow: 10 })))['ttft/default']).toBeGreaterThan(500);
    const later = take(12_000, scrape('a', server({ slow: 10 })));
    expect(later).not.toHaveProperty('ttft/default');
    expect(later['tokens/default']).toBe(0);
  });

  it('of several classes are read by class', () => {
    const take = fleet();
    take(0, scrape('a', server(), 'small'), scrape('b', server(), 'large'));
    const after = take(1000, scrape('a', server({ cache: 0.2 }), 'small'), scrape('b', 'gone', 'large'));
    expect(after).toMatchObject({ 'metrics:missing/small': 0, 'metrics:missing/large': 1, 'cache/small': 0.1 });
    expect(after).not.toHaveProperty('cache/large');
  });
});

describe('a replica', () => {
  it('that began anew has counted what it says now', () => {
    const take = fleet();
    take(0, scrape('a', server({ fast: 500, tokens: 9000 })));
    const after = take(1000, scrape('a', server({ slow: 4, tokens: 80 })));
    expect(after['tokens/default']).toBe(80);
    expect(after['ttft:late/default']).toBe(4);
    // And goes on from there.
    expect(take(2000, scrape('a', server({ slow: 4, fast: 6, tokens: 100 })))['tokens/default']).toBe(50);
  });

  it('that came later has counted nothing before, and one that comes back has', () => {
    const take = fleet();
    take(0, scrape('a', server()));
    expect(take(1000, scrape('a', server()), scrape('b', server({ slow: 3 })))['ttft:timed/default']).toBe(3);
    take(2000, scrape('a', server()));
    expect(take(3000, scrape('a', server()), scrape('b', server({ slow: 300 })))).not.toHaveProperty(
      'ttft:timed/default',
    );
  });

  it('that cannot be read is missing: the others stand for it, and zero is not said of it', () => {
    const take = fleet();
    take(0, scrape('a', server()), scrape('b', server()));
    const after = take(1000, scrape('a', server({ tokens: 100, cache: 0.8, fast: 1 })), scrape('b', 'no answer'));
    expect(after).toMatchObject({ 'metrics:missing/default': 1, 'tokens/default': 200, 'cache/default': 0.4 });
    expect(take(2000, scrape('a', 'no answer'), scrape('b', 'no answer'))).toEqual({ 'metrics:missing/default': 2 });
  });

  it('that does not publish what is asked is missing too, with the reason', () => {
    const readings = new FleetReadings({ server: 'auto', triggers: [firstToken], countsTimes: false, windowMs });
    const text = 'llamacpp:requests_processing 1\n';
    const [missing] = readings.take([{ replica: 'a', class: 'default', page: { text } }], 0);
    expect(missing).toMatchObject({ value: 1, message: 'a: llamacpp publishes no timeToFirstToken' });
    const [other] = readings.take([{ replica: 'a', class: 'default', page: { text: 'go_threads 3\n' } }], 1);
    expect(other?.message).toMatch(/^a: the page has no metric of a known server/);
  });
});

it('means of parts add up, and late is told of all of them where only the mean is known', () => {
  const mean: SloLlmTrigger = { ...firstToken, quantile: null };
  const readings = new FleetReadings({ server: 'tgi', triggers: [mean], countsTimes: true, windowMs });
  const text = (requests: number) =>
    `tgi_request_queue_duration_sum ${requests * 0.5}\ntgi_request_queue_duration_count ${requests}\n` +
    `tgi_batch_inference_duration_sum{method="prefill"} ${requests * 0.2}\n` +
    `tgi_batch_inference_duration_count{method="prefill"} ${requests}\n`;
  readings.take([{ replica: 'a', class: 'default', page: { text: text(10) } }], 0);
  const after = readings.take([{ replica: 'a', class: 'default', page: { text: text(30) } }], 1000);
  const value = (name: string) => after.find(({ trigger }) => trigger === name)?.value;
  expect([value('ttft'), value('ttft:timed'), value('ttft:late')]).toEqual([700, 20, 20]);
});
