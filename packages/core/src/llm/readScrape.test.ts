import { type LlmServer, llmServers, llmServerSignals, llmSignals } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { MetricPageError, readMetricPage } from './prometheusText.ts';
import { readScrape } from './readScrape.ts';
import { llmServerMetrics } from './servers/registry.ts';
import { timingMeanMs, timingQuantileMs } from './timing.ts';

/** Lines in the shape that each server writes them, cut to what is read and something beside it. */
const pages: Record<LlmServer, string> = {
  vllm: `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="meta-llama/Llama-3.1-8B-Instruct"} 8.0
vllm:num_requests_waiting{engine="0",model_name="meta-llama/Llama-3.1-8B-Instruct"} 3.0
vllm:num_requests_waiting{engine="1",model_name="meta-llama/Llama-3.1-8B-Instruct"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="meta-llama/Llama-3.1-8B-Instruct"} 0.4
vllm:kv_cache_usage_perc{engine="1",model_name="meta-llama/Llama-3.1-8B-Instruct"} 0.75
vllm:generation_tokens_total{engine="0",model_name="meta-llama/Llama-3.1-8B-Instruct"} 27453.0
vllm:generation_tokens_created{engine="0",model_name="meta-llama/Llama-3.1-8B-Instruct"} 1.7e+09
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.25",model_name="m"} 2.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.5",model_name="m"} 6.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="m"} 8.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 8.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 3.2
vllm:inter_token_latency_seconds_bucket{engine="0",le="0.025",model_name="m"} 50.0
vllm:inter_token_latency_seconds_bucket{engine="0",le="+Inf",model_name="m"} 100.0
vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 100.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="m"} 4.0
`,
  sglang: `# TYPE sglang:token_usage gauge
sglang:token_usage{model_name="meta-llama/Llama-3.1-8B-Instruct"} 0.28
sglang:num_running_reqs{model_name="meta-llama/Llama-3.1-8B-Instruct"} 162.0
sglang:num_queue_reqs{model_name="meta-llama/Llama-3.1-8B-Instruct"} 2826.0
sglang:generation_tokens_total{model_name="meta-llama/Llama-3.1-8B-Instruct"} 7.557572e+06
sglang:time_to_first_token_seconds_sum{model_name="m"} 20.0
sglang:time_to_first_token_seconds_bucket{le="1.0",model_name="m"} 10.0
sglang:time_to_first_token_seconds_bucket{le="+Inf",model_name="m"} 10.0
sglang:time_to_first_token_seconds_count{model_name="m"} 10.0
sglang:inter_token_latency_seconds_sum{model_name="m"} 0.5
sglang:inter_token_latency_seconds_bucket{le="0.05",model_name="m"} 10.0
sglang:inter_token_latency_seconds_bucket{le="+Inf",model_name="m"} 10.0
sglang:inter_token_latency_seconds_count{model_name="m"} 10.0
`,
  tgi: `# TYPE tgi_queue_size gauge
tgi_queue_size 12
# TYPE tgi_batch_current_size gauge
tgi_batch_current_size 5
tgi_request_mean_time_per_token_duration_bucket{le="0.02"} 1
tgi_request_mean_time_per_token_duration_bucket{le="0.04"} 4
tgi_request_mean_time_per_token_duration_bucket{le="+Inf"} 4
tgi_request_mean_time_per_token_duration_sum 0.12
tgi_request_mean_time_per_token_duration_count 4
tgi_request_generated_tokens_sum 512
tgi_request_generated_tokens_count 4
tgi_request_queue_duration_sum 2
tgi_request_queue_duration_count 4
tgi_batch_inference_duration_sum{method="prefill"} 0.9
tgi_batch_inference_duration_count{method="prefill"} 3
tgi_batch_inference_duration_sum{method="decode"} 90
tgi_batch_inference_duration_count{method="decode"} 300
`,
  triton: `# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{model="tensorrt_llm",version="1"} 4
nv_inference_queue_duration_us{model="tensorrt_llm",version="1"} 900000
nv_inference_compute_infer_duration_us{model="tensorrt_llm",version="1"} 2500000
nv_inference_first_response_histogram_ms_count{model="tensorrt_llm",version="1"} 10
nv_inference_first_response_histogram_ms_sum{model="tensorrt_llm",version="1"} 1500
nv_inference_first_response_histogram_ms_bucket{model="tensorrt_llm",version="1",le="100"} 5
nv_inference_first_response_histogram_ms_bucket{model="tensorrt_llm",version="1",le="500"} 10
nv_inference_first_response_histogram_ms_bucket{model="tensorrt_llm",version="1",le="+Inf"} 10
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 7
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="scheduled",version="1"} 2
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="used",model="tensorrt_llm",version="1"} 61
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="tensorrt_llm",version="1"} 0.61
nv_llm_output_token_len_sum{response_metric_type="total_output_tokens",model="tensorrt_llm",version="1"} 4000
`,
  llamacpp: `# HELP llamacpp:tokens_predicted_total Number of generation tokens processed.
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 39080
llamacpp:tokens_predicted_seconds_total 1235.5
llamacpp:predicted_tokens_seconds nan
llamacpp:kv_cache_usage_ratio 0.33
llamacpp:requests_processing 4
llamacpp:requests_deferred 46
`,
};

const value = (server: LlmServer, signal: (typeof llmSignals)[number], page = pages[server]) => {
  const measure = readScrape(page, 'auto').measures[signal];
  if (measure?.kind === 'value') return measure.value;
  return measure?.kind === 'count' ? measure.total : null;
};
const times = (server: LlmServer, signal: (typeof llmSignals)[number]) => {
  const measure = readScrape(pages[server], server).measures[signal];
  return measure?.kind === 'times' ? measure.parts : [];
};

