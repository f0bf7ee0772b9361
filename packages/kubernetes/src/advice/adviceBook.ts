import type { Clock, StateStore } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import type { KubernetesClient } from '../client/client.ts';
import { resources } from '../client/resources.ts';
import {
  changed,
  type Comparison,
  counted,
  differenceOf,
  isOfJobs,
  type JobsMade,
  newComparison,
  readComparison,
  type Side,
} from './comparison.ts';

export interface AdviceBookOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly state: Pick<StateStore, 'save' | 'load'>;
  readonly epoch: number;
  /** The ConfigMap that is written. */
  readonly configMap: { readonly namespace: string; readonly name: string };
  /** Between two writes of it; left out: 10 s. */
  readonly gapMs?: number;
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data: Record<string, unknown>): void;
}

/** ConfigMap beside an operator's lease with what it advises: the one object that advice writes. */
export function adviceConfigMap(lease: { namespace: string; name: string }): { namespace: string; name: string } {
  return { namespace: lease.namespace, name: `${lease.name}-advice` };
}
/** Key that says how many found no room. */
export const leftOutKey = '_left-out';
const stateName = 'kubernetes/advice';
/** An object of the API server holds a MiB at most. */
const mostBytes = 900_000;
const soonMs = 1000;
/** Written anew after this even where nothing has changed, so that totals are not too old. */
const refreshMs = 300_000;

/** What happened beside what Ebb would have done, for every target that is advised on: kept, and shown in a ConfigMap. */
export class AdviceBook {
  readonly #options: Required<AdviceBookOptions>;
  readonly #comparisons = new Map<string, Comparison>();
  /** Jobs made by when a ScaledJob was told of last. */
  readonly #made = new Map<string, JobsMade>();
  #saved = new Map<string, Comparison>();
  #isDue = false;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #hasWritten = false;
  #writing = false;
  #cancel: (() => void) | null = null;
  #dueMs = 0;
  #closed = false;

  constructor(options: AdviceBookOptions) {
    this.#options = { gapMs: 10_000, ...options };
  }

