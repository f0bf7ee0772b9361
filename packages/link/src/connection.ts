import type { Envelope } from '@ebb/core';
import type { Socket } from 'node:net';

/** A line longer than this ends the connection: nothing the processes say to each other comes near it. */
const longestLineBytes = 64 * 1024 * 1024;

export interface ConnectionIdentity {
  sender: string;
  epoch: number;
}

/**
 * One end of a link: envelopes as JSON lines over a stream socket. Incoming messages of an older epoch or an
 * already seen sequence number are dropped; a gap is reported so that the owner can ask for everything again.
 */
export class Connection<In, Out> {
  readonly #socket: Socket;
  readonly #identity: ConnectionIdentity;
  #sequence = 0;
  #pending = '';
  #lastEpoch = 0;
  #lastSequence = 0;
  onMessage: (body: In, envelope: Envelope<In>) => void = () => {};
  onGap: () => void = () => {};
  onClose: (error: Error | null) => void = () => {};

  constructor(socket: Socket, identity: ConnectionIdentity) {
    this.#socket = socket;
    this.#identity = identity;
    let failure: Error | null = null;
    socket.setEncoding('utf8');
    socket.setNoDelay?.(true);
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => this.onClose(failure));
  }

  /** Bytes that the other side has not taken yet. */
  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends one message; false when the connection is gone (its owner hears `onClose`). */
  send(body: Out): boolean {
    if (this.#socket.destroyed || !this.#socket.writable) return false;
    this.#sequence += 1;
    const envelope: Envelope<Out> = { ...this.#identity, sequence: this.#sequence, body };
    this.#socket.write(`${JSON.stringify(envelope)}\n`);
    return true;
  }

  /** Sends what is queued, then closes. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = this.#pending + text.slice(start, end);
      this.#pending = '';
      start = end + 1;
      this.#receive(line);
    }
    this.#pending += text.slice(start);
    if (this.#pending.length > longestLineBytes) this.#socket.destroy(new Error('line too long'));
  }

  #receive(line: string): void {
    let envelope: Envelope<In>;
    try {
      envelope = JSON.parse(line) as Envelope<In>;
    } catch {
      this.#socket.destroy(new Error('not a JSON line'));
      return;
    }
    if (!Number.isSafeInteger(envelope.epoch) || !Number.isSafeInteger(envelope.sequence)) {
      this.#socket.destroy(new Error('not an envelope'));
      return;
    }
    if (envelope.epoch < this.#lastEpoch) return;
    if (envelope.epoch > this.#lastEpoch) {
      this.#lastEpoch = envelope.epoch;
      this.#lastSequence = 0;
    }
    if (envelope.sequence <= this.#lastSequence) return;
    const gap = envelope.sequence > this.#lastSequence + 1;
    this.#lastSequence = envelope.sequence;
    if (gap) this.onGap();
    this.onMessage(envelope.body, envelope);
  }
}
