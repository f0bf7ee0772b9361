import { largestOf, type LlmServerMetrics, rateOf, sumOf, timesOf } from '../serverMetrics.ts';

/** https://docs.sglang.ai/references/production_metrics.html; served with `--enable-metrics`. */
export const sglang: LlmServerMetrics = {
  server: 'sglang',
  prefixes: ['sglang:'],
  signals: {
    timeToFirstToken: [timesOf('sglang:time_to_first_token_seconds')],
    interTokenLatency: [timesOf('sglang:inter_token_latency_seconds'), timesOf('sglang:time_per_output_token_seconds')],
    tokensPerSecond: [rateOf('sglang:generation_tokens_total')],
    kvCacheUse: [largestOf('sglang:token_usage')],
    waitingRequests: [sumOf('sglang:num_queue_reqs')],
    runningRequests: [sumOf('sglang:num_running_reqs')],
  },
};
