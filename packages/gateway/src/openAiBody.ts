/** What routing and the choice of a class need from an OpenAI-style JSON body. */
export interface OpenAiBody {
  model: string | null;
  maxTokens: number | null;
}

export function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType);
}

/** Reads `model` and `max_completion_tokens` or `max_tokens`. A body that is not such JSON has neither. */
export function readOpenAiBody(body: Buffer): OpenAiBody {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return { model: null, maxTokens: null };
  }
  if (typeof value !== 'object' || value === null) return { model: null, maxTokens: null };
  const model = 'model' in value ? value.model : null;
  const tokens =
    ('max_completion_tokens' in value ? value.max_completion_tokens : null) ??
    ('max_tokens' in value ? value.max_tokens : null);
  return {
    model: typeof model === 'string' ? model : null,
    maxTokens: typeof tokens === 'number' && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : null,
  };
}
