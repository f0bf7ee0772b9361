import { type JournalRecord, type JournalStore, StoreError } from '@ebb/core';
import { chunksToTrim, recordOf } from '../journalRows.ts';
import { packBody, storedBytes } from '../packedBody.ts';
import { integer } from '../rows.ts';
import type { GroupedWrites, WrittenRecord } from './groupedWrites.ts';
import { Conditions } from './rows.ts';

/** The journal (design §3a.7), written in groups by the leader alone. */
export class PostgresJournalStore implements JournalStore {
  readonly #group: GroupedWrites;

  constructor(group: GroupedWrites) {
    this.#group = group;
  }

  async append(records: JournalRecord[]): Promise<void> {
    const [first] = records;
    if (!first) return;
    for (const [index, { sequence }] of records.entries()) {
      if (sequence === first.sequence + index) continue;
      throw new StoreError('corrupt', `journal record ${sequence} does not follow ${first.sequence + index - 1}`);
    }
    await this.#group.write({ type: 'append', first: first.sequence, records: records.map(written) });
  }

  async read(range: Parameters<JournalStore['read']>[0]): Promise<JournalRecord[]> {
    const where = new Conditions();
    where.add('sequence >= ?::bigint', range.fromSequence);
    where.add('workload = ?', range.workload);
    where.add('at_ms >= ?::bigint', range.fromMs);
    where.add('at_ms <= ?::bigint', range.toMs);
    // Kinds have no commas.
    where.add(`kind = ANY (string_to_array(?::text, ','))`, range.kinds?.join(','));
    const limit = range.limit === undefined ? '' : `LIMIT ${Math.max(0, Math.trunc(range.limit))}`;
    const rows = await this.#group.select(
      `SELECT sequence, segment, at_ms AS "atMs", kind, workload, body, packed FROM ${this.#group.schema}.journal
       ${where} ORDER BY sequence ${range.newestFirst ? 'DESC' : 'ASC'} ${limit}`,
      where.values,
    );
    return rows.map(recordOf);
  }

  async head(): Promise<{ sequence: number; segment: number }> {
    const [row] = await this.#group.select(
      `SELECT sequence, segment FROM ${this.#group.schema}.journal ORDER BY sequence DESC LIMIT 1`,
    );
    return row ? { sequence: integer(row, 'sequence'), segment: integer(row, 'segment') } : { sequence: 0, segment: 0 };
  }

  /** Records dropped. The newest segment stays, however old or large it is. */
  async trim(limits: { olderThanMs: number; maxBytes: number }): Promise<number> {
    const segments = await this.#group.select(
      `SELECT segment, first_sequence AS "firstSequence", last_sequence AS "lastSequence", to_ms AS "toMs", bytes
       FROM ${this.#group.schema}.segments ORDER BY segment`,
    );
    let dropped = 0;
    for (const { first, last, ended } of chunksToTrim(segments, limits)) {
      dropped += await this.#group.write({ type: 'trim', first, last, segment: ended });
    }
    return dropped;
  }
}

function written({ sequence, segment, atMs, kind, workload, body: value }: JournalRecord): WrittenRecord {
  const stored = packBody(JSON.stringify(value) ?? 'null');
  const packed = stored.packed && Buffer.from(stored.packed).toString('base64');
  return { sequence, segment, atMs, kind, workload, body: stored.body, packed, bytes: storedBytes(stored) };
}
