import { isObject, type JsonObject, numberAt, objectAt, textAt } from '../client/values.ts';

/** One side at one moment. */
export interface Side {
  /** What its scale says, or what Ebb decides. */
  readonly wanted: number;
  readonly live: number;
  readonly ready: number;
}

/** One side over time, in milliseconds times replicas. */
export interface Totals {
  readonly replicaMs: number;
  /** Live and not ready. */
  readonly unreadyMs: number;
  /** Fewer ready than what Ebb takes the readings to ask for. */
  readonly shortMs: number;
  /** How often the count was changed. */
  readonly changes: number;
}

/** How many Jobs were made of a ScaledJob. */
export interface JobsMade {
  readonly actual: number;
  readonly advised: number;
}

/** What happened beside what Ebb would have done, for one target, or for the Jobs of one ScaledJob. */
export interface Comparison {
  readonly namespace: string;
  /** Of the workload: the target's. Of a ScaledJob: its own. */
  readonly name: string;
  /** What is followed, such as `HorizontalPodAutoscaler/web`. */
  readonly document: string;
  /** Such as `Deployment/web`. */
  readonly target: string;
  /** Wall time in milliseconds. */
  readonly sinceMs: number;
  readonly atMs: number;
  readonly actual: Side;
  readonly advised: Side;
  readonly actualTotals: Totals;
  readonly advisedTotals: Totals;
  /** What a start is taken to last, from the target's own pods, ms. */
  readonly startMs: number;
  /** Why Ebb decides what it does. */
  readonly because: string;
  /** Of a ScaledJob, since it is advised on; left out: it is about replicas. */
  readonly made?: JobsMade;
}

/** Of documents that say which: a ScaledJob and a target may have one name. */
export function isOfJobs({ document }: Pick<Comparison, 'document'>): boolean {
  return document.startsWith('ScaledJob/');
}

const none: Totals = { replicaMs: 0, unreadyMs: 0, shortMs: 0, changes: 0 };

export function newComparison(
  about: Pick<Comparison, 'namespace' | 'name' | 'document' | 'target'>,
  atMs: number,
  sides: { actual: Side; advised: Side },
): Comparison {
  return {
    ...about,
    sinceMs: atMs,
    atMs,
    ...sides,
    actualTotals: none,
    advisedTotals: none,
    startMs: 0,
    because: '',
  };
}

/** The same with everything counted until a moment; a clock that went back counts nothing. */
export function counted(comparison: Comparison, atMs: number): Comparison {
  const forMs = Math.max(0, atMs - comparison.atMs);
  if (forMs === 0) return comparison;
  const { actual, advised, actualTotals, advisedTotals } = comparison;
  return {
    ...comparison,
    atMs,
    actualTotals: added(actualTotals, actual, advised.wanted, forMs),
    advisedTotals: added(advisedTotals, advised, advised.wanted, forMs),
  };
}

/** What there is from a moment on. */
export function changed(comparison: Comparison, atMs: number, now: { actual: Side; advised: Side }): Comparison {
  const until = counted(comparison, atMs);
  return {
    ...until,
    ...now,
    actualTotals: withChange(until.actualTotals, until.actual, now.actual),
    advisedTotals: withChange(until.advisedTotals, until.advised, now.advised),
  };
}

function added(totals: Totals, side: Side, needed: number, forMs: number): Totals {
  return {
    ...totals,
    replicaMs: totals.replicaMs + side.live * forMs,
    unreadyMs: totals.unreadyMs + Math.max(0, side.live - side.ready) * forMs,
    shortMs: totals.shortMs + Math.max(0, needed - side.ready) * forMs,
  };
}

function withChange(totals: Totals, before: Side, now: Side): Totals {
  return before.wanted === now.wanted ? totals : { ...totals, changes: totals.changes + 1 };
}

/** Null where it is none, such as one of another version. */
export function readComparison(value: unknown): Comparison | null {
  const [actual, advised] = [sideOf(value, 'actual'), sideOf(value, 'advised')];
  const [actualTotals, advisedTotals] = [totalsOf(value, 'actualTotals'), totalsOf(value, 'advisedTotals')];
  const [sinceMs, atMs] = [numberAt(value, 'sinceMs'), numberAt(value, 'atMs')];
  const texts = ['namespace', 'name', 'document', 'target'].map((name) => textAt(value, name));
  const [namespace, name, document, target] = texts;
  if (!actual || !advised || !actualTotals || !advisedTotals || sinceMs === null || atMs === null) return null;
  if (!namespace || !name || !document || !target) return null;
  return {
    ...{ namespace, name, document, target, sinceMs, atMs, actual, advised, actualTotals, advisedTotals },
    startMs: numberAt(value, 'startMs') ?? 0,
    because: textAt(value, 'because') ?? '',
    ...madeOf(value),
  };
}

function madeOf(value: unknown): { made?: JobsMade } {
  const [actual, advised] = numbersOf(value, 'made', ['actual', 'advised']) ?? [];
  return actual === undefined || advised === undefined ? {} : { made: { actual, advised } };
}

/** How far apart both are, in replicas. */
export function differenceOf({ actual, advised }: Comparison): number {
  return Math.abs(actual.wanted - advised.wanted);
}

function sideOf(value: unknown, field: string): Side | null {
  const found = numbersOf(value, field, ['wanted', 'live', 'ready']);
  const [wanted = 0, live = 0, ready = 0] = found ?? [];
  return found && { wanted, live, ready };
}

function totalsOf(value: unknown, field: string): Totals | null {
  const found = numbersOf(value, field, ['replicaMs', 'unreadyMs', 'shortMs', 'changes']);
  const [replicaMs = 0, unreadyMs = 0, shortMs = 0, changes = 0] = found ?? [];
  return found && { replicaMs, unreadyMs, shortMs, changes };
}

function numbersOf(value: unknown, field: string, names: readonly string[]): number[] | null {
  const found: JsonObject = isObject(value) ? objectAt(value, field) : {};
  const numbers = names.flatMap((name) => numberAt(found, name) ?? []);
  return numbers.length === names.length ? numbers : null;
}