  /** Takes up what an earlier process has counted. */
  async load(): Promise<void> {
    const saved = await this.#options.state.load(stateName);
    const all = typeof saved === 'object' && saved !== null ? Object.entries(saved) : [];
    this.#saved = new Map(
      all.flatMap(([key, value]) => {
        const comparison = readComparison(value);
        return comparison ? [[key, comparison] as const] : [];
      }),
    );
  }

  /** Up to now. */
  list(): Comparison[] {
    const atMs = this.#options.clock.nowMs();
    return [...this.#comparisons.values()].map((one) => counted(one, atMs));
  }

  /** One target as it is now on both sides, or one ScaledJob, with the Jobs that were made since it is advised on here. */
  put(
    workload: ObjectKey,
    about: Pick<Comparison, 'document' | 'target'>,
    now: { actual: Side; advised: Side; startMs: number; because: string; made?: JobsMade },
  ): void {
    const key = bookKey(workload, isOfJobs(about));
    const atMs = this.#options.clock.nowMs();
    const { namespace, name } = workload;
    const { actual, advised, startMs, because } = now;
    const known = this.#comparisons.get(key) ?? this.#takeUp(key, about, atMs);
    const before = known ?? newComparison({ namespace, name, ...about }, atMs, { actual, advised });
    const made = now.made ? { made: this.#madeIn(key, before.made, now.made) } : {};
    const next = { ...changed(before, atMs, { actual, advised }), startMs, because, ...made };
    const isNews = !known || JSON.stringify(sidesOf(known)) !== JSON.stringify(sidesOf(next));
    this.#comparisons.set(key, next);
    if (!isNews) return;
    // Jobs come and go one by one: what is decided of them is a line.
    const isOther = now.made
      ? known?.because !== because
      : known?.advised.wanted !== advised.wanted || known.actual.wanted !== actual.wanted;
    if (isOther) {
      const { log } = this.#options;
      log('info', 'advice', { workload: key, runs: actual.wanted, would: advised.wanted, because });
    }
    this.#planNews(known ? this.#options.gapMs : this.#soonMs);
  }

  /** It is not advised on any more. */
  drop(workload: ObjectKey, { isJobs = false }: { isJobs?: boolean } = {}): void {
    const key = bookKey(workload, isJobs);
    this.#made.delete(key);
    if (this.#comparisons.delete(key)) this.#planNews(this.#soonMs);
  }

  #madeIn(key: string, before: JobsMade = { actual: 0, advised: 0 }, made: JobsMade): JobsMade {
    const told = this.#made.get(key) ?? { actual: 0, advised: 0 };
    this.#made.set(key, made);
    return {
      actual: before.actual + Math.max(0, made.actual - told.actual),
      advised: before.advised + Math.max(0, made.advised - told.advised),
    };
  }

  /** Whoever hands a target over waits to hear that it is, or is no more, advised on. */
  get #soonMs(): number {
    return Math.min(soonMs, this.#options.gapMs);
  }

  /** Writes what is due and ends. */
  async close(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#closed = true;
    if (this.#comparisons.size > 0) await this.#save();
  }

  /** What was counted earlier goes on, but for the time in which nobody watched. */
  #takeUp(key: string, about: Pick<Comparison, 'document' | 'target'>, atMs: number): Comparison | undefined {
    const saved = this.#saved.get(key);
    this.#saved.delete(key);
    if (saved?.document !== about.document || saved.target !== about.target) return undefined;
    return { ...saved, atMs };
  }

  #planNews(gapMs: number): void {
    this.#isDue = true;
    this.#plan(gapMs);
  }

  #plan(gapMs: number): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    const dueMs = Math.max(clock.nowMs(), this.#writtenAtMs + gapMs);
    if (this.#writing || (this.#cancel && this.#dueMs <= dueMs)) return;
    this.#cancel?.();
    this.#dueMs = dueMs;
    this.#cancel = clock.at(dueMs, () => {
      this.#cancel = null;
      void this.#write();
    });
  }

  async #write(): Promise<void> {
    const { client, clock, configMap, mayWrite, log } = this.#options;
    this.#writtenAtMs = clock.nowMs();
    this.#isDue = false;
    if (!mayWrite()) return;
    this.#writing = true;
    try {
      await this.#save();
      // Nothing to say, and nothing that was said: no ConfigMap is made.
      if (this.#hasWritten || this.#comparisons.size > 0) {
        await client.apply(resources.configMaps, configMap, { data: adviceData(this.list()) });
        this.#hasWritten = true;
      }
    } catch (error) {
      log('warn', 'advice not written', { error: String(error) });
    }
    this.#writing = false;
    if (this.#isDue) this.#plan(this.#options.gapMs);
    else if (this.#comparisons.size > 0) this.#plan(refreshMs);
  }

  async #save(): Promise<void> {
    const { state, epoch, mayWrite, log } = this.#options;
    if (!mayWrite()) return;
    const atMs = this.#options.clock.nowMs();
    const all = [...this.#comparisons].map(([key, one]) => [key, { ...counted(one, atMs) }] as const);
    try {
      await state.save(stateName, Object.fromEntries(all), epoch);
    } catch (error) {
      log('warn', 'what was advised was not saved', { error: String(error) });
    }
  }
}

/** The data of the ConfigMap: a key for each target, as far as there is room, those that differ most first. */
export function adviceData(comparisons: readonly Comparison[]): Record<string, string> {
  const sorted = [...comparisons].sort(
    (left, right) => differenceOf(right) - differenceOf(left) || (adviceKey(left) < adviceKey(right) ? -1 : 1),
  );
  const data: Record<string, string> = {};
  let bytes = 0;
  let leftOut = 0;
  for (const one of sorted) {
    const text = JSON.stringify(one);
    const key = adviceKey(one);
    const length = Buffer.byteLength(text) + key.length;
    if (bytes + length > mostBytes) leftOut++;
    else {
      bytes += length;
      data[key] = text;
    }
  }
  return leftOut === 0 ? data : { ...data, [leftOutKey]: String(leftOut) };
}

/** Key of a target or a ScaledJob in the ConfigMap's data; no name begins with "_". */
export function adviceKey({ namespace, name, document }: Pick<Comparison, 'namespace' | 'name' | 'document'>): string {
  return isOfJobs({ document }) ? `${namespace}._jobs.${name}` : `${namespace}.${name}`;
}

function bookKey(key: ObjectKey, isJobs: boolean): string {
  return isJobs ? `jobs ${keyText(key)}` : keyText(key);
}

function sidesOf({ actual, advised, because, made }: Comparison): unknown {
  return [actual, advised, because, made];
}
