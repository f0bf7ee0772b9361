import type { Clock } from '@ebb/core';
import type { ScaledJobStatus, WatchEvent, WorkloadStatus } from '@ebb/documents';

/** What is sent of an object: of which sort, and how it is now. */
type Shown = { type: 'status'; status: WorkloadStatus } | { type: 'jobs'; status: ScaledJobStatus };

type NewEvent = WatchEvent extends infer One ? (One extends WatchEvent ? Omit<One, 'sequence'> : never) : never;

/** Whose status may be another one: a workload's, or by `journalKey` that of a ScaledJob. */
type StatusListener = (key: string) => void;

interface Pace {
  lastMs: number;
  /** Prompt statuses that may still be sent at once; refilled by one every `statusGapMs`. */
  tokens: number;
  cancel: (() => void) | null;
  queued: boolean;
}

/** Statuses of one workload are at least this far apart, but for a short burst of phase changes. */
const statusGapMs = 100;
const promptBurst = 10;

/**
 * The stream behind `watch`: events with rising sequence numbers. A status is built when it is sent, so that changes
 * in between are merged: ten a second for each workload, phase changes at once as long as they do not come in masses.
 */
export class StatusFeed {
  readonly #clock: Clock;
  readonly #build: (key: string) => Shown | null;
  readonly #listeners = new Set<(event: WatchEvent) => void>();
  readonly #keyListeners = new Set<StatusListener>();
  readonly #paces = new Map<string, Pace>();
  #sequence: number;

  constructor(clock: Clock, build: (key: string) => Shown | null) {
    this.#clock = clock;
    this.#build = build;
    // Rises over restarts as well, because the clock does: no run sends a thousand events a millisecond.
    this.#sequence = clock.nowMs() * 1000;
  }

  watch(listener: (event: WatchEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** At the pace of statuses, without one being built: thousands at rest are decided on all the time. */
  watchKeys(listener: StatusListener): () => void {
    this.#keyListeners.add(listener);
    return () => this.#keyListeners.delete(listener);
  }

  send(event: NewEvent): void {
    const numbered: WatchEvent = { ...event, sequence: ++this.#sequence };
    for (const listener of [...this.#listeners]) listener(numbered);
  }

  /** The workload's status has changed; `promptly` where a person waits for it (a replica's phase). */
  changed(workload: string, promptly: boolean): void {
    if (this.#listeners.size + this.#keyListeners.size === 0) return;
    const nowMs = this.#clock.nowMs();
    let pace = this.#paces.get(workload);
    if (!pace) {
      pace = { lastMs: Number.NEGATIVE_INFINITY, tokens: promptBurst, cancel: null, queued: false };
      this.#paces.set(workload, pace);
    }
    const one = pace;
    if (one.queued) return;
    const dueMs = one.lastMs + statusGapMs;
    if (nowMs >= dueMs) one.tokens = Math.min(promptBurst, one.tokens + Math.floor((nowMs - one.lastMs) / statusGapMs));
    if (nowMs >= dueMs || (promptly && one.tokens > 0)) {
      one.tokens = Math.max(0, one.tokens - 1);
      one.cancel?.();
      one.cancel = null;
      one.queued = true;
      // After the turn, so that all it changes goes into one status.
      void Promise.resolve().then(() => this.#sendStatus(workload, one));
    } else {
      one.cancel ??= this.#clock.at(dueMs, () => {
        one.cancel = null;
        this.#sendStatus(workload, one);
      });
    }
  }

  forget(workload: string): void {
    this.#paces.get(workload)?.cancel?.();
    this.#paces.delete(workload);
  }

  close(): void {
    for (const workload of [...this.#paces.keys()]) this.forget(workload);
  }

  #sendStatus(workload: string, pace: Pace): void {
    pace.queued = false;
    pace.lastMs = this.#clock.nowMs();
    for (const listener of [...this.#keyListeners]) listener(workload);
    if (this.#listeners.size === 0) return;
    const shown = this.#build(workload);
    if (shown) this.send({ ...shown, at: pace.lastMs });
  }
}
