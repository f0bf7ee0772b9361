import { Template } from '@huggingface/jinja';
import { randomInt } from 'node:crypto';
import {
  getLlama,
  type Llama,
  LlamaLogLevel,
  type LlamaContextSequence,
  type LlamaModel,
  type SequenceEvaluateOptions,
  type Token,
} from 'node-llama-cpp';
import { type ChatMessage, type Engine, type Generation, PromptError, type SamplingOptions } from './engine.ts';
import type { ModelSettings } from './settings.ts';

/** Prompt tokens computed between two looks at the signal. With fewer, a long prompt takes longer in all. */
const prefillTokens = 64;
/** Tokens of the text so far that decide how the next one is written, such as whether it begins with a space. */
const writingContextTokens = 8;
/** Most tokens that one character may be made of before it is shown as it is. */
const longestCharacterTokens = 8;
/** Tokens back to which the penalties of a request reach. */
const penaltyTokens = 256;
const replacementCharacter = '\ufffd';

/** Loads the weights (by mmap: replicas of one machine share them) and sets up the sequences. */
export async function loadLlamaEngine(options: ModelSettings): Promise<Engine> {
  const { modelPath, parallel, contextTokens, threads } = options;
  const llama: Llama = await getLlama({
    build: 'never',
    gpu: options.gpu === 'off' ? false : options.gpu,
    logLevel: LlamaLogLevel.error,
    progressLogs: false,
    skipDownload: true,
    maxThreads: threads,
  });
  const model = await llama.loadModel({ modelPath, gpuLayers: options.gpu === 'off' ? 0 : 'auto' });
  const context = await model.createContext({ sequences: parallel, contextSize: contextTokens, threads });
  const engine = new LlamaEngine(
    model,
    Array.from({ length: parallel }, () => context.getSequence()),
    context.contextSize,
    options.systemMessage,
  );
  await engine.warmUp();
  return engine;
}

class LlamaEngine implements Engine {
  readonly contextTokens: number;
  readonly #model: LlamaModel;
  readonly #render: ((messages: readonly ChatMessage[]) => string) | undefined;
  readonly #systemMessage: string;
  /** Sequences that no generation runs on. Each keeps its last tokens, so that what begins alike begins there. */
  readonly #free: Set<LlamaContextSequence>;

  constructor(model: LlamaModel, sequences: LlamaContextSequence[], contextTokens: number, systemMessage: string) {
    this.#model = model;
    this.#free = new Set(sequences);
    this.contextTokens = contextTokens;
    this.#systemMessage = systemMessage;
    const template = model.fileInfo.metadata.tokenizer.chat_template;
    if (template !== undefined) this.#render = renderer(new Template(template), model);
  }

  /**
   * Runs the model once, so that whoever comes first does not wait until the weights are read from the disk. The begin that
   * conversations have in common stays in the cache.
   */
  async warmUp(): Promise<void> {
    const prompt = this.#render ? this.encodeChat([{ role: 'user', content: '.' }]) : this.encodeText('.');
    const options = { temperature: 0, topP: 1, frequencyPenalty: 0, presencePenalty: 0, seed: undefined };
    for await (const _text of this.generate(prompt, options, new AbortController().signal)) break;
  }

  encodeChat(messages: readonly ChatMessage[]): number[] {
    if (!this.#render) {
      throw new PromptError('this model has no chat template: it is made for /v1/completions, not for conversations');
    }
    const hasSystem = this.#systemMessage === '' || messages[0]?.role === 'system';
    const system: ChatMessage = { role: 'system', content: this.#systemMessage };
    return this.#encode(this.#render(hasSystem ? messages : [system, ...messages]), true);
  }

  encodeText(text: string): number[] {
    return this.#encode(text, false);
  }

  #encode(text: string, specialTokens: boolean): number[] {
    const tokens = this.#model.tokenize(text, specialTokens);
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    // A template may have written it already.
    if (shouldPrependBosToken && bos !== null && tokens[0] !== bos) tokens.unshift(bos);
    return tokens;
  }

  generate(prompt: readonly number[], options: SamplingOptions, signal: AbortSignal): Generation {
    const sequence = this.#takeSequence(prompt as Token[]);
    return new LlamaGeneration(this.#model, sequence, prompt as Token[], options, signal, () =>
      this.#free.add(sequence),
    );
  }

