import type { Duplex, Readable } from 'node:stream';

/**
 * The unit of the data path: one request head, its body, one answer head, its body and trailers. Fronts make
 * exchanges (first: HTTP/1.1 on `node:http`), upstreams carry them to a replica (first: undici). Whatever holds,
 * balances, counts and drains sees only this, never a socket, so that other protocols fit behind the same interface.
 */

/** Fields as they came over the wire, `[name, value, name, value, …]`: order, case and repetitions are kept. */
export type FieldList = string[];

export interface RequestHead {
  method: string;
  /** Path and query, beginning with a slash; or `*`. */
  target: string;
  /** Host the client named, with its port where it gave one; empty where it named none. */
  authority: string;
  scheme: 'http' | 'https';
  /** Every field, as it came. */
  fieldList: FieldList;
  /** By lower-case name, repeated ones joined. */
  fields: Readonly<Record<string, string | undefined>>;
  /** Declared length; 0: no body; null: only the end of the body will tell. */
  bodyBytes: number | null;
  clientAddress: string;
  /** Protocol the client wants to change to, such as `websocket`. */
  upgrade: string | null;
}

export interface AnswerHead {
  status: number;
  statusText: string;
  fieldList: FieldList;
}

export interface BodyReader {
  onChunk(chunk: Buffer): void;
  onEnd(): void;
}

/** A body that flows only when it is asked to: what nobody reads stays with the client. */
export interface BodySource {
  /** Begins or goes on, to this reader from now on. Answers `Expect: 100-continue` the first time. */
  read(reader: BodyReader): void;
  pause(): void;
  /** True once all of it was handed to a reader. */
  readonly ended: boolean;
}

/**
 * Hears of the client's side of an exchange. An object rather than callbacks: V8 puts a function that is written into
 * a property straight into the old generation, where it and all it refers to (here: a whole exchange) stay until a
 * full collection. With one such function an exchange, collections took ten times as long.
 */
export interface ClientListener {
  /** The client went away before it had the whole answer. Called once at most. */
  onClientGone(): void;
  /** After `write` said false: the client takes more. */
  onClientDrain(): void;
}

export interface Exchange {
  readonly head: RequestHead;
  readonly body: BodySource;
  /** True once the answer's head was given. */
  readonly answered: boolean;
  listener: ClientListener | null;
  /** An informational answer (1xx). Ignored where the protocol has none. */
  inform(head: AnswerHead): void;
  /** Begins the answer. Throws when the head cannot be expressed. */
  answer(head: AnswerHead): void;
  /** Passed on at once. False: the client is behind, stop until `onClientDrain`. */
  write(chunk: Buffer): boolean;
  end(trailers: FieldList): void;
  /** A whole answer. */
  reply(head: AnswerHead, body: string): void;
  /** Breaks the answer off, such that nobody takes what was sent for all of it. */
  abort(): void;
  /** Says yes to `head.upgrade` and hands over the bare connection. */
  switchProtocol(head: AnswerHead): Duplex;
}

export interface UpstreamAddress {
  host: string;
  port: number;
}

export interface UpstreamRequest {
  method: string;
  target: string;
  fieldList: FieldList;
  body: Buffer | Readable | null;
  upgrade: string | null;
}

export interface UpstreamFailure {
  /** `connect`: no byte of the request left. `head`: nothing of the answer came. `request`: it cannot be expressed. */
  stage: 'connect' | 'head' | 'body' | 'request';
  /** The connection had carried an earlier exchange. */
  reused: boolean;
  /** The connection ended; false when what came over it was not HTTP. */
  closed: boolean;
  message: string;
}

/** What an upstream tells about one exchange. Nothing comes after `onEnd`, `onFailure` or an `abort`. */
export interface AnswerSink {
  onInform(head: AnswerHead): void;
  onHead(head: AnswerHead): void;
  onChunk(chunk: Buffer): void;
  onEnd(trailers: FieldList): void;
  onFailure(failure: UpstreamFailure): void;
  /** The replica said yes to the upgrade. */
  onSwitch(head: AnswerHead, connection: Duplex): void;
}

export interface UpstreamCall {
  pause(): void;
  resume(): void;
  abort(): void;
}

export interface Upstream {
  /** Never queues: one connection per exchange in flight, kept and used again. */
  send(address: UpstreamAddress, request: UpstreamRequest, sink: AnswerSink): UpstreamCall;
  /** Closes the idle connections to an address that nobody routes to any more. */
  forget(address: UpstreamAddress): void;
  close(): void;
}
