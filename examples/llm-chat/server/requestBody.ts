import { ApiError } from './apiError.ts';
import type { ChatMessage, SamplingOptions } from './engine.ts';

/** What both endpoints take. */
export interface GenerationBody {
  model: string | undefined;
  stream: boolean;
  includeUsage: boolean;
  maxTokens: number | undefined;
  stop: string[];
  sampling: SamplingOptions;
}

export interface ChatBody extends GenerationBody {
  messages: ChatMessage[];
}

export interface TextBody extends GenerationBody {
  prompt: string;
}

type Fields = Record<string, unknown>;

const mostStops = 4;
const largestSeed = 2 ** 32 - 1;

/** The body of `/v1/chat/completions`. Throws `ApiError` with the field at fault. */
export function readChatBody(text: string, defaultTemperature: number): ChatBody {
  const fields = readFields(text);
  const { messages } = fields;
  if (!Array.isArray(messages) || messages.length === 0) {
    throw invalid('messages', 'must be a list of at least one message', messages);
  }
  return { ...readGeneration(fields, defaultTemperature), messages: messages.map(readMessage) };
}

/** The body of `/v1/completions`. Throws `ApiError` with the field at fault. */
export function readTextBody(text: string, defaultTemperature: number): TextBody {
  const fields = readFields(text);
  // Client libraries wrap a single prompt in a list.
  const prompt: unknown =
    Array.isArray(fields['prompt']) && fields['prompt'].length === 1 ? fields['prompt'][0] : fields['prompt'];
  if (typeof prompt !== 'string') throw invalid('prompt', 'must be a text, or a list of one text', fields['prompt']);
  return { ...readGeneration(fields, defaultTemperature), prompt };
}

function readFields(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, `the body is not JSON: ${(error as Error).message}`, { code: 'invalid_json' });
  }
  if (!isMap(value)) throw new ApiError(400, `the body must be a JSON object, not ${shown(value)}`);
  return value;
}

function readGeneration(fields: Fields, defaultTemperature: number): GenerationBody {
  refuseUnsupported(fields);
  const stream = readFlag(fields, 'stream');
  const streamOptions = fields['stream_options'] ?? {};
  if (!isMap(streamOptions)) throw invalid('stream_options', 'must be an object', streamOptions);
  if (fields['stream_options'] && !stream) throw invalid('stream_options', 'is for requests with "stream": true');
  const model = fields['model'] ?? undefined;
  if (model !== undefined && typeof model !== 'string') throw invalid('model', 'must be a text', model);
  return {
    model,
    stream,
    includeUsage: readFlag(streamOptions, 'include_usage'),
    // The newer name has precedence; OpenAI's clients send one of the two.
    maxTokens:
      readNumber(fields, 'max_completion_tokens', { least: 1, whole: true }) ??
      readNumber(fields, 'max_tokens', { least: 1, whole: true }),
    stop: readStop(fields['stop']),
    sampling: {
      temperature: readNumber(fields, 'temperature', { least: 0, most: 2 }) ?? defaultTemperature,
      topP: readNumber(fields, 'top_p', { least: 0, most: 1 }) ?? 1,
      frequencyPenalty: readNumber(fields, 'frequency_penalty', { least: -2, most: 2 }) ?? 0,
      presencePenalty: readNumber(fields, 'presence_penalty', { least: -2, most: 2 }) ?? 0,
      seed: readNumber(fields, 'seed', { least: 0, most: largestSeed, whole: true }),
    },
  };
}

/** What would change the answer and is not done here must not be passed over in silence. */
function refuseUnsupported(fields: Fields): void {
  const unsupported: [name: string, harmless: (value: unknown) => boolean][] = [
    ['n', (value) => value === 1],
    ['best_of', (value) => value === 1],
    ['logprobs', (value) => value === false],
    ['echo', (value) => value === false],
    ['suffix', (value) => value === ''],
    ['tools', (value) => Array.isArray(value) && value.length === 0],
    ['response_format', (value) => isMap(value) && value['type'] === 'text'],
  ];
  for (const [name, harmless] of unsupported) {
    const value = fields[name] ?? undefined;
    if (value !== undefined && !harmless(value)) throw invalid(name, 'is not supported by this server', value);
  }
}

function readMessage(message: unknown, index: number): ChatMessage {
  const param = `messages[${index}]`;
  if (!isMap(message)) throw invalid(param, 'must be an object with role and content', message);
  return { role: readRole(message['role'], param), content: readContent(message['content'], param) };
}

function readRole(role: unknown, param: string): ChatMessage['role'] {
  if (role === 'system' || role === 'user' || role === 'assistant') return role;
  if (role === 'developer') return 'system';
  throw invalid(`${param}.role`, 'must be system, developer, user or assistant', role);
}

function readContent(content: unknown, param: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid(`${param}.content`, 'must be a text or a list of text parts', content);
  const texts = content.map((part: unknown, index) => {
    if (isMap(part) && part['type'] === 'text' && typeof part['text'] === 'string') return part['text'];
    throw invalid(`${param}.content[${index}]`, 'must be a text part: this model reads text only', part);
  });
  return texts.join('\n');
}

function readStop(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const stops: unknown[] = Array.isArray(value) ? value : [value];
  if (stops.length > mostStops) throw invalid('stop', `may have at most ${mostStops} texts, not ${stops.length}`);
  return stops.map((stop) => {
    if (typeof stop === 'string' && stop !== '') return stop;
    throw invalid('stop', `must be a text or up to ${mostStops} texts, none of them empty`, stop);
  });
}

function readFlag(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value !== 'boolean') throw invalid(name, 'must be true or false', value);
  return value;
}

interface Bounds {
  least: number;
  most?: number;
  whole?: boolean;
}

function readNumber(
  fields: Fields,
  name: string,
  { least, most = Infinity, whole = false }: Bounds,
): number | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  const fits = typeof value === 'number' && value >= least && value <= most && (!whole || Number.isSafeInteger(value));
  if (fits) return value;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw invalid(name, `must be a ${whole ? 'whole ' : ''}number ${range}`, value);
}

function invalid(param: string, says: string, found?: unknown): ApiError {
  const end = found === undefined ? '' : `, not ${shown(found)}`;
  return new ApiError(400, `"${param}" ${says}${says.startsWith('is ') ? '' : end}`, { param, code: 'invalid_value' });
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
