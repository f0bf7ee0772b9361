import { SourceError } from '../contract/errors.ts';

/** One connection to a database; it connects with its first query. */
export interface SqlConnection {
  /**
   * First column of the first row, read in a transaction that may not write; undefined where there is no row.
   * Rejects with `SourceError`.
   */
  firstValue(query: string): Promise<unknown>;
  /** Breaks it off, whatever it is doing. */
  destroy(): void;
  /** Says goodbye to the server. */
  end(): Promise<void>;
}

const maxConnections = 2;
/** More reads of one database at once than that are refused. */
const maxWaiting = 1000;

/**
 * Few connections for all triggers of one database. A connection that a read left behind unfinished is destroyed, so
 * that a server that hangs never takes all of them.
 */
export class ConnectionPool {
  readonly #where: string;
  readonly #open: () => SqlConnection;
  readonly #idle: SqlConnection[] = [];
  readonly #busy = new Set<SqlConnection>();
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  /** `where` is shown: host and database. */
  constructor(where: string, open: () => SqlConnection) {
    this.#where = where;
    this.#open = open;
  }

  async firstValue(query: string, signal: AbortSignal): Promise<unknown> {
    await this.#take(signal);
    try {
      const kept = this.#idle.pop();
      if (!kept) return await this.#ask(this.#open(), query, signal);
      try {
        return await this.#ask(kept, query, signal);
      } catch (error) {
        if (!(error instanceof SourceError) || error.code !== 'unreachable' || signal.aborted) throw error;
        // The server was restarted, or closed what was idle too long: nothing kept is worth more.
        for (const stale of this.#idle.splice(0)) stale.destroy();
        return await this.#ask(this.#open(), query, signal);
      }
    } finally {
      this.#giveBack();
    }
  }

  async close(): Promise<void> {
    for (const connection of this.#busy) connection.destroy();
    await Promise.all(this.#idle.splice(0).map((connection) => connection.end()));
  }

  async #ask(connection: SqlConnection, query: string, signal: AbortSignal): Promise<unknown> {
    this.#busy.add(connection);
    let isSound = false;
    const givenUp = Promise.withResolvers<never>();
    const giveUp = () => {
      connection.destroy();
      givenUp.reject(this.#late());
    };
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const answer = connection.firstValue(query);
      answer.catch(() => {});
      const value = await Promise.race([answer, givenUp.promise]);
      isSound = true;
      return value;
    } catch (error) {
      isSound = error instanceof SourceError && !/^(unreachable|timeout|unauthorized|unsupported)$/.test(error.code);
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#busy.delete(connection);
      if (isSound) this.#idle.push(connection);
      else connection.destroy();
    }
  }

  /** Waits for one of the places. */
  async #take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw this.#late();
    if (this.#taken < maxConnections) {
      this.#taken++;
      return;
    }
    if (this.#waiting.size >= maxWaiting) {
      throw new SourceError('unreachable', `${this.#where}: more than ${maxWaiting} queries are waiting`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = () => {
      this.#waiting.delete(resolve);
      reject(this.#late());
    };
    this.#waiting.add(resolve);
    signal.addEventListener('abort', giveUp, { once: true });
    await promise;
    signal.removeEventListener('abort', giveUp);
  }

  /** The longest waiting one takes the place over. */
  #giveBack(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#taken--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  #late(): SourceError {
    return new SourceError('timeout', `${this.#where}: no answer to the query within the time`);
  }
}
