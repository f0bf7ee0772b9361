import { isJournalKind, type JournalKind, type JournalRecord, StoreError } from '@ebb/core';
import { unpackBody } from './packedBody.ts';
import { bytesOrNull, integer, parseJson, text, textOrNull } from './rows.ts';

/** Rows deleted in one go when a segment is dropped; other work gets its turn in between. */
const trimChunkRows = 1_000;

/** A row of the journal, whatever the database. */
export function recordOf(row: Record<string, unknown>): JournalRecord {
  return {
    sequence: integer(row, 'sequence'),
    segment: integer(row, 'segment'),
    atMs: integer(row, 'atMs'),
    kind: kindOf(text(row, 'kind')),
    workload: textOrNull(row, 'workload'),
    body: parseJson('body', unpackBody({ body: text(row, 'body'), packed: bytesOrNull(row, 'packed') })),
  };
}

function kindOf(written: string): JournalKind {
  if (!isJournalKind(written)) throw new StoreError('corrupt', `the journal has a record of kind "${written}"`);
  return written;
}

interface Chunk {
  readonly first: number;
  readonly last: number;
  /** The segment that has nothing left then; null: it has. */
  readonly ended: number | null;
}

/**
 * Sequences of the records that are dropped, from the oldest on, so that a stop half-way leaves a shorter segment and never a
 * hole. Segments are given in their order; the newest one stays, however old or large it is.
 */
export function* chunksToTrim(
  segments: readonly Record<string, unknown>[],
  { olderThanMs, maxBytes }: { olderThanMs: number; maxBytes: number },
): Generator<Chunk> {
  let bytes = segments.reduce((sum, segment) => sum + integer(segment, 'bytes'), 0);
  for (const segment of segments.slice(0, -1)) {
    if (integer(segment, 'toMs') >= olderThanMs && bytes <= maxBytes) return;
    bytes -= integer(segment, 'bytes');
    const end = integer(segment, 'lastSequence');
    for (let first = integer(segment, 'firstSequence'); first <= end; first += trimChunkRows) {
      const last = Math.min(end, first + trimChunkRows - 1);
      yield { first, last, ended: last === end ? integer(segment, 'segment') : null };
    }
  }
}
