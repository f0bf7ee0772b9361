import { randomUUID } from 'node:crypto';

export interface Usage {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
}

/** How one of the two endpoints words its answers. Each value is the JSON of a body or of one event of a stream. */
export interface AnswerShape {
  /** Comes before the first piece of a stream; undefined: nothing does. */
  begin(): object | undefined;
  piece(text: string): object;
  end(reason: string): object;
  usage(usage: Usage): object;
  whole(text: string, reason: string, usage: Usage): object;
}

export function chatShape(model: string, createdAtMs: number): AnswerShape {
  const id = `chatcmpl-${randomUUID()}`;
  const created = Math.floor(createdAtMs / 1000);
  const chunk = (choices: object[]) => ({ id, object: 'chat.completion.chunk', created, model, choices });
  const choice = (delta: object, reason: string | null) => [{ index: 0, delta, logprobs: null, finish_reason: reason }];
  return {
    begin: () => chunk(choice({ role: 'assistant', content: '' }, null)),
    piece: (text) => chunk(choice({ content: text }, null)),
    end: (reason) => chunk(choice({}, reason)),
    usage: (usage) => ({ ...chunk([]), usage: usageFields(usage) }),
    whole: (text, reason, usage) => {
      const message = { role: 'assistant', content: text };
      const choices = [{ index: 0, message, logprobs: null, finish_reason: reason }];
      return { id, object: 'chat.completion', created, model, choices, usage: usageFields(usage) };
    },
  };
}

export function textShape(model: string, createdAtMs: number): AnswerShape {
  const id = `cmpl-${randomUUID()}`;
  const created = Math.floor(createdAtMs / 1000);
  const answer = (choices: object[]) => ({ id, object: 'text_completion', created, model, choices });
  const choice = (text: string, reason: string | null) => [{ index: 0, text, logprobs: null, finish_reason: reason }];
  return {
    begin: () => undefined,
    piece: (text) => answer(choice(text, null)),
    end: (reason) => answer(choice('', reason)),
    usage: (usage) => ({ ...answer([]), usage: usageFields(usage) }),
    whole: (text, reason, usage) => ({ ...answer(choice(text, reason)), usage: usageFields(usage) }),
  };
}

function usageFields({ promptTokens, completionTokens, cachedTokens }: Usage) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}
