import { openPostgres, type Sql } from '@ebb/scalers';
import type { Log } from '../../log.ts';
import { DatabaseError, explained, StoreAwayError } from './errors.ts';
import { type PostgresStoreSettings, storePlace } from './settings.ts';

export interface StoreHealth {
  state: 'connecting' | 'there' | 'away';
  /** How long it has been so. */
  forMs: number;
  /** Why it is away; empty where it is not. */
  message: string;
}

/** How long things may take; left out: as in production. */
export interface ConnectionTimes {
  /** A question, with the connection where there is none. */
  readonly answerMs: number;
  readonly connectMs: number;
  /** Before it is asked again after a failure: doubled each time, from the first to the longest. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
}

export const connectionTimes: ConnectionTimes = {
  answerMs: 15_000,
  connectMs: 5000,
  firstRetryMs: 100,
  longestRetryMs: 5000,
};

/** The server gives up a statement after this long; reads of a long journal take their time. */
const statementMs = 60_000;
/** A transaction that its client has left holds the leader's row for this long at most. */
const idleInTransactionMs = 10_000;
/** One writes, the others read. */
const connections = 3;

/**
 * The way to the database. A question is bounded in time. When it is away, everything fails at once and says so, but for one question
 * from time to time; everything begins on new connections after that. It says in the log when it goes and when it is back.
 */
export class StoreConnection {
  readonly place: string;
  readonly #settings: PostgresStoreSettings;
  readonly #log: Log;
  readonly #times: ConnectionTimes;
  #client: Promise<Sql> | null = null;
  #sinceMs = performance.now();
  #state: StoreHealth['state'] = 'connecting';
  #message = '';
  #retryMs = 0;
  #notBeforeMs = 0;
  #probe: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(settings: PostgresStoreSettings, log: Log, times: ConnectionTimes = connectionTimes) {
    this.place = storePlace(settings);
    this.#settings = settings;
    this.#log = log;
    this.#times = times;
  }

  health(): StoreHealth {
    return { state: this.#state, forMs: Math.round(performance.now() - this.#sinceMs), message: this.#message };
  }

  /** Until the next question may be asked, milliseconds; 0: now. */
  waitMs(): number {
    return Math.max(0, Math.ceil(this.#notBeforeMs - performance.now()));
  }

  /**
   * Throws `StoreAwayError` where there is no answer, `DatabaseError` where the answer is an error, and whatever `work` throws of
   * the store's own.
   */
  async run<Result>(work: (client: Sql) => Promise<Result>, answerMs: number = this.#times.answerMs): Promise<Result> {
    if (this.#isClosed) throw new StoreAwayError(`${this.place}: the store is closed`);
    if (this.waitMs() > 0) throw new StoreAwayError(`${this.#message}; it is asked again soon`);
    return this.#ask(work, answerMs);
  }

  async #ask<Result>(work: (client: Sql) => Promise<Result>, answerMs: number): Promise<Result> {
    const client = (this.#client ??= this.#open());
    try {
      const result = await bounded(client.then(work), answerMs, `${this.place}: no answer within ${answerMs} ms`);
      this.#answered(client);
      return result;
    } catch (error) {
      const { password, keyPassword = '' } = this.#settings.address;
      const known = explained(error, this.place, [password, keyPassword]);
      // It has let us in before: the password was changed, or a right was taken away, and may come back.
      const isShutOut =
        this.#state !== 'connecting' && known.error instanceof DatabaseError && known.error.code === 'unauthorized';
      if (!known.isAway && !isShutOut) this.#answered(client);
      // Ended because another question had no answer: that one knows why.
      else if (this.#client !== client && this.#state === 'away') throw new StoreAwayError(this.#message);
      else this.#lost(client, known.error.message);
      throw isShutOut ? new StoreAwayError(known.error.message) : known.error;
    }
  }

  /** Ends all connections; a question that waits for an answer gets a little time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#probe) clearTimeout(this.#probe);
    const client = this.#client;
    this.#client = null;
    await client?.then((open) => open.end({ timeout: 1 })).catch(() => {});
  }

  #open(): Promise<Sql> {
    const session = {
      statement_timeout: String(statementMs),
      idle_in_transaction_session_timeout: String(idleInTransactionMs),
    };
    const opened = openPostgres(this.#settings.address, {
      connections,
      connectTimeoutSeconds: this.#times.connectMs / 1000,
      prepare: true,
      session,
      backoffSeconds: 0,
    });
    // Files that cannot be read: they may be there the next time.
    opened.catch(() => {
      if (this.#client === opened) this.#client = null;
    });
    return opened;
  }

  #answered(client: Promise<Sql>): void {
    if (this.#client !== client) return;
    this.#retryMs = 0;
    this.#notBeforeMs = 0;
    if (this.#state === 'there') return;
    if (this.#state === 'away') this.#log('info', 'the store is back', { awayMs: this.health().forMs });
    this.#turn('there', '');
  }

  #lost(client: Promise<Sql>, message: string): void {
    // Others that asked over the same connections have said it already.
    if (this.#client !== client) return;
    this.#client = null;
    client.then((open) => open.end({ timeout: 0 })).catch(() => {});
    const { firstRetryMs, longestRetryMs } = this.#times;
    this.#retryMs = Math.min(longestRetryMs, Math.max(firstRetryMs, this.#retryMs * 2));
    this.#notBeforeMs = performance.now() + this.#retryMs;
    if (this.#state !== 'away') {
      this.#log('warn', 'the store is away; decisions go on', { error: message });
      this.#turn('away', message);
    }
    this.#message = message;
    if (this.#probe || this.#isClosed) return;
    this.#probe = setTimeout(() => {
      this.#probe = null;
      // Whatever the clock says: a timer may ring a little early, and who waits for this one would wait for ever.
      this.#ask((open) => open.unsafe('select 1'), this.#times.answerMs).catch(() => {});
    }, this.#retryMs);
    this.#probe.unref();
  }

  #turn(state: StoreHealth['state'], message: string): void {
    this.#state = state;
    this.#message = message;
    this.#sinceMs = performance.now();
  }
}

async function bounded<Result>(work: Promise<Result>, limitMs: number, message: string): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new StoreAwayError(message)), limitMs);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // It may still fail when its connection is ended; that was said.
    work.catch(() => {});
  }
}
