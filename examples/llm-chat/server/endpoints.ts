import { type AnswerShape, chatShape, textShape } from './answerShapes.ts';
import { ApiError } from './apiError.ts';
import type { Engine } from './engine.ts';
import { type GenerationBody, readChatBody, readTextBody } from './requestBody.ts';

/** One of the two ways to ask for text. */
export interface Endpoint {
  /** What the body asks for. Throws `ApiError`. */
  read(body: string, defaultTemperature: number): Asked;
  shape(model: string, createdAtMs: number): AnswerShape;
  /** Length of an answer that names none; undefined: the server's setting. */
  defaultMaxTokens: number | undefined;
}

interface Asked {
  body: GenerationBody;
  encode(engine: Engine): number[];
}

export const chat: Endpoint = {
  read(text, defaultTemperature) {
    const body = readChatBody(text, defaultTemperature);
    return { body, encode: (engine) => engine.encodeChat(body.messages) };
  },
  shape: chatShape,
  defaultMaxTokens: undefined,
};

export const text: Endpoint = {
  read(text, defaultTemperature) {
    const body = readTextBody(text, defaultTemperature);
    return { body, encode: (engine) => engine.encodeText(body.prompt) };
  },
  shape: textShape,
  defaultMaxTokens: 16,
};

/** How many tokens the answer may have. Throws `ApiError` when prompt and answer do not fit into the context. */
export function answerLength(
  promptTokens: number,
  maxTokens: number | undefined,
  defaultMaxTokens: number,
  contextTokens: number,
): number {
  const room = contextTokens - promptTokens;
  if (room < 1) {
    throw new ApiError(
      400,
      `the prompt has ${promptTokens} tokens; with at least one of an answer it must fit into ${contextTokens}`,
      { code: 'context_length_exceeded' },
    );
  }
  if (maxTokens === undefined) return Math.min(defaultMaxTokens, room);
  if (maxTokens <= room) return maxTokens;
  throw new ApiError(
    400,
    `"max_tokens" is ${maxTokens}, but beside the prompt's ${promptTokens} tokens there is room for ${room}: ` +
      `both together may have ${contextTokens}`,
    { code: 'context_length_exceeded', param: 'max_tokens' },
  );
}
