import { Histogram, label, metric } from './prometheus.ts';

export type FinishedReason = 'stop' | 'length' | 'abort' | 'error';

/** What is so at the moment of the scrape. */
export interface Gauges {
  running: number;
  waiting: number;
  /** Tokens that the cache of keys and values has room for, in all sequences together. */
  cacheCapacityTokens: number;
}

// vLLM's buckets, so that its dashboards and alerts read this server as they stand. Seconds.
const firstTokenBounds = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560,
];
const perTokenBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];
const requestBounds = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

/** The numbers of an LLM server under the names that vLLM gives them. */
export class Metrics {
  /** Tokens of running requests in the cache. What is kept of finished ones can be overwritten and counts as free. */
  cachedByRunning = 0;
  readonly timeToFirstTokenSeconds = new Histogram(firstTokenBounds);
  readonly timePerOutputTokenSeconds = new Histogram(perTokenBounds);
  readonly queueSeconds = new Histogram(requestBounds);
  readonly requestSeconds = new Histogram(requestBounds);
  promptTokens = 0;
  generationTokens = 0;
  /** Prompt tokens found in the cache, out of `promptTokens`. */
  prefixHits = 0;
  readonly #finished: Record<FinishedReason, number> = { stop: 0, length: 0, abort: 0, error: 0 };
  readonly #model: string;

  constructor(model: string) {
    this.#model = model;
  }

  finish(reason: FinishedReason): void {
    this.#finished[reason] += 1;
  }

  /** All of it in Prometheus' text format. */
  text({ running, waiting, cacheCapacityTokens }: Gauges): string {
    const labels = label('model_name', this.#model);
    const gauge = (name: string, help: string, value: number) =>
      metric(`vllm:${name}`, 'gauge', help, [`vllm:${name}{${labels}} ${value}`]);
    const counter = (name: string, help: string, value: number) =>
      metric(`vllm:${name}`, 'counter', help, [`vllm:${name}{${labels}} ${value}`]);
    const histogram = (name: string, help: string, values: Histogram) =>
      metric(`vllm:${name}`, 'histogram', help, values.samples(`vllm:${name}`, labels));
    const cacheUsage = cacheCapacityTokens === 0 ? 0 : this.cachedByRunning / cacheCapacityTokens;
    const finished = Object.entries(this.#finished).map(
      ([reason, count]) => `vllm:request_success_total{${labels},${label('finished_reason', reason)}} ${count}`,
    );
    const sections = [
      gauge('num_requests_running', 'Requests being generated.', running),
      gauge('num_requests_waiting', 'Requests waiting for their turn.', waiting),
      gauge('kv_cache_usage_perc', 'Share of the KV cache that running requests use. 1 is all of it.', cacheUsage),
      gauge('gpu_cache_usage_perc', 'Older name of kv_cache_usage_perc.', cacheUsage),
      counter('prompt_tokens_total', 'Prompt tokens read.', this.promptTokens),
      counter('generation_tokens_total', 'Tokens generated.', this.generationTokens),
      counter('prefix_cache_queries_total', 'Prompt tokens looked for in the cache.', this.promptTokens),
      counter('prefix_cache_hits_total', 'Prompt tokens found in the cache.', this.prefixHits),
      metric('vllm:request_success_total', 'counter', 'Requests ended, by reason.', finished),
      histogram('time_to_first_token_seconds', 'From arrival to the first token.', this.timeToFirstTokenSeconds),
      histogram('time_per_output_token_seconds', 'From a token to the next.', this.timePerOutputTokenSeconds),
      histogram('inter_token_latency_seconds', 'Newer name of the same.', this.timePerOutputTokenSeconds),
      histogram('request_queue_time_seconds', 'From arrival to the turn.', this.queueSeconds),
      histogram('e2e_request_latency_seconds', 'From arrival to the last token.', this.requestSeconds),
    ];
    return `${sections.join('\n')}\n`;
  }
}
