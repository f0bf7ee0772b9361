import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AnswerHead, ClientListener, Exchange, FieldList, RequestHead } from '../exchange.ts';
import { HttpBody } from './httpBody.ts';

/** What the exchanges of one front have in common. */
export interface FrontState {
  /** No connection carries another exchange after its present one. */
  closing: boolean;
}

/** One HTTP/1.1 request and its answer on `node:http`. */
export class HttpExchange implements Exchange {
  readonly head: RequestHead;
  readonly body: HttpBody;
  readonly #response: ServerResponse;
  readonly #state: FrontState;
  #gone = false;
  #finished = false;
  /** The first chunk took the head with it. */
  #begun = false;
  /** The end of the connection is the end of the body (HTTP/1.0): only a reset tells that it is not whole. */
  #endsWithConnection = false;
  listener: ClientListener | null = null;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
    state: FrontState,
    expectsContinue: boolean,
  ) {
    this.head = head;
    this.#state = state;
    this.body = new HttpBody(request, head.bodyBytes, expectsContinue ? () => response.writeContinue() : null);
    this.#response = response;
    response.on('drain', () => this.listener?.onClientDrain());
    response.on('close', () => this.#closed());
    // A connection that breaks is told by `close`; a late write to it is nobody's fault.
    response.on('error', ignore);
    request.on('error', ignore);
  }

  get answered(): boolean {
    return this.#response.headersSent || this.#finished;
  }

  inform(head: AnswerHead): void {
    if (this.#gone || this.answered || this.#response.req.httpVersionMinor === 0) return;
    if (head.status > 101 && head.status < 200) this.#response.writeInformation(head.status, head.fieldList);
  }

  answer(head: AnswerHead): void {
    if (this.#gone) return;
    if (this.#state.closing) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(head.status, head.statusText, head.fieldList);
    this.#endsWithConnection =
      !this.#response.chunkedEncoding &&
      !head.fieldList.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length');
    // The head leaves with the first chunk when both came together, and by itself when the chunk is still to come.
    process.nextTick(() => {
      if (!this.#gone && !this.#finished && !this.#begun) this.#response.flushHeaders();
    });
  }

  write(chunk: Buffer): boolean {
    if (this.#gone) return true;
    this.#begun = true;
    return this.#response.write(chunk);
  }

  end(trailers: FieldList): void {
    if (this.#gone) return;
    this.#finished = true;
    if (trailers.length > 0) this.#response.addTrailers(pairs(trailers));
    this.#response.end();
    this.body.discard();
  }

  reply(head: AnswerHead, body: string): void {
    if (this.#gone) return;
    this.#finished = true;
    // A client that was never told to go on may take the connection for its body or for its next request.
    const last = !this.body.ended && this.body.neverBegun;
    if (last || this.#state.closing) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(head.status, head.statusText || (STATUS_CODES[head.status] ?? ''), head.fieldList);
    this.#response.end(body);
    if (!last) this.body.discard();
  }

  abort(): void {
    if (this.#gone) return;
    this.#finished = true;
    const { socket } = this.#response;
    if (!socket) {
      this.#response.destroy();
      return;
    }
    if (this.#endsWithConnection) socket.resetAndDestroy();
    else socket.destroy();
  }

  switchProtocol(_head: AnswerHead): Duplex {
    throw new Error('this exchange asked for no other protocol');
  }

  #closed(): void {
    this.#gone = true;
    if (!this.#finished) this.listener?.onClientGone();
  }
}

/** A request for another protocol: an ordinary exchange until the replica says yes. */
export class UpgradeExchange extends HttpExchange {
  readonly #socket: Socket;
  readonly #response: ServerResponse;
  #early: Buffer[] = [];

  constructor(request: IncomingMessage, socket: Socket, early: Buffer, head: RequestHead, state: FrontState) {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    super(request, response, head, state, false);
    this.#socket = socket;
    this.#response = response;
    response.on('finish', () => socket.end());
    if (early.length > 0) this.#early.push(early);
    // Reading is the only way to hear that the client is gone. A client that talks before it was let in is cut off.
    socket.on('data', this.#onEarly);
    socket.on('end', this.#onEarlyEnd);
    socket.on('error', ignore);
  }

  readonly #onEarly = (chunk: Buffer): void => {
    this.#early.push(chunk);
    if (this.#early.reduce((sum, part) => sum + part.length, 0) > longestEarlyBytes) this.#socket.destroy();
  };

  readonly #onEarlyEnd = (): void => {
    this.#socket.destroy();
  };

  override switchProtocol(head: AnswerHead): Duplex {
    const socket = this.#socket;
    socket.off('data', this.#onEarly);
    socket.off('end', this.#onEarlyEnd);
    socket.pause();
    this.#response.detachSocket(socket);
    let text = `HTTP/1.1 ${head.status} ${head.statusText}\r\n`;
    for (let index = 0; index < head.fieldList.length; index += 2) {
      text += `${head.fieldList[index]}: ${head.fieldList[index + 1]}\r\n`;
    }
    socket.write(`${text}\r\n`, 'latin1');
    for (const chunk of this.#early.reverse()) socket.unshift(chunk);
    this.#early = [];
    return socket;
  }
}

function ignore(): void {}

const longestEarlyBytes = 64 * 1024;

function pairs(fields: FieldList): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index < fields.length; index += 2) list.push([fields[index] ?? '', fields[index + 1] ?? '']);
  return list;
}
