import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TraceError } from '../contract/trace.ts';

/** A path, or a text or stream with a name to call it by in messages. */
export type TraceInput = string | { name: string; text: string } | { name: string; stream: AsyncIterable<Uint8Array> };

/** What a trace is read from, as often as wanted. */
export interface TraceSource {
  /** As messages call it. */
  file: string;
  /** The name without folders and endings. */
  name: string;
  /** Its bytes, unpacked. */
  open(): AsyncIterable<Uint8Array>;
}

/** A stream can be read only once and is kept for the next time, packed if it came so, up to this. */
const mostStreamBytes = 512 * 1024 * 1024;
/** Longest line that is taken for one: beyond this the file is no text. */
const mostLineCharacters = 16 * 1024 * 1024;

/** @throws TraceError where the file cannot be opened or the stream is too long. */
export async function openSource(input: TraceInput): Promise<TraceSource> {
  if (typeof input === 'string') {
    const found = await stat(input).catch(() => null);
    if (!found?.isFile()) throw new TraceError(input, 0, found ? 'is not a file' : 'there is no such file');
    return { file: input, name: plainName(input), open: () => unpack(input, createReadStream(input)) };
  }
  const { name: file } = input;
  const chunks = 'text' in input ? [new TextEncoder().encode(input.text)] : await keep(file, input.stream);
  return { file, name: plainName(file), open: () => unpack(file, chunks) };
}

/** Lines in batches, without their ends; a last empty line is left out. */
export async function* lineBatches({ file, open }: Pick<TraceSource, 'file' | 'open'>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of open()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > mostLineCharacters) throw new TraceError(file, 0, 'has a line of more than 16 MiB');
    if (lines.length > 0) yield lines.map(withoutReturn);
  }
  rest += decoder.decode();
  if (rest !== '') yield [withoutReturn(rest)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

async function keep(file: string, stream: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > mostStreamBytes) {
      throw new TraceError(
        file,
        0,
        'a stream may have at most 512 MiB, as it is kept: write it to a file and give its path',
      );
    }
    chunks.push(chunk);
  }
  return chunks;
}

/** gzip is told by its first two bytes, not by the name. */
async function* unpack(file: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const iterator = startOf(chunks);
  const first = await iterator.next();
  if (first.done) return;
  const packed = first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!packed) {
    yield first.value;
    yield* iterator;
    return;
  }
  const gunzip = createGunzip();
  // Its errors come out of the iteration below.
  pipeline(Readable.from(after(first.value, iterator)), gunzip, () => {});
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    throw new TraceError(file, 0, `cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    gunzip.destroy();
  }
}

async function* after(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

/** Where the first chunk has one byte only, with the next. */
async function* startOf(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let short: Uint8Array | null = null;
  for await (const chunk of chunks) {
    const joined: Uint8Array = short ? Buffer.concat([short, chunk]) : chunk;
    short = joined.length > 1 ? null : joined;
    if (!short) yield joined;
  }
  if (short) yield short;
}

function plainName(path: string): string {
  return basename(path).replace(/(\.(gz|csv|jsonl|json|log|txt))+$/, '') || basename(path);
}
