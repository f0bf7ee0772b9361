import { SourceError, sourceError } from '../contract/errors.ts';
import type { Pace } from '../contract/source.ts';

/** Share of one core that the rounds of one connection may take at rest. */
const largestShare = 0.02;
/** What failed is asked again after this time, or at its pace where that is slower. */
const retryAfterMs = 1000;
/** Of something that changes all the time, a push is followed at most this often. */
const wokenGapMs = 10;
/** An answer that stays the same is told this often at most, where it is known to be the same. */
const sameEveryMs = 1000;
/** A pace that became quicker meanwhile is noticed within this time. */
const longestSleepMs = 200;

export interface RoundsOptions<Item, Value> {
  /** The same for items that are one question. */
  key(item: Item): string;
  /** Asks for all at once and answers in their order. Throws when none could be asked: then all have failed. */
  ask(items: readonly Item[]): Promise<readonly (Value | SourceError)[]>;
  /** Processor time that asking and hearing the answers takes this process, µs, as measured. */
  costMicros(items: readonly Item[]): number;
  batchSize: number;
  /** Share of the time in which the source may be busy with the rounds; default 1. */
  busyShare?: number;
  /** Time until the next question after this answer; default its pace. */
  intervalMs?(item: Item, value: Value, paceMs: number): number;
  /** Whether an answer says what the one before has said: it is then told once a second and not each time. */
  isSame?(before: Value, now: Value): boolean;
  nowMs(): number;
}

interface Listener<Value> {
  pace: Pace;
  tell(answer: Value | SourceError): void;
  /** When it was told last. */
  toldMs: number;
}

interface Entry<Item, Value> {
  item: Item;
  listeners: Set<Listener<Value>>;
  waiting: PromiseWithResolvers<Value>[];
  /** Null: not asked yet. */
  askedMs: number | null;
  answer: Value | SourceError | undefined;
  isWoken: boolean;
}

/**
 * Questions of many triggers to one connection, asked together: each at its own pace, one batch at a time, and slower
 * where the batches would take more of a core than is fair. Equal questions are asked once.
 */
export class Rounds<Item, Value> {
  readonly #options: RoundsOptions<Item, Value>;
  readonly #entries = new Map<string, Entry<Item, Value>>();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  #isAsking = false;
  #isClosed = false;
  #freeMs = 0;

  constructor(options: RoundsOptions<Item, Value>) {
    this.#options = options;
  }

  /** Asks with the next batch, which does not wait for anything but the one that is under way. */
  once(item: Item): Promise<Value> {
    if (this.#isClosed) return Promise.reject(new SourceError('unreachable', 'the source was closed'));
    const waiting = Promise.withResolvers<Value>();
    this.#entry(item).waiting.push(waiting);
    this.#schedule();
    return waiting.promise;
  }

  /** Tells every answer, also one that is the same as before, but for those that `isSame` leaves out. */
  watch(item: Item, pace: Pace, tell: Listener<Value>['tell']): () => void {
    const entry = this.#entry(item);
    const listener = { pace, tell, toldMs: Number.NEGATIVE_INFINITY };
    entry.listeners.add(listener);
    // Whoever comes later hears the value at once too.
    entry.isWoken = true;
    this.#schedule();
    return () => {
      entry.listeners.delete(listener);
      this.#drop(entry);
    };
  }

  /** There are news of this one: it is asked now and not at its pace. */
  wake(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry || entry.isWoken) return;
    entry.isWoken = true;
    this.#schedule();
  }

  /** Everything that is watched. */
  *watched(): Iterable<{ item: Item; answer: Value | SourceError | undefined }> {
    for (const { item, answer, listeners } of this.#entries.values()) if (listeners.size > 0) yield { item, answer };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const { waiting } of this.#entries.values()) {
      for (const { reject } of waiting) reject(new SourceError('unreachable', 'the source was closed'));
    }
    this.#entries.clear();
  }

