import type { Clock, Decision, JournalKind, JournalRecord, JournalStore, Observation } from '@ebb/core';
import { type DecisionBody, DecisionRun } from './decisionRun.ts';
import type { LogLevel } from './types.ts';

/** First records of a segment: enough to replay what follows. */
export interface SnapshotPart {
  workload: string | null;
  body: unknown;
}

export interface JournalOptions {
  store: JournalStore;
  clock: Clock;
  log(level: LogLevel, message: string, data?: Record<string, unknown>): void;
  snapshot(): SnapshotPart[];
}

const flushDelayMs = 20;
/** Bounds of buffer and segment; with very many workloads they grow with the snapshot, which must not be most of it. */
const maxBuffered = 20_000;
const segmentRecords = 20_000;
const segmentBytes = 4_000_000;
const timesSnapshot = 4;
const maxAppend = 1000;
/** Every so many records one is measured for all of them. */
const measureEvery = 8;
const segmentMs = 3_600_000;
const keepMs = 7 * 86_400_000;
const keepBytes = 1_000_000_000;
const firstRetryMs = 100;
const longestRetryMs = 5000;

/**
 * Writes the journal (design §3a.7): records with sequence numbers without gaps, in segments that each begin with a
 * snapshot. Nothing waits for it: records are buffered and appended in groups. When the store does not take them, the
 * buffer fills and then refuses; what is refused gets no number, and recording goes on with a new segment, so that
 * every segment replays from its own snapshot.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #runs = new Map<string, DecisionRun>();
  #buffer: JournalRecord[] = [];
  #sequence = 0;
  #segment = 0;
  #segmentFrom = 0;
  #segmentRecords = 0;
  #segmentBytes = 0;
  #snapshotRecords = 0;
  #snapshotBytes = 0;
  #refused = 0;
  /** A record was refused: the segment cannot be replayed from here on, so nothing more goes into it. */
  #broken = false;
  #flushing: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;
  #retryMs = 0;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Continues after what the store has. */
  async open(): Promise<void> {
    const head = await this.#options.store.head();
    this.#sequence = head.sequence;
    this.#segment = head.segment;
    await this.#trim();
  }

  /** Its sequence number, or null when the journal cannot take it. */
  record(kind: JournalKind, workload: string | null, body: unknown): number | null {
    if (this.#broken || this.#buffer.length >= this.#mostBuffered()) {
      this.#broken = true;
      this.#refused++;
      return null;
    }
    const sequence = ++this.#sequence;
    this.#segmentRecords++;
    this.#buffer.push({
      sequence,
      segment: this.#segment,
      atMs: this.#options.clock.nowMs(),
      kind,
      workload,
      body,
    });
    this.#schedule(flushDelayMs);
    return sequence;
  }

  /**
   * To be called before `decide`: the only moment at which a segment may begin, because the snapshot's memories must be
   * those that the next observations meet.
   */
  prepare(): void {
    if (this.#broken) {
      if (this.#buffer.length > this.#mostBuffered() / 2) return;
      this.#broken = false;
      this.#runs.clear();
      this.#beginSegment();
      this.record('event', null, { type: 'journal-refused', records: this.#refused });
      this.#refused = 0;
      return;
    }
    if (this.#segmentRecords > 0 && !this.#isFull()) return;
    for (const [workload, run] of this.#runs) this.#endRun(workload, run);
    if (!this.#broken) this.#beginSegment();
  }

  /** Records what was observed and decided. The sequence number of a new decision; null where the run goes on. */
  decided(workload: string, observation: Observation, decision: Decision): number | null {
    let run = this.#runs.get(workload);
    if (!run) {
      run = new DecisionRun();
      this.#runs.set(workload, run);
    }
    const full = run.observe(observation);
    if (run.continues(decision)) {
      run.repeat(decision, observation.nowMs);
      if (full) this.#writeReadings(workload, run);
      return null;
    }
    this.#endRun(workload, run);
    const body: DecisionBody = { type: 'decided', causes: observation.causes, decision };
    const sequence = this.record('decision', workload, body);
    if (sequence !== null) run.begin(sequence, decision);
    return sequence;
  }

  forget(workload: string): void {
    const run = this.#runs.get(workload);
    if (!run) return;
    this.#endRun(workload, run);
    this.#runs.delete(workload);
  }

  /** Writes out what is kept back and waits until the store has it all, or has failed to take it. */
  async flush(): Promise<void> {
    for (const [workload, run] of this.#runs) this.#writeReadings(workload, run);
    await this.#flushing;
    if (this.#buffer.length > 0) await this.#append();
  }

  async close(): Promise<void> {
    for (const [workload, run] of this.#runs) this.#endRun(workload, run);
    this.#closed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    await this.#flushing;
    if (this.#buffer.length > 0) await this.#append();
  }

  /** Ends at once, as a crash would. */
  abandon(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#buffer = [];
  }

  #writeReadings(workload: string, run: DecisionRun): void {
    const body = run.takeReadings();
    if (body) this.record('reading', workload, body);
  }

  #endRun(workload: string, run: DecisionRun): void {
    this.#writeReadings(workload, run);
    const repeated = run.end();
    if (repeated) this.record('decision', workload, repeated);
  }

  #beginSegment(): void {
    if (this.#segmentRecords > 0) void this.#trim();
    this.#segment++;
    this.#segmentFrom = this.#options.clock.nowMs();
    this.#segmentBytes = 0;
    this.#snapshotBytes = 0;
    const parts = this.#options.snapshot();
    this.#snapshotRecords = parts.length;
    this.#segmentRecords = 0;
    for (const { workload, body } of parts) this.record('snapshot', workload, body);
  }

  #isFull(): boolean {
    const records = this.#segmentRecords - this.#snapshotRecords;
    const bytes = this.#segmentBytes - this.#snapshotBytes;
    return (
      records >= Math.max(segmentRecords, timesSnapshot * this.#snapshotRecords) ||
      bytes >= Math.max(segmentBytes, timesSnapshot * this.#snapshotBytes) ||
      this.#options.clock.nowMs() - this.#segmentFrom >= segmentMs
    );
  }

  #mostBuffered(): number {
    return Math.max(maxBuffered, timesSnapshot * this.#snapshotRecords);
  }

  #schedule(delayMs: number): void {
    if (this.#cancelTimer || this.#flushing || this.#closed) return;
    this.#cancelTimer = this.#options.clock.at(this.#options.clock.nowMs() + delayMs, () => {
      this.#cancelTimer = null;
      void this.#append();
    });
  }

  async #append(): Promise<void> {
    this.#flushing ??= this.#appendOnce().finally(() => {
      this.#flushing = null;
      if (this.#buffer.length > 0) this.#schedule(this.#retryMs || 0);
    });
    await this.#flushing;
  }

  async #appendOnce(): Promise<void> {
    const { store, log } = this.#options;
    try {
      // After a failure it is not known how much the store took.
      if (this.#retryMs > 0) this.#dropWritten((await store.head()).sequence);
      while (this.#buffer.length > 0) {
        const records = this.#buffer.slice(0, maxAppend);
        await store.append(records);
        this.#dropWritten(records.at(-1)?.sequence ?? 0);
        this.#measure(records);
      }
      this.#retryMs = 0;
    } catch (error) {
      this.#retryMs = Math.min(longestRetryMs, Math.max(firstRetryMs, this.#retryMs * 2));
      log('warn', 'journal not written', { error: String(error), waiting: this.#buffer.length });
    }
  }

  #dropWritten(sequence: number): void {
    const left = this.#buffer.findIndex((record) => record.sequence > sequence);
    this.#buffer.splice(0, left === -1 ? this.#buffer.length : left);
  }

  #measure(records: JournalRecord[]): void {
    for (const { sequence, segment, kind, body } of records) {
      if (segment !== this.#segment || sequence % measureEvery !== 0) continue;
      const bytes = JSON.stringify(body).length * measureEvery;
      this.#segmentBytes += bytes;
      if (kind === 'snapshot') this.#snapshotBytes += bytes;
    }
  }

  async #trim(): Promise<void> {
    try {
      await this.#options.store.trim({ olderThanMs: this.#options.clock.nowMs() - keepMs, maxBytes: keepBytes });
    } catch (error) {
      this.#options.log('warn', 'journal not trimmed', { error: String(error) });
    }
  }
}
