import { Readable } from 'node:stream';
import type { BodySource } from './exchange.ts';

/** Bytes of request bodies in memory, over all workloads. */
export class BodyMemory {
  usedBytes = 0;
}

/**
 * The body of one request between client and replica: read into memory while the request waits (then it can be sent
 * again to another replica), or passed through as it comes.
 */
export class RequestBody {
  readonly #source: BodySource;
  readonly #memory: BodyMemory;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #passedOn = false;
  #stream: BodyStream | null = null;
  onActivity: () => void = () => {};

  constructor(source: BodySource, memory: BodyMemory) {
    this.#source = source;
    this.#memory = memory;
  }

  /** Nothing of it has left memory: another replica can get all of it. */
  get replayable(): boolean {
    return !this.#passedOn;
  }

  /** All of it came from the client. */
  get complete(): boolean {
    return this.#source.ended;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Reads into memory up to the limit; tells whether that is all of the body. What exceeds it stays with the client. */
  collect(limitBytes: number, done: (whole: boolean) => void): void {
    if (this.#source.ended) {
      done(true);
      return;
    }
    this.#source.read({
      onChunk: (chunk) => {
        this.#keep(chunk);
        if (this.#heldBytes < limitBytes) return;
        this.#source.pause();
        if (this.#heldBytes > limitBytes) done(false);
        // Exactly full: only the end may follow, which a paused source cannot tell.
        else this.#source.read({ onChunk: (more) => this.#overflow(more, done), onEnd: () => done(true) });
      },
      onEnd: () => done(true),
    });
  }

  /** What is in memory, when that is all of it. */
  whole(): Buffer | null {
    if (!this.#source.ended || this.#passedOn) return null;
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? null;
  }

  /** The body for an upstream: a buffer when all is in memory, otherwise a stream of what is and what comes. */
  open(): Buffer | Readable {
    this.#stream?.detach();
    this.#stream = null;
    const whole = this.whole();
    if (whole) return whole;
    this.#source.pause();
    this.#stream = new BodyStream(this.#chunks, (stream) => this.#passOn(stream));
    return this.#stream;
  }

  /** Frees the memory; the request cannot be sent again. */
  release(): void {
    this.#memory.usedBytes -= this.#heldBytes;
    this.#heldBytes = 0;
    this.#chunks = [];
    this.#passedOn = true;
  }

  /** Stops reading for good. */
  close(): void {
    this.release();
    this.#stream?.detach();
    this.#stream = null;
  }

  #passOn(stream: BodyStream): void {
    if (this.#source.ended) {
      stream.push(null);
      return;
    }
    if (!this.#passedOn) this.release();
    this.#source.read({
      onChunk: (chunk) => {
        this.onActivity();
        if (!stream.push(chunk)) this.#source.pause();
      },
      onEnd: () => stream.push(null),
    });
    stream.onDetach = () => this.#source.pause();
  }

  #keep(chunk: Buffer): void {
    this.onActivity();
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    this.#memory.usedBytes += chunk.length;
  }

  #overflow(chunk: Buffer, done: (whole: boolean) => void): void {
    this.#keep(chunk);
    this.#source.pause();
    done(false);
  }
}

/** What was already read, then the rest as the upstream asks for it. Destroying it leaves the client's side alone. */
class BodyStream extends Readable {
  #prefix: Buffer[];
  readonly #next: (stream: BodyStream) => void;
  onDetach: () => void = () => {};

  constructor(prefix: Buffer[], next: (stream: BodyStream) => void) {
    super({ highWaterMark: 64 * 1024 });
    this.#prefix = [...prefix];
    this.#next = next;
    // An upstream that fails destroys its body with the error; the failure itself is told through the sink.
    this.on('error', () => {});
  }

  detach(): void {
    this.onDetach();
    this.onDetach = () => {};
    this.destroy();
  }

  override _read(): void {
    const chunk = this.#prefix.shift();
    if (chunk) this.push(chunk);
    else this.#next(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.onDetach();
    this.onDetach = () => {};
    callback(error);
  }
}
