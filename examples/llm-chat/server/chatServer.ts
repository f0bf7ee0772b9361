import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server as NetServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Admission, QueueFullError } from './admission.ts';
import type { AnswerShape } from './answerShapes.ts';
import { ApiError } from './apiError.ts';
import { Completion } from './completion.ts';
import { answerLength, chat, type Endpoint, text } from './endpoints.ts';
import { type Engine, PromptError } from './engine.ts';
import { EventStream, readBody, sendJson, sendText } from './http.ts';
import { Metrics } from './metrics.ts';

export interface ChatServerOptions {
  /** What callers name it in `model`. */
  model: string;
  /** Requests generated at once. */
  parallel: number;
  /** Requests that may wait beyond those; more are refused. */
  maxWaiting: number;
  /** For conversations that name none. */
  defaultMaxTokens: number;
  /** For requests that name none. */
  defaultTemperature: number;
  log(line: string): void;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  arrivedAtMs: number;
  /** Ends when the caller has gone, or when this server may wait for it no longer. */
  signal: AbortSignal;
  /** What it asked for, once that is known. For the log. */
  completion?: Completion;
}

const mostBodyBytes = 1024 * 1024;
const lastWordsMs = 500;
const callerGone = new Error('the caller has gone');
const outOfTime = new ApiError(503, 'the server is shutting down', { code: 'shutting_down' });

