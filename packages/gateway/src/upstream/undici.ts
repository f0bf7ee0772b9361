import { createRequire } from 'node:module';
import type { Client, Dispatcher } from 'undici';
import type {
  AnswerHead,
  AnswerSink,
  FieldList,
  Upstream,
  UpstreamAddress,
  UpstreamCall,
  UpstreamFailure,
  UpstreamRequest,
} from '../exchange.ts';
import { limits } from '../limits.ts';
import { sendUpgrade } from './upgrade.ts';

/** What undici says when the other side went away. */
const closedCodes = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

// The package's index also loads fetch, WebSocket and caches: three times the start-up time of the one class used.
const loaded: unknown = createRequire(import.meta.url)('undici/lib/dispatcher/client.js');
if (!isClientClass(loaded)) throw new Error('undici keeps its Client elsewhere in this version');
const ClientClass = loaded;

/**
 * HTTP/1.1 to replicas with undici. An undici Pool with a limit queues silently what exceeds it; so each connection
 * is a Client of its own here, an exchange takes an idle one or makes one, and nothing ever waits.
 */
export class UndiciUpstream implements Upstream {
  readonly #pools = new Map<string, Connection[]>();
  readonly #forgotten = new Set<string>();
  #closed = false;

  send(address: UpstreamAddress, request: UpstreamRequest, sink: AnswerSink): UpstreamCall {
    if (request.upgrade !== null) return sendUpgrade(address, request, sink);
    const origin = originOf(address);
    this.#forgotten.delete(origin);
    const connection = this.#pools.get(origin)?.pop() ?? this.#connect(origin);
    const call = new UndiciCall(connection, sink, () => this.#putBack(connection));
    call.dispatch(request);
    return call;
  }

  forget(address: UpstreamAddress): void {
    const origin = originOf(address);
    this.#forgotten.add(origin);
    for (const connection of this.#pools.get(origin) ?? []) connection.close();
    this.#pools.delete(origin);
    // Connections still in use look here when they come back; nothing else has to be remembered for long.
    if (this.#forgotten.size > mostForgotten) this.#forgotten.delete(this.#forgotten.values().next().value ?? '');
  }

  close(): void {
    this.#closed = true;
    for (const pool of this.#pools.values()) for (const connection of pool) connection.close();
    this.#pools.clear();
  }

  /** Idle connections to an address, for tests and metrics. */
  idleConnections(address: UpstreamAddress): number {
    return this.#pools.get(originOf(address))?.length ?? 0;
  }

  #connect(origin: string): Connection {
    return new Connection(origin, (connection) => {
      const pool = this.#pools.get(origin);
      const index = pool?.indexOf(connection) ?? -1;
      if (index < 0) return;
      pool?.splice(index, 1);
      if (pool?.length === 0) this.#pools.delete(origin);
      connection.close();
    });
  }

  #putBack(connection: Connection): void {
    const pool = this.#pools.get(connection.origin);
    const full = (pool?.length ?? 0) >= limits.upstreamIdleConnections;
    if (this.#closed || full || !connection.connected || this.#forgotten.has(connection.origin)) connection.close();
    else if (pool) pool.push(connection);
    else this.#pools.set(connection.origin, [connection]);
  }
}

const mostForgotten = 1024;

/** One undici Client, which is one connection and opens it again by itself when it is needed. */
class Connection {
  readonly origin: string;
  readonly client: Client;
  connected = false;
  /** Counts the connections it has had: the same before and after an exchange means it was used again. */
  generation = 0;

  constructor(origin: string, onIdleClosed: (connection: Connection) => void) {
    this.origin = origin;
    this.client = new ClientClass(origin, {
      pipelining: 1,
      allowH2: false,
      connectTimeout: limits.connectMs,
      keepAliveTimeout: limits.upstreamIdleMs,
      keepAliveMaxTimeout: limits.upstreamIdleMs,
      keepAliveTimeoutThreshold: 500,
      maxHeaderSize: limits.answerHeadBytes,
      // The gateway keeps the times itself: it knows which of them a workload asked for.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.client.on('connect', () => {
      this.connected = true;
      this.generation += 1;
    });
    this.client.on('disconnect', () => {
      this.connected = false;
      onIdleClosed(this);
    });
  }

  close(): void {
    if (!this.client.destroyed) this.client.destroy().catch(() => {});
  }
}

class UndiciCall implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #connection: Connection;
  readonly #sink: AnswerSink;
  readonly #putBack: () => void;
  readonly #generation: number;
  #controller: Dispatcher.DispatchController | null = null;
  #answered = false;
  #over = false;

  constructor(connection: Connection, sink: AnswerSink, putBack: () => void) {
    this.#connection = connection;
    this.#sink = sink;
    this.#putBack = putBack;
    this.#generation = connection.generation;
  }

  dispatch(request: UpstreamRequest): void {
    try {
      this.#connection.client.dispatch(
        {
          path: request.target,
          method: request.method,
          headers: request.fieldList,
          body: request.body,
        },
        this,
      );
    } catch (error) {
      // Arguments that undici refuses; told later, so that the caller has the call first.
      queueMicrotask(() => this.#fail(asError(error)));
    }
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#controller) this.#controller.abort(new Error('aborted'));
    this.#connection.close();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('aborted'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (this.#over) return;
    const head: AnswerHead = { status, statusText: statusText ?? '', fieldList: fieldListOf(controller.rawHeaders) };
    if (status < 200) {
      this.#sink.onInform(head);
      return;
    }
    this.#answered = true;
    this.#sink.onHead(head);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#sink.onChunk(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    this.#over = true;
    const trailers = fieldListOf(controller.rawTrailers);
    this.#putBack();
    this.#sink.onEnd(trailers);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection.close();
    this.#sink.onFailure({
      stage: this.#stage(error),
      reused: this.#generation > 0 && this.#generation === this.#connection.generation,
      closed: closedCodes.has(codeOf(error) ?? ''),
      message: messageOf(error),
    });
  }

  #stage(error: Error): UpstreamFailure['stage'] {
    if (this.#answered) return 'body';
    const code = codeOf(error);
    if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return 'request';
    return this.#controller ? 'head' : 'connect';
  }
}

function isClientClass(value: unknown): value is typeof Client {
  return typeof value === 'function' && value.name === 'Client';
}

function originOf(address: UpstreamAddress): string {
  return address.host.includes(':')
    ? `http://[${address.host}]:${address.port}`
    : `http://${address.host}:${address.port}`;
}

/** undici gives the raw fields of HTTP/1.1 as buffers; field values are Latin-1 on the wire. */
function fieldListOf(raw: Dispatcher.DispatchController['rawHeaders']): FieldList {
  if (!Array.isArray(raw)) return [];
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function messageOf(error: Error): string {
  const code = codeOf(error);
  if (code === 'UND_ERR_SOCKET') return 'the connection broke';
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return `no connection within ${limits.connectMs} ms`;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET') return 'connection reset';
  return error.message;
}
