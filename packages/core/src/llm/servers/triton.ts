import { type LlmServerMetrics, rateOf, type SignalSource, sumOf, timesOf } from '../serverMetrics.ts';

const microsecondsToSeconds = 1e-6;
const kvFraction = { name: 'nv_trt_llm_kv_cache_block_metrics', labels: { kv_cache_block_type: 'fraction' } };
const requests = (type: string): SignalSource => ({
  kind: 'gauge',
  metric: { name: 'nv_trt_llm_request_metrics', labels: { request_type: type } },
  combine: 'sum',
});

/**
 * https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/metrics.html and the metrics of
 * the TensorRT-LLM backend. First tokens are timed with `--metrics-config histogram_latencies=true`. Where a gauge is
 * missing, time spent in a state each second is the mean number in it (Little's law).
 */
export const triton: LlmServerMetrics = {
  server: 'triton',
  prefixes: ['nv_inference_', 'nv_trt_llm_'],
  signals: {
    timeToFirstToken: [timesOf('nv_inference_first_response_histogram_ms', 1)],
    tokensPerSecond: [rateOf('nv_llm_output_token_len_sum')],
    kvCacheUse: [{ kind: 'gauge', metric: kvFraction, combine: 'largest' }],
    waitingRequests: [
      requests('waiting'),
      sumOf('nv_inference_pending_request_count'),
      rateOf('nv_inference_queue_duration_us', microsecondsToSeconds),
    ],
    runningRequests: [requests('scheduled'), rateOf('nv_inference_compute_infer_duration_us', microsecondsToSeconds)],
  },
};
