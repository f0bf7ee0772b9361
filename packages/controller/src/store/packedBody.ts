import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { StoreError } from '@ebb/core';

/** Shorter bodies gain nothing from being packed. */
const shortestPacked = 200;

/** A journal body as its row has it: plain JSON, or packed where that is shorter. */
export interface StoredBody {
  body: string;
  packed: Uint8Array | null;
}

/** Readings of many seconds are long and alike: packed they take about a fifth. Packs only what gets shorter. */
export function packBody(json: string): StoredBody {
  if (json.length < shortestPacked) return { body: json, packed: null };
  const packed = zstdCompressSync(json);
  return packed.length < json.length ? { body: '', packed } : { body: json, packed: null };
}

/** Bytes that a body takes on disk. */
export function storedBytes({ body, packed }: StoredBody): number {
  return packed ? packed.length : Buffer.byteLength(body);
}

/** The JSON of a row's body. Throws `StoreError` when it was damaged. */
export function unpackBody({ body, packed }: StoredBody): string {
  if (!packed) return body;
  try {
    return zstdDecompressSync(packed).toString();
  } catch {
    throw new StoreError('corrupt', 'the journal has a packed record that cannot be read');
  }
}
