import type { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BodyReader, BodySource } from './exchange.ts';
import { BodyMemory, RequestBody } from './requestBody.ts';

/** A client that sends the given chunks, one a turn, while it is read. */
class ChunkSource implements BodySource {
  readonly #chunks: Buffer[];
  #reader: BodyReader | null = null;
  #running = false;
  ended = false;

  constructor(chunks: Buffer[]) {
    this.#chunks = [...chunks];
  }

  read(reader: BodyReader): void {
    this.#reader = reader;
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => this.#step());
  }

  pause(): void {
    this.#reader = null;
  }

  #step(): void {
    const reader = this.#reader;
    if (!reader) {
      this.#running = false;
      return;
    }
    const chunk = this.#chunks.shift();
    if (chunk) {
      reader.onChunk(chunk);
      setImmediate(() => this.#step());
    } else {
      this.ended = true;
      reader.onEnd();
    }
  }
}

async function read(body: Buffer | Readable): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const listener = { onActivity() {} };

it('gives every byte once and in order, however often it waits and is offered before', async () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 20 });
  // `wait`: held, read into memory. `offer`: a replica that refuses the connection before it takes a byte.
  const steps = fc.array(fc.constantFrom('wait', 'offer', 'turn', 'turn', 'turn'), { maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.nat(1500), steps, async (parts, limitBytes, taken) => {
      const buffers = parts.map((part) => Buffer.from(part));
      const memory = new BodyMemory();
      const body = new RequestBody(new ChunkSource(buffers), memory, listener);
      for (const step of taken) {
        if (step === 'wait') body.collect(limitBytes, (whole) => expect(whole).toBe(body.complete));
        else if (step === 'offer') body.open();
        else await new Promise((resolve) => setImmediate(resolve));
        expect(memory.usedBytes).toBe(body.heldBytes);
      }
      expect(body.replayable).toBe(true);
      expect(await read(body.open())).toEqual(Buffer.concat(buffers));
      body.close();
      expect(memory.usedBytes).toBe(0);
    }),
    { numRuns: 300 },
  );
});

it('cannot be sent again once bytes went through', async () => {
  const body = new RequestBody(new ChunkSource([Buffer.from('a'), Buffer.from('b')]), new BodyMemory(), listener);
  const stream = body.open();
  expect(body.replayable).toBe(true);
  await read(stream);
  expect(body.replayable).toBe(false);
});