  /** The free sequence that has most of the prompt in its cache. */
  #takeSequence(prompt: Token[]): LlamaContextSequence {
    const inCache = (sequence: LlamaContextSequence) => sequence.compareContextTokens(prompt).firstDifferentIndex;
    const [best] = [...this.#free].toSorted((a, b) => inCache(b) - inCache(a));
    if (best === undefined) throw new Error('more generations at once than there are sequences');
    this.#free.delete(best);
    return best;
  }
}

/** Writes conversations as the model's own template has them. */
function renderer(template: Template, { tokens }: LlamaModel) {
  const special = { bos_token: tokens.bosString ?? '', eos_token: tokens.eosString ?? '' };
  return (messages: readonly ChatMessage[]): string => {
    try {
      return template.render({ messages, add_generation_prompt: true, ...special });
    } catch (error) {
      // Many templates insist on an order of roles, and say so by failing.
      throw new PromptError(`the model's chat template refuses these messages: ${(error as Error).message}`);
    }
  };
}

class LlamaGeneration implements Generation {
  cachedTokens = 0;
  readonly #model: LlamaModel;
  readonly #sequence: LlamaContextSequence;
  readonly #prompt: Token[];
  readonly #options: SamplingOptions;
  readonly #signal: AbortSignal;
  readonly #release: () => void;

  constructor(
    model: LlamaModel,
    sequence: LlamaContextSequence,
    prompt: Token[],
    options: SamplingOptions,
    signal: AbortSignal,
    release: () => void,
  ) {
    this.#model = model;
    this.#sequence = sequence;
    this.#prompt = prompt;
    this.#options = options;
    this.#signal = signal;
    this.#release = release;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    const writer = new TokenWriter(this.#model, this.#prompt);
    try {
      const rest = await this.#prefill();
      if (this.#signal.aborted) return;
      for await (const token of this.#sequence.evaluate(rest, this.#sampling(writer))) {
        yield writer.write(token);
        if (this.#signal.aborted) return;
      }
    } finally {
      this.#release();
    }
  }

  /** Computes the prompt but for its last part, which it returns: that one brings the first token. */
  async #prefill(): Promise<Token[]> {
    const sequence = this.#sequence;
    const common = sequence.compareContextTokens(this.#prompt).firstDifferentIndex;
    // One token has to be left to compute: the next one comes out of it.
    const kept = Math.min(common, this.#prompt.length - 1);
    if (kept < sequence.nextTokenIndex) {
      await sequence.eraseContextTokenRanges([{ start: kept, end: sequence.nextTokenIndex }]);
    }
    this.cachedTokens = sequence.nextTokenIndex;
    let next = this.cachedTokens;
    for (; next + prefillTokens < this.#prompt.length && !this.#signal.aborted; next += prefillTokens) {
      await sequence.evaluateWithoutGeneratingNewTokens(this.#prompt.slice(next, next + prefillTokens));
    }
    return this.#prompt.slice(next);
  }

  #sampling(writer: TokenWriter): SequenceEvaluateOptions {
    const { temperature, topP, frequencyPenalty, presencePenalty, seed } = this.#options;
    const penalized = frequencyPenalty !== 0 || presencePenalty !== 0;
    return {
      temperature,
      topP,
      // Left out, it would be the time in seconds, the same for all requests of one second.
      seed: seed ?? randomInt(2 ** 32 - 1),
      ...(penalized
        ? {
            repeatPenalty: {
              punishTokens: () => writer.written,
              maxPunishTokens: penaltyTokens,
              penalty: 1,
              frequencyPenalty,
              presencePenalty,
            },
          }
        : {}),
    };
  }
}

/** Turns tokens into text one by one, though some characters take several tokens. */
class TokenWriter {
  /** Tokens of the answer so far, the latest ones. */
  written: Token[] = [];
  readonly #model: LlamaModel;
  readonly #prompt: Token[];
  #incomplete: Token[] = [];

  constructor(model: LlamaModel, prompt: Token[]) {
    this.#model = model;
    this.#prompt = prompt.slice(-writingContextTokens);
  }

  write(token: Token): string {
    const before = [...this.#prompt, ...this.written.slice(0, this.written.length - this.#incomplete.length)];
    this.#incomplete.push(token);
    this.written.push(token);
    if (this.written.length > penaltyTokens) this.written.splice(0, this.written.length - penaltyTokens);
    const text = this.#model.detokenize(this.#incomplete, false, before.slice(-writingContextTokens));
    if (text.endsWith(replacementCharacter) && this.#incomplete.length < longestCharacterTokens) return '';
    this.#incomplete = [];
    return text;
  }
}
