import { performance } from 'node:perf_hooks';
import type { Admission } from './admission.ts';
import type { Engine, SamplingOptions } from './engine.ts';
import type { FinishedReason, Metrics } from './metrics.ts';
import { StopSequences } from './stopSequences.ts';

export interface CompletionRequest {
  prompt: readonly number[];
  maxTokens: number;
  stop: readonly string[];
  sampling: SamplingOptions;
  /** `performance.now()` when it arrived. */
  arrivedAtMs: number;
}

interface Parts {
  engine: Engine;
  admission: Admission;
  metrics: Metrics;
}

/** One request from its place in the queue to its last token. The counts and the reason are right once it has ended. */
export class Completion {
  completionTokens = 0;
  cachedTokens = 0;
  finishReason: 'stop' | 'length' = 'stop';
  readonly #parts: Parts;
  readonly #request: CompletionRequest;

  constructor(parts: Parts, request: CompletionRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  get promptTokens(): number {
    return this.#request.prompt.length;
  }

  /**
   * The answer, piece by piece. Throws `QueueFullError` if there is no place to wait, the signal's reason when aborted,
   * and what the engine throws.
   */
  async *text(signal: AbortSignal): AsyncGenerator<string, void, void> {
    const { admission, metrics } = this.#parts;
    const { arrivedAtMs } = this.#request;
    const sinceArrival = () => (performance.now() - arrivedAtMs) / 1000;
    const leave = await admission.enter(signal);
    // What is neither finished nor failed was left by its reader.
    let reason: FinishedReason = 'abort';
    try {
      metrics.queueSeconds.observe(sinceArrival());
      yield* this.#generate(signal);
      reason = this.finishReason;
      metrics.requestSeconds.observe(sinceArrival());
    } catch (error) {
      if (!signal.aborted) reason = 'error';
      throw error;
    } finally {
      metrics.finish(reason);
      leave();
    }
  }

  async *#generate(signal: AbortSignal): AsyncGenerator<string, void, void> {
    const { engine, metrics } = this.#parts;
    const { prompt, maxTokens, sampling } = this.#request;
    const stops = new StopSequences(this.#request.stop);
    metrics.cachedByRunning += prompt.length;
    try {
      const generation = engine.generate(prompt, sampling, signal);
      let lastTokenAtMs: number | undefined;
      for await (const piece of generation) {
        signal.throwIfAborted();
        lastTokenAtMs = this.#countToken(lastTokenAtMs, () => generation.cachedTokens);
        const text = stops.push(piece);
        if (text !== '') yield text;
        if (stops.found) break;
        if (this.completionTokens >= maxTokens) {
          this.finishReason = 'length';
          break;
        }
      }
      // An engine may end early when it is told to.
      signal.throwIfAborted();
      const rest = stops.end();
      if (rest !== '') yield rest;
    } finally {
      metrics.cachedByRunning -= prompt.length + this.completionTokens;
    }
  }

  #countToken(lastTokenAtMs: number | undefined, cachedTokens: () => number): number {
    const { metrics } = this.#parts;
    const nowMs = performance.now();
    this.completionTokens += 1;
    metrics.generationTokens += 1;
    metrics.cachedByRunning += 1;
    if (lastTokenAtMs !== undefined) {
      metrics.timePerOutputTokenSeconds.observe((nowMs - lastTokenAtMs) / 1000);
      return nowMs;
    }
    this.cachedTokens = cachedTokens();
    metrics.promptTokens += this.promptTokens;
    metrics.prefixHits += this.cachedTokens;
    metrics.timeToFirstTokenSeconds.observe((nowMs - this.#request.arrivedAtMs) / 1000);
    return nowMs;
  }
}
