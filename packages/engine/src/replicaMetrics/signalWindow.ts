import { type Measure, nothingTimed, type Timing, timingSince, timingTogether } from '@ebb/core';

/** What a replica's signal came to over a look-back. */
export type Windowed =
  /** Times of each part whose means add up to the signal. */
  { kind: 'times'; parts: readonly Timing[] } | { kind: 'value'; value: number };

/** Everything since the first scrape: a counter that began anew does not take it back. */
type Sum =
  | { kind: 'times'; parts: readonly Timing[] }
  | { kind: 'count'; total: number; scale: number }
  | { kind: 'value'; valueMs: number; last: number };

interface Point {
  atMs: number;
  sum: Sum;
}

/** Points that a look-back is kept in. */
const mostPoints = 60;

/** One signal of one replica over a look-back, from scrapes of what it has counted since it started. */
export class SignalWindow {
  readonly #windowMs: number;
  readonly #points: Point[] = [];
  #before: Measure | null = null;
  #newest: Point | null = null;
  #latest: readonly Timing[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /**
   * Takes a scrape. `isFirst`: of this replica at all, so that what it has counted was before our time; a signal that
   * comes later has begun since the scrape before.
   */
  take(measure: Measure | null, atMs: number, isFirst: boolean): void {
    this.#latest = [];
    if (!measure) return;
    const known = this.#newest && this.#newest.sum.kind === kindOf(measure) ? this.#newest : null;
    const sum = this.#added(known, measure, atMs, isFirst);
    if (!known) this.#points.splice(0);
    if (!known && !isFirst && measure.kind !== 'value') this.#points.push({ atMs: atMs - 1, sum: zeroOf(measure) });
    const point = { atMs, sum };
    const spacingMs = this.#windowMs / mostPoints;
    const last = this.#points.at(-1);
    if (!last || atMs - last.atMs >= spacingMs) this.#points.push(point);
    this.#newest = point;
    this.#before = measure;
    // One point at or before the begin of the look-back is what the newest is compared with.
    while ((this.#points[1]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs - this.#windowMs) this.#points.shift();
  }

  /** Over the look-back, or as much of it as there is; null: nothing to compare with yet, or no such signal. */
  over(): Windowed | null {
    const [first] = this.#points;
    const newest = this.#newest;
    if (!first || !newest) return null;
    const spanMs = newest.atMs - first.atMs;
    const { sum } = newest;
    switch (sum.kind) {
      case 'value': {
        const before = first.sum.kind === 'value' ? first.sum.valueMs : 0;
        return { kind: 'value', value: spanMs > 0 ? (sum.valueMs - before) / spanMs : sum.last };
      }
      case 'count': {
        const before = first.sum.kind === 'count' ? first.sum.total : 0;
        return spanMs > 0 ? { kind: 'value', value: ((sum.total - before) * sum.scale * 1000) / spanMs } : null;
      }
      case 'times': {
        const before = first.sum.kind === 'times' ? first.sum.parts : [];
        return { kind: 'times', parts: sum.parts.map((part, i) => timingSince(before[i] ?? nothingTimed, part)) };
      }
    }
  }

  /** How much time `over` covers; 0 with a single scrape. */
  spanMs(): number {
    return (this.#newest?.atMs ?? 0) - (this.#points[0]?.atMs ?? 0);
  }

  /** The value of the last scrape. */
  latestValue(): number | null {
    const sum = this.#newest?.sum;
    return sum?.kind === 'value' ? sum.last : null;
  }

  /** Times since the scrape before. */
  latestTimes(): readonly Timing[] {
    return this.#latest;
  }

  #added(known: Point | null, measure: Measure, atMs: number, isFirst: boolean): Sum {
    switch (measure.kind) {
      case 'value': {
        const before = known?.sum.kind === 'value' ? known.sum : null;
        const spanMs = known && before ? atMs - known.atMs : 0;
        const mean = before ? (before.last + measure.value) / 2 : 0;
        return { kind: 'value', valueMs: (before?.valueMs ?? 0) + mean * spanMs, last: measure.value };
      }
      case 'count': {
        const before = this.#before?.kind === 'count' && known ? this.#before.total : 0;
        const rise = known || !isFirst ? (measure.total >= before ? measure.total - before : measure.total) : 0;
        return {
          kind: 'count',
          total: (known?.sum.kind === 'count' ? known.sum.total : 0) + rise,
          scale: measure.scale,
        };
      }
      case 'times': {
        const before = this.#before?.kind === 'times' && known ? this.#before.parts : [];
        const rises = measure.parts.map((part, i) => timingSince(before[i] ?? emptyLike(part), part));
        if (!known && isFirst) return zeroOf(measure);
        this.#latest = rises;
        const sums = known?.sum.kind === 'times' ? known.sum.parts : [];
        return { kind: 'times', parts: rises.map((rise, i) => timingTogether(sums[i] ?? emptyLike(rise), rise)) };
      }
    }
  }
}

const kindOf = ({ kind }: Measure): Sum['kind'] => kind;

function zeroOf(measure: Exclude<Measure, { kind: 'value' }>): Sum;
function zeroOf(measure: Measure): Sum {
  switch (measure.kind) {
    case 'times':
      return { kind: 'times', parts: measure.parts.map(emptyLike) };
    case 'count':
      return { kind: 'count', total: 0, scale: measure.scale };
    case 'value':
      return { kind: 'value', valueMs: 0, last: measure.value };
  }
}

const emptyLike = ({ buckets }: Timing): Timing => ({
  sumMs: 0,
  count: 0,
  buckets: buckets?.map(({ leMs }) => ({ leMs, count: 0 })) ?? null,
});
