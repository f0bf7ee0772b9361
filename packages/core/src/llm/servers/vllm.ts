import { largestOf, type LlmServerMetrics, rateOf, sumOf, timesOf } from '../serverMetrics.ts';

/** https://docs.vllm.ai/en/latest/usage/metrics.html; the second names are those of older versions. */
export const vllm: LlmServerMetrics = {
  server: 'vllm',
  prefixes: ['vllm:'],
  signals: {
    timeToFirstToken: [timesOf('vllm:time_to_first_token_seconds')],
    interTokenLatency: [timesOf('vllm:inter_token_latency_seconds'), timesOf('vllm:time_per_output_token_seconds')],
    tokensPerSecond: [rateOf('vllm:generation_tokens_total')],
    kvCacheUse: [largestOf('vllm:kv_cache_usage_perc'), largestOf('vllm:gpu_cache_usage_perc')],
    waitingRequests: [sumOf('vllm:num_requests_waiting')],
    runningRequests: [sumOf('vllm:num_requests_running')],
  },
};
