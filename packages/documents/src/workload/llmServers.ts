/** Servers of language models whose own metrics Ebb can read. */
export const llmServers = ['vllm', 'tgi', 'triton', 'llamacpp', 'sglang'] as const;
export type LlmServer = (typeof llmServers)[number];

/** What of a server's metrics a policy can go by. */
export const llmSignals = [
  'timeToFirstToken',
  'interTokenLatency',
  'tokensPerSecond',
  'kvCacheUse',
  'waitingRequests',
  'runningRequests',
] as const;
export type LlmSignal = (typeof llmSignals)[number];

/** `quantiles`: a histogram, so means and quantiles; `mean`: only the mean; `value`: one number; left out: not published. */
export type LlmSignalKind = 'quantiles' | 'mean' | 'value';

const values = { kvCacheUse: 'value', waitingRequests: 'value', runningRequests: 'value' } as const;
const times = { timeToFirstToken: 'quantiles', interTokenLatency: 'quantiles' } as const;

/** What each server publishes, as its own documentation says; a test holds the names that are read to this. */
export const llmServerSignals: Record<LlmServer, Partial<Record<LlmSignal, LlmSignalKind>>> = {
  vllm: { ...times, ...values, tokensPerSecond: 'value' },
  sglang: { ...times, ...values, tokensPerSecond: 'value' },
  tgi: {
    timeToFirstToken: 'mean',
    interTokenLatency: 'quantiles',
    tokensPerSecond: 'value',
    waitingRequests: 'value',
    runningRequests: 'value',
  },
  triton: { timeToFirstToken: 'quantiles', tokensPerSecond: 'value', ...values },
  llamacpp: { interTokenLatency: 'mean', tokensPerSecond: 'value', ...values },
};
