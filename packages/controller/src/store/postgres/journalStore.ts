import { type JournalRecord, type JournalStore, StoreError } from '@ebb/core';
import { chunksToTrim, recordOf } from '../journalRows.ts';
import { packBody, storedBytes } from '../packedBody.ts';
import { integer } from '../rows.ts';
import type { StoreConnection } from './connection.ts';
import type { GroupedWrites, WrittenRecord } from './groupedWrites.ts';
import { Conditions, selectRows } from './rows.ts';
import { quoted } from './settings.ts';

/** The journal (design §3a.7), written in groups by the leader alone. */
export class PostgresJournalStore implements JournalStore {
  readonly #connection: StoreConnection;
  readonly #group: GroupedWrites;
  readonly #schema: string;

  constructor(connection: StoreConnection, group: GroupedWrites, schema: string) {
    this.#connection = connection;
    this.#group = group;
    this.#schema = quoted(schema);
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
    await this.#group.flush();
    const where = new Conditions();
    where.add('sequence >= ?::bigint', range.fromSequence);
    where.add('workload = ?', range.workload);
    where.add('at_ms >= ?::bigint', range.fromMs);
    where.add('at_ms <= ?::bigint', range.toMs);
    // Kinds have no commas.
    where.add(`kind = ANY (string_to_array(?::text, ','))`, range.kinds?.join(','));
    const limit = range.limit === undefined ? '' : `LIMIT ${Math.max(0, Math.trunc(range.limit))}`;
    const rows = await this.#select(
      `SELECT sequence, segment, at_ms AS "atMs", kind, workload, body, packed FROM ${this.#schema}.journal
       ${where} ORDER BY sequence ${range.newestFirst ? 'DESC' : 'ASC'} ${limit}`,
      where.values,
    );
    return rows.map(recordOf);
  }

  async head(): Promise<{ sequence: number; segment: number }> {
    await this.#group.flush();
    const [row] = await this.#select(
      `SELECT sequence, segment FROM ${this.#schema}.journal ORDER BY sequence DESC LIMIT 1`,
    );
    return row ? { sequence: integer(row, 'sequence'), segment: integer(row, 'segment') } : { sequence: 0, segment: 0 };
  }

  /** Records dropped. The newest segment stays, however old or large it is. */
  async trim(limits: { olderThanMs: number; maxBytes: number }): Promise<number> {
    await this.#group.flush();
    const segments = await this.#select(
      `SELECT segment, first_sequence AS "firstSequence", last_sequence AS "lastSequence", to_ms AS "toMs", bytes
       FROM ${this.#schema}.segments ORDER BY segment`,
    );
    let dropped = 0;
    for (const { first, last, ended } of chunksToTrim(segments, limits)) {
      dropped += await this.#group.write({ type: 'trim', first, last, segment: ended });
    }
    return dropped;
  }

  #select(sql: string, values?: readonly (string | number)[]) {
    return selectRows(this.#connection, sql, values);
  }
}

function written({ sequence, segment, atMs, kind, workload, body: value }: JournalRecord): WrittenRecord {
  const stored = packBody(JSON.stringify(value) ?? 'null');
  const packed = stored.packed && Buffer.from(stored.packed).toString('base64');
  return { sequence, segment, atMs, kind, workload, body: stored.body, packed, bytes: storedBytes(stored) };
}
