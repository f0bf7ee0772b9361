import { setTimeout as pause } from 'node:timers/promises';
import type { Settings } from './settings.ts';

/** Answers a question piece by piece. */
export type Answerer = (question: string, signal: AbortSignal) => AsyncIterable<string>;

/**
 * Why there is no answer. `refused`: this question will never be answered. `broken`: something went wrong on the way,
 * perhaps because of this question. `unavailable`: nobody is there to answer, whatever is asked.
 */
export class AnswerError extends Error {
  readonly kind: 'refused' | 'broken' | 'unavailable';

  constructor(kind: AnswerError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export function answererOf(settings: Settings): Answerer {
  return settings.answerer === 'echo' ? echo(settings.echoDelayMs) : chat(settings);
}

/** Repeats the question, word by word, within the time given. */
function echo(delayMs: number): Answerer {
  return async function* (question, signal) {
    const words = `You asked: ${question}`.split(/(?<= )/);
    for (const word of words) {
      await pause(delayMs / words.length, undefined, { signal });
      yield word;
    }
  };
}

/** Longest time for one answer, the wait for a replica of the model included. */
const answerWithinMs = 300_000;
/** What a server says to a question that it will not answer however often it is asked. */
const questionsFault = [400, 413, 422];
/** What comes from a replica that broke at this request. Everything else is about the server and not about the question. */
const brokenThere = [500, 502];

/** Asks a server with OpenAI's API. */
function chat({ chatUrl, model, maxTokens, systemPrompt }: Settings): Answerer {
  const url = new URL('/v1/chat/completions', chatUrl);
  return async function* (question, signal) {
    const messages = [
      { role: 'system', content: systemPrompt },
      { role: 'user', content: question },
    ];
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages, max_tokens: maxTokens, stream: true }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]),
    }).catch((error: Error) => {
      throw new AnswerError(
        'unavailable',
        `${url.origin} does not answer: ${(error.cause as Error)?.message ?? error}`,
      );
    });
    if (!response.ok || !response.body) throw await refusalOf(response);
    let isComplete = false;
    try {
      for await (const data of eventsOf(response.body)) {
        if (data === '[DONE]') {
          isComplete = true;
          continue;
        }
        const event = JSON.parse(data) as {
          error?: { message?: string };
          choices?: { delta?: { content?: string } }[];
        };
        if (event.error) throw new Error(event.error.message);
        const piece = event.choices?.[0]?.delta?.content ?? '';
        if (piece !== '') yield piece;
      }
    } catch (error) {
      throw new AnswerError('broken', `the answer broke off: ${(error as Error).message}`);
    }
    if (!isComplete) throw new AnswerError('broken', 'the answer broke off');
  };
}

async function refusalOf(response: Response): Promise<AnswerError> {
  const text = await response.text();
  const message = `${response.status}: ${messageIn(text) ?? text.slice(0, 500)}`;
  if (questionsFault.includes(response.status)) return new AnswerError('refused', message);
  return new AnswerError(brokenThere.includes(response.status) ? 'broken' : 'unavailable', message);
}

/** OpenAI's shape from the server, problem+json from the gateway. */
function messageIn(text: string): string | undefined {
  try {
    const body = JSON.parse(text) as { error?: { message?: string }; detail?: string };
    return body.error?.message ?? body.detail;
  } catch {
    return undefined;
  }
}

/** The data of a stream of server-sent events. */
async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let text = '';
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    text += part;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data:')) yield line.slice('data:'.length).trim();
  }
}
