import { type ChatMessage, type Engine, type Generation, PromptError, type SamplingOptions } from '../server/engine.ts';

/**
 * An engine whose every token is a word. It recites what it was given, word after word; once `hold` was called, each word
 * waits for `allow`.
 */
export class RecitingEngine implements Engine {
  readonly contextTokens: number;
  /** What generations were started with, in order. */
  readonly started: { promptTokens: number; options: SamplingOptions }[] = [];
  /** Tokens computed so far, in all generations. */
  computed = 0;
  running = 0;
  mostRunning = 0;
  /** Thrown in place of the token of that number. */
  failure: { atToken: number; error: Error } | undefined;
  readonly #words: readonly string[];
  #held = false;
  #allowed = 0;
  #wake: (() => void)[] = [];

  constructor(words: readonly string[], contextTokens = 64) {
    this.#words = words;
    this.contextTokens = contextTokens;
  }

  hold(): void {
    this.#held = true;
  }

  /** Lets so many more words go. */
  allow(words: number): void {
    this.#allowed += words;
    for (const wake of this.#wake.splice(0)) wake();
  }

  encodeChat(messages: readonly ChatMessage[]): number[] {
    if (messages.at(-1)?.role === 'assistant') throw new PromptError('the last message must be of the user');
    // Each message also costs a token that says whose it is.
    return messages.flatMap(({ content }) => [0, ...this.encodeText(content)]);
  }

  encodeText(text: string): number[] {
    return text
      .split(/\s+/)
      .filter(Boolean)
      .map((word) => word.length);
  }

  generate(prompt: readonly number[], options: SamplingOptions, signal: AbortSignal): Generation {
    this.started.push({ promptTokens: prompt.length, options });
    return { cachedTokens: Math.min(1, prompt.length - 1), [Symbol.asyncIterator]: () => this.#recite(signal) };
  }

  async *#recite(signal: AbortSignal): AsyncGenerator<string, void, void> {
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      for (const [index, word] of this.#words.entries()) {
        await this.#turn(signal);
        if (signal.aborted) return;
        if (this.failure?.atToken === index) throw this.failure.error;
        this.computed += 1;
        yield word;
      }
    } finally {
      this.running -= 1;
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    while (this.#held && this.#allowed === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (this.#held && !signal.aborted) this.#allowed -= 1;
  }
}