describe.each(llmServers)('%s', (server) => {
  it('is recognised, and publishes what its documents may ask of it', () => {
    const scrape = readScrape(pages[server], 'auto');
    expect(scrape.server).toBe(server);
    expect(Object.keys(scrape.measures).sort()).toEqual(Object.keys(llmServerSignals[server]).sort());
    for (const signal of llmSignals) {
      const kind = llmServerSignals[server][signal];
      const measure = scrape.measures[signal];
      if (kind === 'quantiles')
        expect(measure).toMatchObject({ kind: 'times', parts: [{ buckets: expect.any(Array) }] });
      if (kind === 'mean')
        expect(measure?.kind === 'times' && measure.parts.every(({ buckets }) => buckets === null)).toBe(true);
      if (kind === 'value') expect(measure?.kind).toMatch(/value|count/);
    }
  });

  it('is told from the others', () => {
    for (const other of llmServers.filter((one) => one !== server)) {
      expect(() => readScrape(pages[other], server)).toThrow(`no metric of ${server}: it is a page of ${other}`);
    }
  });
});

describe('what the pages say', () => {
  it('engines of one server are added up, and the fullest cache counts', () => {
    expect(value('vllm', 'waitingRequests')).toBe(4);
    expect(value('vllm', 'runningRequests')).toBe(8);
    expect(value('vllm', 'kvCacheUse')).toBe(0.75);
    expect(value('vllm', 'tokensPerSecond')).toBe(27_453);
    const [first] = times('vllm', 'timeToFirstToken');
    expect(first && timingMeanMs(first)).toBe(400);
    expect(first && timingQuantileMs(first, 0.5)).toBeCloseTo(375, 9);
  });

  it('older names are read where the newer ones are not there', () => {
    const older = pages.vllm
      .replaceAll('kv_cache_usage_perc', 'gpu_cache_usage_perc')
      .replaceAll('inter_token_latency_seconds', 'time_per_output_token_seconds');
    expect(value('vllm', 'kvCacheUse', older)).toBe(0.75);
    expect(readScrape(older, 'vllm').measures.interTokenLatency?.kind).toBe('times');
  });

  it('TGI: a first token takes its wait and its prefill', () => {
    expect(times('tgi', 'timeToFirstToken').map(timingMeanMs)).toEqual([500, 300]);
    expect(value('tgi', 'waitingRequests')).toBe(12);
    expect(value('tgi', 'tokensPerSecond')).toBe(512);
  });

  it("Triton: the backend's gauges, else the pending requests, else the time spent waiting", () => {
    expect(value('triton', 'waitingRequests')).toBe(7);
    expect(value('triton', 'kvCacheUse')).toBe(0.61);
    const plain = pages.triton.replace(/^nv_trt_llm.*\n/gm, '');
    expect(value('triton', 'waitingRequests', plain)).toBe(4);
    const older = plain.replace(/^nv_inference_pending.*\n/gm, '');
    expect(readScrape(older, 'triton').measures.waitingRequests).toEqual({
      kind: 'count',
      total: 900_000,
      scale: 1e-6,
    });
    const [first] = times('triton', 'timeToFirstToken');
    expect(first && timingMeanMs(first)).toBe(150);
  });

  it("llama.cpp: the mean of a token's time, and no cache where a version tells none", () => {
    const [part] = times('llamacpp', 'interTokenLatency');
    expect(part && timingMeanMs(part)).toBeCloseTo(31.6146, 3);
    expect(value('llamacpp', 'kvCacheUse', pages.llamacpp.replace(/.*kv_cache.*\n/, ''))).toBeNull();
  });

  it('what a server does not know (NaN) is not zero', () => {
    const page = pages.vllm.replaceAll(/(vllm:num_requests_waiting\{.*\}) .*/g, '$1 NaN');
    expect(value('vllm', 'waitingRequests', page)).toBeNull();
  });

  it('a page of none of them says which are known', () => {
    expect(() => readScrape('go_goroutines 12\n', 'auto')).toThrow('(vllm, tgi, triton, llamacpp, sglang)');
    expect(() => readScrape('<html>vllm:</html>', 'vllm')).toThrow('none begins with vllm:');
  });

  it('every server has a file that names it', () => {
    for (const server of llmServers) expect(llmServerMetrics[server].server).toBe(server);
  });
});

describe('the text format', () => {
  const read = (text: string) =>
    Object.fromEntries(
      [...readMetricPage(text, () => true)].map(([name, samples]) => [name, samples.map((one) => one.value)]),
    );

  it('has labels with anything in them, times, exemplars, and numbers as Go writes them', () => {
    const text = [
      '# HELP a {"x"} 1',
      'a{b="}\\"\\n{,",c="d",} 1.5e+03 1700000000000',
      'a{b="x"}  -Inf',
      'c NaN # {trace_id="1"} 0.3',
      'd\t7\r',
      '',
      'e .5',
    ].join('\n');
    expect(read(text)).toEqual({ a: [1500, -Infinity], c: [Number.NaN], d: [7], e: [0.5] });
    const [first] = readMetricPage(text, (name) => name === 'a').get('a') ?? [];
    expect([...(first?.labels ?? [])]).toEqual([
      ['b', '}"\n{,'],
      ['c', 'd'],
    ]);
  });

  it.each(['a{b="c" 1', 'a', 'a{b=c} 1', 'a 1x', 'a{b="c"} '])('%j is not in it', (text) => {
    expect(() => read(text)).toThrow(MetricPageError);
  });

  it('lines of other metrics are not even read', () => {
    expect(readMetricPage('b{broken 1\na 1\n', (name) => name === 'a').get('a')?.[0]?.value).toBe(1);
  });
});
