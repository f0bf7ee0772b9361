import {
  type AgentOptions,
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { Agent as HttpsAgent, type RequestOptions, request as httpsRequest } from 'node:https';

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** Left out: `application/json`. */
  readonly contentType?: string;
  /** The whole exchange may take this long; of a stream: until its head is there. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface TransportAnswer {
  readonly status: number;
  /** Seconds that the server asks to wait, in ms; null: it does not say. */
  readonly retryAfterMs: number | null;
  readonly text: string;
}

/** Exchanges with one API server. Rejects where no answer came; every status is an answer. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportAnswer>;
  /** Gives each line as it comes. Resolves at the end of the stream with null, or with the answer that refuses it. */
  lines(
    request: TransportRequest & { readonly idleMs: number },
    take: (line: string) => void,
  ): Promise<TransportAnswer | null>;
  close(): void;
}

/** No answer: the server is not reached, or has not answered in time. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

export interface HttpTransportOptions {
  readonly server: string;
  /** Adds credentials and certificates to what is sent, before each request. */
  authorize?(options: RequestOptions): Promise<void>;
}

/** Answers longer than this are not read: a page of 500 objects is far below it. */
const longestAnswerBytes = 256 * 1024 * 1024;

/** An object is at most 2 MB or so. */
const longestLine = 32 * 1024 * 1024;

/** Further ones wait for a connection: thousands of handshakes would take longer than they do. */
const requestsAtOnce = 64;
const idleConnections = 8;

/** HTTP/1.1 with kept connections: a watch has one of its own. */
export function httpTransport({ server, authorize }: HttpTransportOptions): Transport {
  const base = new URL(server);
  const isSecure = base.protocol === 'https:';
  const newAgent = (options: AgentOptions) => (isSecure ? new HttpsAgent(options) : new HttpAgent(options));
  const requests = newAgent({ keepAlive: true, maxSockets: requestsAtOnce, maxFreeSockets: idleConnections });
  const watches = newAgent({ keepAlive: true });
  const open = new Set<ClientRequest>();

  async function begin(
    request: TransportRequest,
    agent: HttpAgent,
  ): Promise<{ sent: ClientRequest; answer: Promise<IncomingMessage> }> {
    const url = new URL(base.pathname.replace(/\/$/, '') + request.path, base);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const body = request.body === undefined ? null : JSON.stringify(request.body);
    const options: RequestOptions = { method: request.method, headers: {}, agent };
    await authorize?.(options);
    options.headers = {
      ...options.headers,
      accept: 'application/json',
      ...(body === null
        ? {}
        : {
            'content-type': request.contentType ?? 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          }),
    };
    request.signal?.throwIfAborted();
    const sent = isSecure ? httpsRequest(url, options) : httpRequest(url, options);
    open.add(sent);
    // Without an error of ours: a connection that was just given back has nobody who would take one.
    const abort = () => sent.destroy();
    request.signal?.addEventListener('abort', abort, { once: true });
    sent.once('close', () => {
      open.delete(sent);
      request.signal?.removeEventListener('abort', abort);
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      sent.on('error', (error) => reject(unreachable(error)));
      sent.once('close', () => reject(new UnreachableError('the connection was closed')));
    });
    // Whoever waits for the answer hears of it; a later error ends the body.
    answer.catch(() => {});
    sent.end(body ?? undefined);
    return { sent, answer };
  }

  return {
    async send(request) {
      const { sent, answer } = await begin(request, requests);
      const late = new Timeout(sent);
      late.start(request.timeoutMs);
      try {
        const message = await answer;
        return { status: message.statusCode ?? 0, retryAfterMs: retryAfter(message), text: await readText(message) };
      } catch (error) {
        throw late.isOver ? lateError(request) : unreachable(error);
      } finally {
        late.stop();
      }
    },
    async lines(request, take) {
      const { sent, answer } = await begin(request, watches);
      const late = new Timeout(sent);
      late.start(request.timeoutMs);
      try {
        const message = await answer;
        if (message.statusCode !== 200) {
          return { status: message.statusCode ?? 0, retryAfterMs: retryAfter(message), text: await readText(message) };
        }
        late.start(request.idleMs);
        message.on('data', () => late.start(request.idleMs));
        const ended = new Promise<void>((resolve, reject) => {
          message.once('close', () =>
            message.complete ? resolve() : reject(new UnreachableError('the stream broke off')),
          );
          message.on('error', reject);
        });
        let rest = '';
        message.setEncoding('utf8');
        message.on('data', (text: string) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          if (rest.length > longestLine) sent.destroy();
          for (const line of lines) if (line !== '') take(line);
        });
        await ended;
        return null;
      } catch (error) {
        throw late.isOver ? lateError(request) : unreachable(error);
      } finally {
        late.stop();
      }
    },
    close() {
      for (const sent of open) sent.destroy();
      requests.destroy();
      watches.destroy();
    },
  };
}

/** Ends an exchange that takes too long. */
class Timeout {
  isOver = false;
  readonly #sent: ClientRequest;
  #timer: NodeJS.Timeout | undefined;

  constructor(sent: ClientRequest) {
    this.#sent = sent;
  }

  start(delayMs: number): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.isOver = true;
      this.#sent.destroy();
    }, delayMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

async function readText(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of message) {
    if (!Buffer.isBuffer(part)) continue;
    length += part.length;
    if (length > longestAnswerBytes) throw new UnreachableError('the answer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function retryAfter({ headers }: IncomingMessage): number | null {
  const seconds = Number(headers['retry-after']);
  return headers['retry-after'] !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

function lateError({ method, path }: TransportRequest): UnreachableError {
  return new UnreachableError(`${method} ${path}: nothing came in time`);
}

function unreachable(error: unknown): Error {
  if (error instanceof UnreachableError) return error;
  return new UnreachableError(error instanceof Error ? error.message : String(error), { cause: error });
}
