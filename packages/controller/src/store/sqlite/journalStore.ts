import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { type JournalRecord, type JournalStore, StoreError } from '@ebb/core';
import { guarded } from './database.ts';
import type { GroupCommit } from './groupCommit.ts';
import { chunksToTrim, recordOf } from '../journalRows.ts';
import { packBody, storedBytes } from '../packedBody.ts';
import { integer } from '../rows.ts';

/** The journal (design §3a.7). Appends are group-committed; only reads and `trim` touch the database at once. */
export class SqliteJournalStore implements JournalStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #group: GroupCommit;
  readonly #statements;

  constructor(path: string, database: DatabaseSync, group: GroupCommit) {
    this.#path = path;
    this.#database = database;
    this.#group = group;
    this.#statements = {
      append: database.prepare(
        'INSERT INTO journal (sequence, segment, atMs, kind, workload, body, packed) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ),
      grow: database.prepare(
        `INSERT INTO segments (segment, firstSequence, lastSequence, toMs, bytes) VALUES (?1, ?2, ?2, ?3, ?4)
         ON CONFLICT (segment) DO UPDATE
           SET lastSequence = ?2, toMs = max(toMs, ?3), bytes = bytes + ?4`,
      ),
      segments: database.prepare('SELECT * FROM segments ORDER BY segment'),
      dropRows: database.prepare('DELETE FROM journal WHERE sequence BETWEEN ? AND ?'),
      dropSegment: database.prepare('DELETE FROM segments WHERE segment = ?'),
      head: database.prepare('SELECT sequence, segment FROM journal ORDER BY sequence DESC LIMIT 1'),
    };
  }

  append(records: JournalRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    const own = records.map((record) => ({ ...record, body: JSON.stringify(record.body) ?? 'null' }));
    return this.#group.write(() => {
      let last = this.#readHead().sequence;
      for (const { sequence } of own) {
        if (last !== 0 && sequence !== last + 1) {
          throw new StoreError('corrupt', `journal record ${sequence} does not follow ${last}`);
        }
        last = sequence;
      }
      for (const { sequence, segment, atMs, kind, workload, body } of own) {
        const stored = packBody(body);
        this.#statements.append.run(sequence, segment, atMs, kind, workload, stored.body, stored.packed);
        this.#statements.grow.run(segment, sequence, atMs, storedBytes(stored));
      }
    });
  }

  async read(range: Parameters<JournalStore['read']>[0]): Promise<JournalRecord[]> {
    this.#group.flush();
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    const where = (condition: string, ...own: SQLInputValue[]): void => {
      conditions.push(condition);
      values.push(...own);
    };
    if (range.fromSequence !== undefined) where('sequence >= ?', range.fromSequence);
    if (range.workload !== undefined) where('workload = ?', range.workload);
    if (range.fromMs !== undefined) where('atMs >= ?', range.fromMs);
    if (range.toMs !== undefined) where('atMs <= ?', range.toMs);
    if (range.kinds) where(`kind IN (${range.kinds.map(() => '?').join(', ')})`, ...range.kinds);
    const sql = [
      'SELECT * FROM journal',
      conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '',
      `ORDER BY sequence ${range.newestFirst ? 'DESC' : 'ASC'}`,
      'LIMIT ?',
    ].join(' ');
    return guarded(this.#path, () =>
      this.#database
        .prepare(sql)
        .all(...values, range.limit ?? -1)
        .map(recordOf),
    );
  }

  async head(): Promise<{ sequence: number; segment: number }> {
    this.#group.flush();
    return guarded(this.#path, () => this.#readHead());
  }

  /** Records dropped. The newest segment stays, however old or large it is. */
  async trim(limits: { olderThanMs: number; maxBytes: number }): Promise<number> {
    this.#group.flush();
    const segments = guarded(this.#path, () => this.#statements.segments.all());
    let dropped = 0;
    for (const { first, last, ended } of chunksToTrim(segments, limits)) {
      await this.#group.write(() => {
        dropped += Number(this.#statements.dropRows.run(first, last).changes);
        if (ended !== null) this.#statements.dropSegment.run(ended);
      });
    }
    return dropped;
  }

  #readHead(): { sequence: number; segment: number } {
    const row = this.#statements.head.get();
    return row ? { sequence: integer(row, 'sequence'), segment: integer(row, 'segment') } : { sequence: 0, segment: 0 };
  }
}
