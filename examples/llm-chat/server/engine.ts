/** What the server needs of a model. `llamaEngine.ts` is the real one; the tests have one that recites. */
export interface Engine {
  /** Tokens that one generation may take, prompt and answer together. */
  readonly contextTokens: number;
  /** A conversation as the model was trained to read it. Throws `PromptError` if the model cannot take it. */
  encodeChat(messages: readonly ChatMessage[]): number[];
  /** Plain text to go on from. */
  encodeText(text: string): number[];
  /**
   * Starts to write after `prompt`. The server runs at most as many at once as the engine was given sequences for. After
   * `signal` no further token is computed.
   */
  generate(prompt: readonly number[], options: SamplingOptions, signal: AbortSignal): Generation;
}

/**
 * One item for each token: the text that it completes, which is empty within a character of several tokens. Ends where the
 * model ends its answer; whoever has enough stops iterating.
 */
export interface Generation extends AsyncIterable<string> {
  /** Tokens at the begin of the prompt that did not have to be computed again. Known from the first token on. */
  readonly cachedTokens: number;
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface SamplingOptions {
  /** 0 always takes the likeliest token. */
  temperature: number;
  topP: number;
  frequencyPenalty: number;
  presencePenalty: number;
  /** The same seed, prompt and options give the same text. */
  seed: number | undefined;
}

/** The prompt is at fault: the message is for the caller. */
export class PromptError extends Error {}
