import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Exchange, RequestHead } from '../exchange.ts';
import { fieldsByName } from '../headers.ts';
import { limits } from '../limits.ts';
import { type GatewayProblem, problemAnswer } from '../problem.ts';
import { type FrontState, HttpExchange, UpgradeExchange } from './httpExchange.ts';

/** HTTP/1.1 on `node:http`: turns requests into exchanges, and bounds what a client can make it keep. */
export class HttpFront {
  readonly #server: Server;
  readonly #onExchange: (exchange: Exchange) => void;
  /** Exchanges that each connection carries now: an error answer may be written only where there is none. */
  readonly #open = new WeakMap<Duplex, number>();
  #upgraded = new Set<Socket>();
  readonly #state: FrontState = { closing: false };
  /** Set once it takes no new connection. */
  #closed: Promise<void> | null = null;

  constructor(onExchange: (exchange: Exchange) => void) {
    this.#onExchange = onExchange;
    this.#server = createServer({
      maxHeaderSize: limits.headBytes,
      headersTimeout: limits.headMs,
      // Bodies have no overall time: silence in them is bounded by whoever reads them.
      requestTimeout: 0,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: limits.clientIdleMs,
      noDelay: true,
      optimizeEmptyRequests: true,
      shouldUpgradeCallback: asksForUpgrade,
    });
    this.#server.maxHeadersCount = limits.headFields;
    this.#server.maxConnections = limits.clientConnections;
    this.#server.on('request', (request, response) => this.#serve(request, response, false));
    this.#server.on('checkContinue', (request, response) => this.#serve(request, response, true));
    this.#server.on('upgrade', (request, socket, early) => {
      // Typed as any stream; on a plain server it is the socket.
      if (socket instanceof Socket) this.#upgrade(request, socket, early);
      else socket.destroy();
    });
    this.#server.on('connect', (_request, socket) => {
      answerRaw(socket, { code: 'method-not-allowed', detail: 'CONNECT is not served: this is no forward proxy.' });
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#clientError(error, socket));
  }

  /** Rejects with the system's error, such as `EADDRINUSE`. Port 0 takes any free one. */
  async listen(host: string, port: number): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening on a port');
    return { host: address.address, port: address.port };
  }

  /** Answers ask their clients to close the connection from now on; new ones are still taken. */
  announceClose(): void {
    this.#state.closing = true;
  }

  /** Takes no new connection; resolves when every exchange is over and its connection closed. */
  stopListening(): Promise<void> {
    this.#state.closing = true;
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    return this.#closed;
  }

  /** The same; connections that were upgraded end at once. */
  close(): Promise<void> {
    const closed = this.stopListening();
    for (const socket of this.#upgraded) socket.destroy();
    return closed;
  }

  /** Ends every connection at once. */
  destroy(): void {
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
  }

  #serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const head = requestHead(request, null);
    if (!head) {
      this.#refuse(response, { code: 'bad-request', detail: 'The request target is not a path or an http URL.' });
      return;
    }
    const { socket } = request;
    this.#open.set(socket, (this.#open.get(socket) ?? 0) + 1);
    response.on('close', () => {
      this.#open.set(socket, (this.#open.get(socket) ?? 1) - 1);
      if (this.#closed) setImmediate(() => this.#server.closeIdleConnections());
    });
    this.#onExchange(new HttpExchange(request, response, head, this.#state, expectsContinue));
  }

  #upgrade(request: IncomingMessage, socket: Socket, early: Buffer): void {
    const head = requestHead(request, (request.headers.upgrade ?? '').trim().toLowerCase());
    if (!head) {
      socket.destroy();
      return;
    }
    this.#upgraded.add(socket);
    socket.on('close', () => this.#upgraded.delete(socket));
    this.#onExchange(new UpgradeExchange(request, socket, early, head, this.#state));
  }

  #refuse(response: ServerResponse, problem: GatewayProblem): void {
    const { head, body } = problemAnswer(problem, '-');
    response.writeHead(head.status, head.statusText, [...head.fieldList, 'connection', 'close']);
    response.end(body);
  }

  #clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (error.code === 'ECONNRESET' || !socket.writable || (this.#open.get(socket) ?? 0) > 0) {
      socket.destroy();
    } else if (error.code === 'HPE_HEADER_OVERFLOW') {
      answerRaw(socket, {
        code: 'head-too-large',
        detail: `Request line and fields may have ${limits.headBytes} bytes.`,
      });
    } else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
      const detail = `The head of the request did not come within ${limits.headMs} ms.`;
      answerRaw(socket, { code: 'bad-request', status: 408, detail });
    } else {
      answerRaw(socket, { code: 'bad-request', detail: 'This is not a well-formed HTTP/1.1 request.' });
    }
  }
}

/** Only WebSocket changes protocol; other offers, such as `h2c`, may be left unheard and are. */
function asksForUpgrade(request: IncomingMessage): boolean {
  return (
    request.method === 'GET' &&
    request.headers.upgrade?.trim().toLowerCase() === 'websocket' &&
    request.headers['transfer-encoding'] === undefined &&
    (request.headers['content-length'] ?? '0') === '0'
  );
}

function requestHead(request: IncomingMessage, upgrade: string | null): RequestHead | null {
  const fields = fieldsByName(request.rawHeaders);
  const place = targetOf(request.url ?? '');
  if (!place) return null;
  const length = fields['content-length'];
  return {
    method: request.method ?? 'GET',
    target: place.target,
    authority: place.authority ?? fields['host'] ?? '',
    scheme: 'http',
    fieldList: request.rawHeaders,
    fields,
    bodyBytes: fields['transfer-encoding'] !== undefined ? null : length === undefined ? 0 : Number(length),
    clientAddress: request.socket.remoteAddress ?? '',
    upgrade,
  };
}

/** The path of a request target, and the host where the target names one (RFC 9112 §3.2). */
function targetOf(url: string): { target: string; authority: string | null } | null {
  if (url.startsWith('/') || url === '*') return { target: url, authority: null };
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (!absolute) return null;
  const [, authority = '', rest = ''] = absolute;
  return {
    target: rest.startsWith('/') ? rest : `/${rest}`,
    authority: authority.slice(authority.lastIndexOf('@') + 1),
  };
}

function answerRaw(socket: Duplex, problem: GatewayProblem): void {
  const { head, body } = problemAnswer(problem, '-');
  let text = `HTTP/1.1 ${head.status} ${head.statusText}\r\nconnection: close\r\n`;
  for (let index = 0; index < head.fieldList.length; index += 2) {
    text += `${head.fieldList[index]}: ${head.fieldList[index + 1]}\r\n`;
  }
  socket.on('error', () => {});
  socket.end(`${text}\r\n${body}`, () => socket.destroy());
}
