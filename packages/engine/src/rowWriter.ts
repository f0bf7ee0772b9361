import type { Clock } from '@ebb/core';
import type { LogLevel } from './types.ts';

export interface RowWriterOptions<Row> {
  /** What is written, for the log. */
  name: string;
  clock: Clock;
  log(level: LogLevel, message: string, data?: Record<string, unknown>): void;
  keyOf(row: Row): string;
  write(rows: Row[]): Promise<void>;
}

const firstRetryMs = 100;
const longestRetryMs = 5000;

/**
 * Writes rows in the background, those of one turn together; of each key only the latest. Rows that cannot be written yet wait and are
 * tried again.
 */
export class RowWriter<Row> {
  readonly #options: RowWriterOptions<Row>;
  readonly #unwritten = new Map<string, Row>();
  #writing: Promise<void> | null = null;
  #cancelRetry: (() => void) | null = null;
  #retryMs = 0;
  #closed = false;

  constructor(options: RowWriterOptions<Row>) {
    this.#options = options;
  }

  write(row: Row): void {
    if (this.#closed) return;
    this.#unwritten.set(this.#options.keyOf(row), row);
    if (this.#retryMs === 0) void this.#drain();
  }

  /** Waits until everything is written, or writing failed. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#unwritten.size > 0) await this.#drain();
  }

  abandon(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#unwritten.clear();
  }

  async #drain(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
    });
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    const { name, clock, log, keyOf, write } = this.#options;
    // Rows of one turn go together.
    await Promise.resolve();
    try {
      while (this.#unwritten.size > 0) {
        const rows = [...this.#unwritten.values()];
        await write(rows);
        for (const row of rows) if (this.#unwritten.get(keyOf(row)) === row) this.#unwritten.delete(keyOf(row));
      }
      this.#retryMs = 0;
    } catch (error) {
      this.#retryMs = Math.min(longestRetryMs, Math.max(firstRetryMs, this.#retryMs * 2));
      log('warn', `${name} not written`, { error: String(error), waiting: this.#unwritten.size });
      if (this.#closed) return;
      this.#cancelRetry?.();
      this.#cancelRetry = clock.at(clock.nowMs() + this.#retryMs, () => void this.#drain());
    }
  }
}
