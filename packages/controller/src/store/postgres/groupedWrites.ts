import { StoreError } from '@ebb/core';
import type { StoreConnection } from './connection.ts';
import { type SqlValue, selectRows } from './rows.ts';
import { quoted } from './settings.ts';
import { StoreAwayError } from './errors.ts';

/** What the database's function `write_group` takes, each as JSON. */
export type Write =
  | { type: 'append'; first: number; records: readonly WrittenRecord[] }
  | { type: 'save'; name: string; value: string; epoch: number }
  | { type: 'drop'; name: string }
  | { type: 'ledger' | 'node'; row: object }
  /** Records of one segment; with its number its end as well. */
  | { type: 'trim'; first: number; last: number; segment: number | null };

export interface WrittenRecord {
  sequence: number;
  segment: number;
  atMs: number;
  kind: string;
  workload: string | null;
  body: string;
  /** Base64 of zstd, where the body is packed. */
  packed: string | null;
  bytes: number;
}

interface Waiting {
  json: string;
  resolve: (rows: number) => void;
  reject: (error: unknown) => void;
}

const maxGroupWrites = 4096;
const maxGroupLength = 8_000_000;
/** So many wait at most while the database is slow; who comes then is told at once. */
const maxWaiting = 50_000;

/**
 * Writes in groups, one after another: what comes while one is on its way goes with the next. A group is one statement, so it is done
 * as a whole, once, and in order; what does not fit (an older epoch, a gap in the journal) is refused by itself. When no answer comes
 * it is not known whether a group was done: all of it fails, and those who try again do no harm.
 */
export class GroupedWrites {
  /** As it stands in a statement. */
  readonly schema: string;
  readonly #connection: StoreConnection;
  readonly #statement: string;
  #waiting: Waiting[] = [];
  #isRunning = false;
  #latest: Promise<unknown> = Promise.resolve();
  #epoch = 0;
  #number = 0;

  constructor(connection: StoreConnection, schema: string) {
    this.schema = quoted(schema);
    this.#connection = connection;
    this.#statement = `select ${this.schema}.write_group($1::bigint, $2::bigint, $3::text::json) as answer`;
  }

  /** Everything from now on is written by the holder of this epoch. */
  setEpoch(epoch: number): void {
    this.#epoch = epoch;
  }

  /** Number of rows that a `trim` took away; 0 for others. */
  write(write: Write): Promise<number> {
    if (this.#waiting.length >= maxWaiting) {
      return Promise.reject(new StoreAwayError(`${this.#connection.place}: ${maxWaiting} writes wait already`));
    }
    // As it is now: the caller may go on changing it.
    const json = JSON.stringify(write);
    const written = new Promise<number>((resolve, reject) => this.#waiting.push({ json, resolve, reject }));
    this.#latest = written;
    if (!this.#isRunning) void this.#run();
    return written;
  }

  /** Waits until what has been given so far is written, or has failed. */
  async flush(): Promise<void> {
    await this.#latest.catch(() => {});
  }

  /** Rows of one statement, with what has been given so far in them. */
  async select(sql: string, values?: readonly SqlValue[]): Promise<Record<string, unknown>[]> {
    await this.flush();
    return selectRows(this.#connection, sql, values);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // What is written in one turn goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        const answer = await this.#send(group);
        settle(group, answer);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    // Now, not a little later: whoever hears that its write is done may write again at once.
    this.#isRunning = false;
  }

  #takeGroup(): Waiting[] {
    let length = 0;
    let count = 0;
    for (const { json } of this.#waiting) {
      length += json.length;
      if (count > 0 && (length > maxGroupLength || count >= maxGroupWrites)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #send(group: readonly Waiting[]): Promise<Answer> {
    const parameters = [String(this.#epoch), String(++this.#number), `[${group.map(({ json }) => json).join(',')}]`];
    const [row] = await this.#connection.run((client) => client.unsafe(this.#statement, parameters, { prepare: true }));
    const answer = readAnswer(row?.['answer']);
    if (answer.newest !== null) throw replaced(this.#epoch, answer.newest);
    if (answer.late !== null) {
      throw new StoreAwayError(`${this.#connection.place}: a later group of writes was done already`);
    }
    return answer;
  }
}

interface Answer {
  newest: number | null;
  late: number | null;
  answers: ReadonlyMap<number, Readonly<Record<string, number>>>;
}

function settle(group: readonly Waiting[], { answers }: Answer): void {
  for (const [at, { resolve, reject, json }] of group.entries()) {
    const { newest, head, rows } = answers.get(at) ?? {};
    if (newest !== undefined) reject(replaced(epochOf(json), newest));
    else if (head !== undefined) {
      reject(new StoreError('corrupt', `a journal record was given that does not follow ${head}`));
    } else resolve(rows ?? 0);
  }
}

function epochOf(json: string): number {
  const written: unknown = JSON.parse(json);
  return typeof written === 'object' && written !== null && 'epoch' in written ? Number(written.epoch) : 0;
}

export function replaced(epoch: number, newest: number): StoreError {
  return new StoreError('stale-epoch', `a newer control plane took over (epoch ${newest}, this one has ${epoch})`);
}

function readAnswer(text: unknown): Answer {
  const answer: unknown = typeof text === 'string' ? JSON.parse(text) : null;
  if (typeof answer !== 'object' || answer === null) {
    throw new StoreError('corrupt', 'the database answered a write with something else than JSON');
  }
  const list = 'answers' in answer && Array.isArray(answer.answers) ? (answer.answers as unknown[]) : [];
  return {
    newest: 'newest' in answer ? Number(answer.newest) : null,
    late: 'late' in answer ? Number(answer.late) : null,
    answers: new Map(list.map((one) => [numbersOf(one)['at'] ?? -1, numbersOf(one)])),
  };
}

function numbersOf(value: unknown): Record<string, number> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
