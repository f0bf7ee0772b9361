import { type LlmServerMetrics, rateOf, secondsMs, sumOf, timesOf } from '../serverMetrics.ts';

const prefill = { method: 'prefill' };

/**
 * https://huggingface.co/docs/text-generation-inference/reference/metrics. It times no first token: its mean is taken as
 * the mean wait in the queue and the mean prefill together. Tokens are counted when a request ends.
 */
export const tgi: LlmServerMetrics = {
  server: 'tgi',
  prefixes: ['tgi_'],
  signals: {
    timeToFirstToken: [
      {
        kind: 'means',
        parts: [
          {
            sum: { name: 'tgi_request_queue_duration_sum' },
            count: { name: 'tgi_request_queue_duration_count' },
            unitMs: secondsMs,
          },
          {
            sum: { name: 'tgi_batch_inference_duration_sum', labels: prefill },
            count: { name: 'tgi_batch_inference_duration_count', labels: prefill },
            unitMs: secondsMs,
          },
        ],
      },
    ],
    interTokenLatency: [timesOf('tgi_request_mean_time_per_token_duration')],
    tokensPerSecond: [rateOf('tgi_request_generated_tokens_sum')],
    waitingRequests: [sumOf('tgi_queue_size')],
    runningRequests: [sumOf('tgi_batch_current_size')],
  },
};
