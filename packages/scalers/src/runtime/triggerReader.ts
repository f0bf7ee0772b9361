import type { Reading } from '@ebb/core';
import { SourceError } from '../contract/errors.ts';
import type { ScalerContext, SourceReading, TriggerSource } from '../contract/source.ts';
import { withinTime } from './withinTime.ts';

/** Wanted between two rounds while the trigger is inactive, and while it is active. */
export const idleIntervalMs = 100;
export const activeIntervalMs = 1000;
/** A source that answers slowly is asked so seldom that the questions take at most this share of the time. */
const largestShare = 0.05;
const firstRetryMs = 500;
/** Longest time for a sign-in that goes to a vault or a cloud first. */
const signInTimeoutMs = 12_000;
const longestRetryMs = 10_000;

export interface TriggerReaderOptions {
  /** Name of the trigger in its document. */
  name: string;
  type: string;
  context: ScalerContext;
  /** Reads settings and sign-in anew. Rejects with `SourceError`. */
  open(): Promise<TriggerSource>;
}

/**
 * Reads one trigger: opens its source on first use, gives up in time, opens it anew after a refused sign-in (a password may
 * have been changed), and follows it while it is watched.
 */
export class TriggerReader {
  readonly name: string;
  readonly #options: TriggerReaderOptions;
  #source: Promise<TriggerSource> | null = null;
  #last: Reading | null = null;
  #unwatch: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  readonly #pace = { intervalMs: idleIntervalMs };
  #retryMs = firstRetryMs;
  #closed = false;

  constructor(options: TriggerReaderOptions) {
    this.#options = options;
    this.name = options.name;
  }

  /** Asks the source once. Never rejects: what went wrong is in the reading. */
  async read(): Promise<Reading> {
    return this.#note(await this.#ask());
  }

  /** Tells every change of value, activity or state, the first reading included, until the function is called. */
  follow(changed: (reading: Reading) => void): void {
    const tell = (answer: SourceReading | SourceError) => {
      if (this.#closed) return;
      const before = this.#last;
      // Thousands of triggers at rest say the same ten times a second.
      if (before && !(answer instanceof SourceError) && isRepeated(before, answer)) return;
      const reading = this.#note(answer);
      if (!before || !saysTheSame(before, reading) || answer instanceof SourceError) changed(reading);
    };
    const rounds = async (): Promise<void> => {
      if (this.#closed) return;
      const startedMs = performance.now();
      const answer = await this.#ask();
      if (this.#closed) return;
      tell(answer);
      const tookMs = performance.now() - startedMs;
      this.#again(() => void rounds(), this.#delayMs(answer, tookMs));
    };
    const begin = async (): Promise<void> => {
      const answer = await this.#ask();
      if (this.#closed) return;
      tell(answer);
      const source = answer instanceof SourceError ? null : await this.#opened().catch(() => null);
      if (this.#closed) return;
      if (!source) return this.#again(() => void begin(), this.#delayMs(answer, 0));
      if (!source.watch) return this.#again(() => void rounds(), this.#delayMs(answer, 0));
      this.#watch(source, tell, () => void begin());
    };
    void begin();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#unwatch?.();
    await this.#drop();
  }

  #watch(source: TriggerSource, tell: (answer: SourceReading | SourceError) => void, again: () => void): void {
    let isAsking = false;
    let isMissed = false;
    const ask = async (): Promise<void> => {
      // A burst of pushes is one question, and one more for those that came meanwhile.
      if (isAsking) {
        isMissed = true;
        return;
      }
      isAsking = true;
      do {
        isMissed = false;
        tell(await this.#ask());
      } while (isMissed && !this.#closed);
      isAsking = false;
    };
    this.#unwatch =
      source.watch?.((news) => {
        if (this.#closed) return;
        if (news === null) return void ask();
        if (!(news instanceof Error)) return tell(news);
        const error = this.#asError(news);
        tell(error);
        if (!mustReopen(error)) return;
        this.#unwatch?.();
        this.#unwatch = null;
        void this.#drop();
        this.#again(again, this.#retry());
      }, this.#pace) ?? null;
  }

  #again(action: () => void, delayMs: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(action, delayMs);
  }

  #delayMs(answer: SourceReading | SourceError, tookMs: number): number {
    if (answer instanceof SourceError) return this.#retry();
    const { nextChangeMs } = answer;
    if (nextChangeMs !== undefined) {
      const untilMs = nextChangeMs - this.#options.context.nowMs();
      return Math.min(60_000, Math.max(1, untilMs));
    }
    return Math.max(this.#pace.intervalMs, tookMs / largestShare);
  }

  #retry(): number {
    const delayMs = this.#retryMs;
    this.#retryMs = Math.min(longestRetryMs, delayMs * 2);
    return delayMs;
  }

  #opened(): Promise<TriggerSource> {
    return (this.#source ??= this.#options.open());
  }

  async #ask(): Promise<SourceReading | SourceError> {
    const { type, context } = this.#options;
    try {
      const where = `trigger ${this.name} (${type})`;
      const source = await withinTime(signInTimeoutMs, where, () => this.#opened());
      return await withinTime(source.timeoutMs ?? context.timeoutMs, where, (signal) => source.read(signal));
    } catch (error) {
      const failure = this.#asError(error);
      if (mustReopen(failure)) await this.#drop();
      return failure;
    }
  }

  #asError(error: unknown): SourceError {
    return error instanceof SourceError ? error : new SourceError('bad-answer', String(error));
  }

  async #drop(): Promise<void> {
    const closing = this.#source;
    this.#source = null;
    await closing?.then((source) => source.close()).catch(() => {});
  }

  #note(answer: SourceReading | SourceError): Reading {
    const base = { trigger: this.name, class: null, peak: null, spanMs: 0, atMs: this.#options.context.nowMs() };
    if (answer instanceof SourceError) {
      this.#last = { ...base, value: null, state: 'error', message: answer.message };
      return this.#last;
    }
    const { value, active, target, nextChangeMs, message } = answer;
    this.#retryMs = firstRetryMs;
    this.#pace.intervalMs = active ? activeIntervalMs : idleIntervalMs;
    this.#last = {
      ...base,
      value,
      active,
      state: 'ok',
      ...(target === undefined ? {} : { target }),
      ...(nextChangeMs === undefined ? {} : { nextChangeMs }),
      ...(message === undefined ? {} : { message }),
    };
    return this.#last;
  }
}

/** What was read from the document, or signed in with, may be another one by now. */
function mustReopen({ code }: SourceError): boolean {
  return code === 'unauthorized' || code === 'bad-setting' || code === 'unsupported';
}

/** A reading would differ from the one before in its time alone. */
function isRepeated(before: Reading, now: SourceReading): boolean {
  return before.state === 'ok' && before.nextChangeMs === now.nextChangeMs && hasSameFigures(before, now);
}

function saysTheSame(before: Reading, now: Reading): boolean {
  return before.state === now.state && hasSameFigures(before, now);
}

type Figures = Pick<Reading, 'value' | 'active' | 'target' | 'message'>;

function hasSameFigures(before: Figures, now: Figures): boolean {
  return (
    before.value === now.value &&
    before.active === now.active &&
    before.target === now.target &&
    before.message === now.message
  );
}
