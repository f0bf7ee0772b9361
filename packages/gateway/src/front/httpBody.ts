import type { IncomingMessage } from 'node:http';
import type { BodyReader, BodySource } from '../exchange.ts';
import { limits } from '../limits.ts';

/** The body of a `node:http` request: nothing is read from the socket beyond one buffer until somebody asks. */
export class HttpBody implements BodySource {
  readonly #message: IncomingMessage;
  #reader: BodyReader | null = null;
  #begin: (() => void) | null;
  #attached = false;
  #ended: boolean;

  /** `begin` is called before the first read: where the client waits for `100 Continue`, it gets it now. */
  constructor(message: IncomingMessage, bodyBytes: number | null, begin: (() => void) | null) {
    this.#message = message;
    this.#ended = bodyBytes === 0;
    this.#begin = begin;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The client was not told to send its body: what comes next on the connection may be anything. */
  get neverBegun(): boolean {
    return this.#begin !== null;
  }

  read(reader: BodyReader): void {
    if (this.#ended) {
      reader.onEnd();
      return;
    }
    this.#begin?.();
    this.#begin = null;
    this.#reader = reader;
    if (!this.#attached) {
      this.#attached = true;
      this.#message.on('data', (chunk: Buffer) => this.#reader?.onChunk(chunk));
      this.#message.on('end', () => {
        this.#ended = true;
        this.#reader?.onEnd();
      });
    }
    this.#message.resume();
  }

  pause(): void {
    if (!this.#ended) this.#message.pause();
  }

  /** Throws the rest away, so that the connection can carry the next request; breaks it when there is too much. */
  discard(): void {
    if (this.#ended) return;
    let left: number = limits.drainedBodyBytes;
    const timer = setTimeout(() => this.#message.socket.destroy(), limits.drainedBodyMs);
    timer.unref();
    this.#message.on('close', () => clearTimeout(timer));
    this.read({
      onChunk: (chunk) => {
        left -= chunk.length;
        if (left < 0) this.#message.socket.destroy();
      },
      onEnd: () => clearTimeout(timer),
    });
  }
}
