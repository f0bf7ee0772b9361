import { largestOf, type LlmServerMetrics, rateOf, secondsMs, sumOf } from '../serverMetrics.ts';

/**
 * https://github.com/ggml-org/llama.cpp/tree/master/tools/server; served with `--metrics`. It times no first token, and of
 * the time a token takes it tells the mean. Newer versions leave the KV cache out.
 */
export const llamacpp: LlmServerMetrics = {
  server: 'llamacpp',
  prefixes: ['llamacpp:'],
  signals: {
    interTokenLatency: [
      {
        kind: 'means',
        parts: [
          {
            sum: { name: 'llamacpp:tokens_predicted_seconds_total' },
            count: { name: 'llamacpp:tokens_predicted_total' },
            unitMs: secondsMs,
          },
        ],
      },
    ],
    tokensPerSecond: [rateOf('llamacpp:tokens_predicted_total')],
    kvCacheUse: [largestOf('llamacpp:kv_cache_usage_ratio')],
    waitingRequests: [sumOf('llamacpp:requests_deferred')],
    runningRequests: [sumOf('llamacpp:requests_processing')],
  },
};
