import type { Readable } from 'node:stream';
import { ApiProblem } from './errors.ts';

/** Streams that are open at once; each is a connection that never ends by itself. */
const maxStreams = 200;

export class StreamLimit {
  #open = 0;

  /** Throws `too-many-streams`, else counts the stream until it closes. */
  admit<Stream extends Readable>(open: () => Stream): Stream {
    if (this.#open >= maxStreams) {
      throw new ApiProblem('too-many-streams', `${maxStreams} streams are open; close one and ask again`);
    }
    const stream = open();
    this.#open += 1;
    stream.once('close', () => {
      this.#open -= 1;
    });
    return stream;
  }
}