  #entry(item: Item): Entry<Item, Value> {
    const key = this.#options.key(item);
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { item, listeners: new Set(), waiting: [], askedMs: null, answer: undefined, isWoken: false };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #drop(entry: Entry<Item, Value>): void {
    if (entry.listeners.size > 0 || entry.waiting.length > 0) return;
    const key = this.#options.key(entry.item);
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #dueMs(entry: Entry<Item, Value>): number {
    const { askedMs, answer, listeners, waiting } = entry;
    if (waiting.length > 0) return 0;
    if (askedMs === null) return this.#freeMs;
    if (entry.isWoken && !(answer instanceof SourceError)) return askedMs + wokenGapMs;
    let paceMs = Number.POSITIVE_INFINITY;
    for (const { pace } of listeners) paceMs = Math.min(paceMs, pace.intervalMs);
    if (answer === undefined || answer instanceof SourceError) {
      return Math.max(this.#freeMs, askedMs + Math.max(paceMs, retryAfterMs));
    }
    const intervalMs = this.#options.intervalMs?.(entry.item, answer, paceMs) ?? paceMs;
    return Math.max(this.#freeMs, askedMs + intervalMs);
  }

  #schedule(): void {
    if (this.#isAsking || this.#isClosed) return;
    const nowMs = this.#options.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) nextMs = Math.min(nextMs, this.#dueMs(entry));
    if (nextMs === Number.POSITIVE_INFINITY) {
      clearTimeout(this.#timer);
      this.#timerMs = nextMs;
      return;
    }
    const atMs = Math.max(nowMs, Math.min(nextMs, nowMs + longestSleepMs));
    if (this.#timerMs <= atMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      void this.#round();
    }, atMs - nowMs);
  }

  async #round(): Promise<void> {
    const { ask, costMicros, busyShare = 1, nowMs } = this.#options;
    const startedMs = nowMs();
    const batch = this.#due(startedMs);
    if (batch.length > 0) {
      this.#isAsking = true;
      const taken = batch.map((entry) => {
        entry.isWoken = false;
        entry.askedMs = startedMs;
        if (entry.waiting.length === 0) return nobody;
        const { waiting } = entry;
        entry.waiting = [];
        return waiting;
      });
      const items = batch.map(({ item }) => item);
      const answers = await ask(items).catch((error: unknown) => this.#allFailed(error, startedMs));
      if (this.#isClosed) {
        for (const waiting of taken)
          for (const { reject } of waiting) reject(new SourceError('unreachable', 'the source was closed'));
        return;
      }
      const endedMs = nowMs();
      const tookMs = endedMs - startedMs;
      this.#freeMs = startedMs + Math.max(costMicros(items) / 1000 / largestShare, tookMs / busyShare);
      for (const [index, entry] of batch.entries()) {
        const answer = answers instanceof SourceError ? answers : answers[index];
        if (answer === undefined) continue;
        this.#tell(entry, answer, taken[index] ?? nobody, endedMs);
      }
      if (answers instanceof SourceError) {
        // Nobody else would be answered now either: they need not find that out one batch after the other.
        const asked = new Set(batch);
        for (const entry of [...this.#entries.values()])
          if (!asked.has(entry)) this.#tell(entry, answers, nobody, endedMs);
      }
      this.#isAsking = false;
    }
    this.#schedule();
  }

  #allFailed(error: unknown, startedMs: number): SourceError {
    for (const entry of this.#entries.values()) entry.askedMs = startedMs;
    return sourceError(error, 'the source');
  }

  #tell(
    entry: Entry<Item, Value>,
    answer: Value | SourceError,
    waiting: readonly PromiseWithResolvers<Value>[],
    atMs: number,
  ): void {
    const before = entry.answer;
    entry.answer = answer;
    for (const { resolve, reject } of waiting) {
      if (answer instanceof SourceError) reject(answer);
      else resolve(answer);
    }
    // Thousands at rest say the same all the time: nothing is made for them.
    const fromMs = this.#isSame(before, answer) ? atMs - sameEveryMs : Number.POSITIVE_INFINITY;
    for (const listener of entry.listeners) {
      if (listener.toldMs > fromMs) continue;
      listener.toldMs = atMs;
      listener.tell(answer);
    }
    if (entry.listeners.size === 0) this.#drop(entry);
  }

  #isSame(before: Value | SourceError | undefined, now: Value | SourceError): boolean {
    const { isSame } = this.#options;
    if (!isSame || before === undefined) return false;
    return !(before instanceof SourceError) && !(now instanceof SourceError) && isSame(before, now);
  }

  /** Those that are due, the longest overdue first where they are too many. */
  #due(nowMs: number): Entry<Item, Value>[] {
    const due: Entry<Item, Value>[] = [];
    for (const entry of this.#entries.values()) if (this.#dueMs(entry) <= nowMs) due.push(entry);
    const { batchSize } = this.#options;
    if (due.length <= batchSize) return due;
    const sinceMs = ({ waiting, askedMs }: Entry<Item, Value>) => (waiting.length > 0 ? 0 : (askedMs ?? 0));
    return due.sort((one, other) => sinceMs(one) - sinceMs(other)).slice(0, batchSize);
  }
}

const nobody: readonly never[] = [];
