import { Readable } from 'node:stream';
import type { BodyReader, BodySource } from './exchange.ts';

/** Bytes of request bodies in memory, over all workloads. */
export class BodyMemory {
  usedBytes = 0;
}

/** Hears of each chunk that came from the client. */
interface ActivityListener {
  onActivity(): void;
}

/**
 * The body of one request between client and replica: read into memory while the request waits (then it can be sent
 * again to another replica), or passed through as it comes.
 */
export class RequestBody implements BodyReader {
  readonly #source: BodySource;
  readonly #memory: BodyMemory;
  readonly #listener: ActivityListener;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #limitBytes = 0;
  #collected: ((whole: boolean) => void) | null = null;
  #passedOn = false;
  #stream: BodyStream | null = null;

  constructor(source: BodySource, memory: BodyMemory, listener: ActivityListener) {
    this.#source = source;
    this.#memory = memory;
    this.#listener = listener;
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

  /** Reads into memory until it has more than the limit; tells whether it has all. The rest stays with the client. */
  collect(limitBytes: number, done: (whole: boolean) => void): void {
    // A replica that refused the connection was given a stream, and took nothing of it.
    this.#closeStream();
    if (this.#source.ended) {
      done(true);
      return;
    }
    this.#limitBytes = limitBytes;
    this.#collected = done;
    this.#source.read(this);
  }

  /** What is in memory, when that is all of it. */
  whole(): Buffer | null {
    if (!this.#source.ended || this.#passedOn) return null;
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? null;
  }

  /** The body for an upstream: a buffer when all is in memory, otherwise a stream of what is and what comes. */
  open(): Buffer | Readable {
    this.#closeStream();
    this.#collected = null;
    const whole = this.whole();
    if (whole) return whole;
    this.#source.pause();
    this.#stream = new BodyStream(this, this.#chunks);
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
    this.#collected = null;
    this.#closeStream();
  }

  /** The stream wants what was not read yet. */
  passOn(stream: BodyStream): void {
    if (stream !== this.#stream) return;
    if (this.#source.ended) {
      stream.push(null);
      return;
    }
    if (!this.#passedOn) this.release();
    this.#source.read(this);
  }

  /** The stream was ended from its side. */
  detached(stream: BodyStream): void {
    if (stream !== this.#stream) return;
    this.#stream = null;
    this.#source.pause();
  }

  onChunk(chunk: Buffer): void {
    this.#listener.onActivity();
    if (this.#stream) {
      if (!this.#stream.push(chunk)) this.#source.pause();
      return;
    }
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    this.#memory.usedBytes += chunk.length;
    if (this.#heldBytes <= this.#limitBytes) return;
    this.#source.pause();
    this.#tellCollected(false);
  }

  onEnd(): void {
    if (this.#stream) this.#stream.push(null);
    else this.#tellCollected(true);
  }

  #tellCollected(whole: boolean): void {
    const done = this.#collected;
    this.#collected = null;
    done?.(whole);
  }

  #closeStream(): void {
    const stream = this.#stream;
    this.#stream = null;
    if (!stream) return;
    this.#source.pause();
    stream.destroy();
  }
}

/** What was already read, then the rest as the upstream asks for it. Destroying it leaves the client's side alone. */
class BodyStream extends Readable {
  readonly #body: RequestBody;
  readonly #prefix: Buffer[];

  constructor(body: RequestBody, prefix: readonly Buffer[]) {
    super({ highWaterMark: 64 * 1024 });
    this.#body = body;
    this.#prefix = [...prefix];
    // An upstream that fails destroys its body with the error; the failure itself is told through the sink.
    this.on('error', ignore);
  }

  override _read(): void {
    const chunk = this.#prefix.shift();
    if (chunk) this.push(chunk);
    else this.#body.passOn(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#body.detached(this);
    callback(error);
  }
}

function ignore(): void {}