/** An OpenAI-compatible API over an engine. It listens before there is one, so that a probe can watch the load. */
export class ChatServer {
  readonly #options: ChatServerOptions;
  readonly #admission: Admission;
  readonly #metrics: Metrics;
  readonly #active = new Set<AbortController>();
  readonly #startedAtMs = Date.now();
  readonly #server = createServer((request, response) => this.#handle(request, response));
  #engine: Engine | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: ChatServerOptions) {
    this.#options = options;
    this.#admission = new Admission(options.parallel, options.maxWaiting);
    this.#metrics = new Metrics(options.model);
    // Longer than a proxy keeps its connections, so that it is not this side that closes one as a request is under way.
    this.#server.keepAliveTimeout = 75_000;
  }

  /** From now on the server is ready. */
  useEngine(engine: Engine): void {
    this.#engine = engine;
  }

  /** Listens on loopback and returns the address. Port 0 takes any free one. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Takes no more connections and resolves when all answers are out; what is not by then is broken off. */
  async stop(graceMs: number): Promise<void> {
    // Stops listening and no more. HTTP's own close also cuts connections whose answer is complete but not yet sent.
    NetServer.prototype.close.call(this.#server);
    const breakOff = setTimeout(() => {
      for (const caller of this.#active) caller.abort(outOfTime);
    }, graceMs);
    // Who does not read would never get to the end of an answer.
    const cut = setTimeout(() => this.#server.closeAllConnections(), graceMs + lastWordsMs);
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      if (this.#active.size === 0) resolve();
    });
    clearTimeout(breakOff);
    clearTimeout(cut);
    this.#server.closeAllConnections();
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const caller = new AbortController();
    const exchange: Exchange = {
      request,
      response,
      path: (request.url ?? '/').split('?', 1)[0] ?? '/',
      arrivedAtMs: performance.now(),
      signal: caller.signal,
    };
    this.#active.add(caller);
    if (this.#onIdle) response.setHeader('connection', 'close');
    // Comes after the last byte was handed to the system, or when the caller is gone.
    response.once('close', () => {
      caller.abort(callerGone);
      this.#active.delete(caller);
      this.#record(exchange);
      if (this.#active.size === 0) this.#onIdle?.();
    });
    void this.#answer(exchange);
  }

  async #answer(exchange: Exchange): Promise<void> {
    try {
      const { path } = exchange;
      const { method } = exchange.request;
      const route = Object.hasOwn(this.#routes, path) ? this.#routes[path] : undefined;
      if (!route) {
        throw new ApiError(404, `there is nothing at ${path}; GET / tells what there is`, { code: 'not_found' });
      }
      if (method !== route.method) {
        const headers = { allow: route.method };
        throw new ApiError(405, `${path} takes ${route.method}, not ${method}`, {
          code: 'method_not_allowed',
          headers,
        });
      }
      await route.answer(exchange);
    } catch (error) {
      this.#refuse(exchange, exchange.signal.aborted ? exchange.signal.reason : error);
    }
  }

  readonly #routes: Record<string, { method: string; answer(exchange: Exchange): Promise<void> | void }> = {
    '/': { method: 'GET', answer: ({ response }) => sendText(response, 200, this.#usage(), plainText) },
    '/healthz': { method: 'GET', answer: ({ response }) => sendJson(response, 200, { status: 'alive' }) },
    '/readyz': { method: 'GET', answer: ({ response }) => this.#sayReady(response) },
    '/metrics': { method: 'GET', answer: ({ response }) => this.#sendMetrics(response) },
    '/v1/models': { method: 'GET', answer: ({ response }) => sendJson(response, 200, this.#models()) },
    '/v1/chat/completions': { method: 'POST', answer: (exchange) => this.#complete(exchange, chat) },
    '/v1/completions': { method: 'POST', answer: (exchange) => this.#complete(exchange, text) },
  };

  async #complete(exchange: Exchange, endpoint: Endpoint): Promise<void> {
    const { model, defaultTemperature } = this.#options;
    const { body, encode } = endpoint.read(await readBody(exchange.request, mostBodyBytes), defaultTemperature);
    if (body.model !== undefined && body.model !== model) {
      throw new ApiError(404, `the model "${body.model}" does not exist here; this server has "${model}"`, {
        code: 'model_not_found',
        param: 'model',
      });
    }
    const engine = this.#engine;
    if (!engine) {
      throw new ApiError(503, 'the model is still loading', { code: 'model_loading', headers: { 'retry-after': '1' } });
    }
    const prompt = encode(engine);
    const defaultMaxTokens = endpoint.defaultMaxTokens ?? this.#options.defaultMaxTokens;
    const maxTokens = answerLength(prompt.length, body.maxTokens, defaultMaxTokens, engine.contextTokens);
    const completion = new Completion(
      { engine, admission: this.#admission, metrics: this.#metrics },
      { prompt, maxTokens, stop: body.stop, sampling: body.sampling, arrivedAtMs: exchange.arrivedAtMs },
    );
    exchange.completion = completion;
    const shape = endpoint.shape(model, Date.now());
    if (body.stream) await streamAnswer(exchange, completion, shape, body.includeUsage);
    else await sendAnswer(exchange, completion, shape);
  }

  #refuse({ response }: Exchange, error: unknown): void {
    if (response.destroyed) return;
    const refusal = this.#refusalOf(error);
    // An answer that is under way can only be broken off where the caller sees it.
    if (response.headersSent) response.end(`data: ${JSON.stringify(refusal.body())}\n\n`);
    else sendJson(response, refusal.status, refusal.body(), refusal.headers);
  }

  #refusalOf(error: unknown): ApiError {
    if (error instanceof ApiError) return error;
    if (error instanceof PromptError) return new ApiError(400, error.message, { param: 'messages' });
    if (error instanceof QueueFullError) {
      return new ApiError(429, error.message, { code: 'rate_limit_exceeded', headers: { 'retry-after': '1' } });
    }
    this.#options.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return new ApiError(500, 'the answer could not be generated; the log of the server says why');
  }

  #sayReady(response: ServerResponse): void {
    const status = this.#onIdle ? 'stopping' : this.#engine ? 'ready' : 'loading';
    sendJson(response, status === 'ready' ? 200 : 503, { status });
  }

  #sendMetrics(response: ServerResponse): void {
    const metrics = this.#metrics.text({
      running: this.#admission.running,
      waiting: this.#admission.waiting,
      cacheCapacityTokens: (this.#engine?.contextTokens ?? 0) * this.#options.parallel,
    });
    sendText(response, 200, metrics, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  }

  #models() {
    const created = Math.floor(this.#startedAtMs / 1000);
    const { model } = this.#options;
    const length = this.#engine ? { max_model_len: this.#engine.contextTokens } : {};
    return { object: 'list', data: [{ id: model, object: 'model', created, owned_by: 'local', ...length }] };
  }

  #usage(): string {
    return `${this.#options.model} behind an OpenAI-compatible API.

  POST /v1/chat/completions   {"messages": [{"role": "user", "content": "..."}], "stream": true}
  POST /v1/completions        {"prompt": "..."}
  GET  /v1/models
  GET  /healthz, /readyz, /metrics
`;
  }

  #record({ request, response, path, arrivedAtMs, completion }: Exchange): void {
    // Probes and scrapes come every second and would drown the rest.
    if (request.method === 'GET') return;
    const status = response.writableFinished ? response.statusCode : 499;
    const tookMs = Math.round(performance.now() - arrivedAtMs);
    const tokens = completion ? `, ${completion.promptTokens}+${completion.completionTokens} tokens` : '';
    this.#options.log(`${new Date().toISOString()} ${request.method} ${path} ${status} ${tookMs} ms${tokens}`);
  }
}

const plainText = { 'content-type': 'text/plain; charset=utf-8' };

async function sendAnswer({ response, signal }: Exchange, completion: Completion, shape: AnswerShape): Promise<void> {
  let whole = '';
  for await (const piece of completion.text(signal)) whole += piece;
  sendJson(response, 200, shape.whole(whole, completion.finishReason, completion));
}

async function streamAnswer(
  { response, signal }: Exchange,
  completion: Completion,
  shape: AnswerShape,
  includeUsage: boolean,
): Promise<void> {
  const events = new EventStream(response, signal);
  // With usage asked for, every event has the field, and the last one fills it.
  const send = (event: object) => events.send(includeUsage && !('usage' in event) ? { ...event, usage: null } : event);
  const begin = async () => {
    const event = shape.begin();
    if (event) await send(event);
  };
  let begun = false;
  for await (const piece of completion.text(signal)) {
    // Not before there is something to say: until then a refusal still has its own status.
    if (!begun) await begin();
    begun = true;
    await send(shape.piece(piece));
  }
  if (!begun) await begin();
  await send(shape.end(completion.finishReason));
  if (includeUsage) await send(shape.usage(completion));
  events.end();
}
