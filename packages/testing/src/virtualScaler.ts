import type { Reading, Scaler } from '@ebb/core';
import type { ScheduleSpec } from '@ebb/documents';

/** A scaler that says what it is told to, for tests of whoever reads it. */
export class VirtualScaler implements Scaler {
  readonly #listeners = new Set<() => void>();
  readings: (nowMs: number) => Reading[];
  /** Set: `read` fails with it. */
  failure: Error | null = null;
  closed = false;

  constructor(readings: (nowMs: number) => Reading[] = () => []) {
    this.readings = readings;
  }

  async read(nowMs: number): Promise<Reading[]> {
    if (this.failure) throw this.failure;
    return this.readings(nowMs);
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells the watchers that reading would give something new. */
  push(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#listeners.clear();
  }
}

/**
 * Schedules without calendars: `start` and `end` are not read as cron but as `@every PERIOD OFFSET LENGTH` in
 * milliseconds given by the test, so that the engine can be tested without time zones.
 */
export function periodicSchedules(
  schedules: ScheduleSpec[],
  windows: Record<string, { fromMs: number; toMs: number }>,
): VirtualScaler {
  return new VirtualScaler((nowMs) =>
    schedules.map((schedule): Reading => {
      const window = windows[schedule.name];
      const on = window !== undefined && nowMs >= window.fromMs && nowMs < window.toMs;
      const changes = window ? [window.fromMs, window.toMs].filter((atMs) => atMs > nowMs) : [];
      return {
        trigger: `schedule:${schedule.name}`,
        class: null,
        value: on ? schedule.minReplicas : 0,
        peak: null,
        spanMs: 0,
        atMs: nowMs,
        state: 'ok',
        ...(changes.length > 0 ? { nextChangeMs: Math.min(...changes) } : {}),
      };
    }),
  );
}
