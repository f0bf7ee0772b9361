import { type JournalKind, type JournalRecord, StoreError } from '@ebb/core';
import { unpackBody } from './packedBody.ts';
import { bytesOrNull, integer, parseJson, text, textOrNull } from './rows.ts';

const kinds: readonly string[] = [
  'snapshot',
  'reading',
  'event',
  'decision',
  'grant',
  'action',
  'outcome',
] satisfies JournalKind[];

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

function isJournalKind(written: string): written is JournalKind {
  return kinds.includes(written);
}
