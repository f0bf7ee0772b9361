import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from './apiError.ts';

/** The body as text. Throws `ApiError` when it is longer than `mostBytes`. */
export function readBody(request: IncomingMessage, mostBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    // What is too much is read and dropped: most clients look for the answer only after they have sent everything.
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= mostBytes) chunks.push(chunk);
      else reject(new ApiError(413, `the body may have at most ${mostBytes} bytes`, { code: 'body_too_large' }));
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  sendText(response, status, `${JSON.stringify(value)}\n`, { 'content-type': 'application/json', ...headers });
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string>,
): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

/** Server-sent events as OpenAI streams them: each a line of JSON, the last one `[DONE]`. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;

  constructor(response: ServerResponse, signal: AbortSignal) {
    this.#response = response;
    this.#signal = signal;
  }

  /** Waits while the caller reads slower than the model writes, so that nothing piles up here. */
  async send(value: object): Promise<void> {
    if (!this.#response.headersSent) {
      this.#response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      });
    }
    if (this.#response.write(`data: ${JSON.stringify(value)}\n\n`)) return;
    await once(this.#response, 'drain', { signal: this.#signal });
  }

  end(): void {
    this.#response.end('data: [DONE]\n\n');
  }
}
