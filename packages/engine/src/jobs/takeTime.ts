/** Candidates for the time from a run's begin until it takes its piece of work, ms. */
const candidatesMs = [100, 150, 200, 300, 400, 600, 800, 1100, 1500, 2000, 2700, 3600, 4800, 6400, 8000, 10_000];
const readingsKept = 64;
/** It is learned anew this often at most. */
const learnGapMs = 1000;
/** So many runs must have begun and taken their work within the readings. */
const leastTakes = 12;
/** One that explains the readings nearly as well as the best is not ruled out. */
const nearlyAsWell = 1.3;

interface Run {
  beganMs: number;
  endedMs: number;
}

/**
 * How long runs take until they have taken their work, from readings of a queue's length alone. What came in between two
 * readings is the rise of the queue and what was taken; each candidate says when runs took theirs, and so what came in.
 * Where it is wrong, work seems to come in bursts and to be given back that follow the runs: the right one is that under
 * which arrivals are steadiest (least squares about their mean rate, each reading weighted by its span).
 */
export class TakeTime {
  #readings: { atMs: number; length: number }[] = [];
  readonly #runs = new Map<string, Run>();
  #learnedMs: number | null = null;
  #learnedAtMs = Number.NEGATIVE_INFINITY;

  /** Longest that a run usually needs; null: that cannot be told yet. */
  get learnedMs(): number | null {
    return this.#learnedMs;
  }

  began(run: string, atMs: number): void {
    if (!this.#runs.has(run)) this.#runs.set(run, { beganMs: atMs, endedMs: Number.POSITIVE_INFINITY });
  }

  ended(run: string, atMs: number): void {
    const known = this.#runs.get(run);
    if (known) known.endedMs = Math.min(known.endedMs, atMs);
  }

  seen(length: number, atMs: number): void {
    const last = this.#readings.at(-1);
    if (last && atMs <= last.atMs) {
      last.length = length;
      return;
    }
    this.#readings.push({ atMs, length });
    if (this.#readings.length > readingsKept) this.#readings.shift();
    const fromMs = (this.#readings[0]?.atMs ?? atMs) - (candidatesMs.at(-1) ?? 0);
    for (const [run, { beganMs }] of this.#runs) if (beganMs < fromMs) this.#runs.delete(run);
    if (atMs - this.#learnedAtMs < learnGapMs) return;
    this.#learnedAtMs = atMs;
    this.#learn();
  }

  #learn(): void {
    const errors = candidatesMs.map((takeMs) => this.#errorOf(takeMs));
    const known = errors.filter((error) => error !== null);
    const best = Math.min(...known);
    const index = errors.findLastIndex((error) => error !== null && error <= nearlyAsWell * best + 1e-9);
    // A step more than what fits, for those that are slower than the others.
    this.#learnedMs = known.length < candidatesMs.length ? null : (candidatesMs[index + 1] ?? null);
  }

  /** Null where too few runs have taken their work for it to be told. */
  #errorOf(takeMs: number): number | null {
    const [first] = this.#readings;
    if (!first) return null;
    const taken = this.#takenBy(takeMs);
    let takes = 0;
    let squares = 0;
    let sum = 0;
    let span = 0;
    let before = first;
    for (const [index, reading] of this.#readings.entries()) {
      if (index === 0) continue;
      const count = taken[index] ?? 0;
      const spanMs = reading.atMs - before.atMs;
      const arrived = reading.length - before.length + count;
      takes += count;
      squares += arrived ** 2 / spanMs;
      sum += arrived;
      span += spanMs;
      before = reading;
    }
    if (takes < leastTakes || span <= 0) return null;
    return squares - sum ** 2 / span;
  }

  /** How many runs have taken their work until each reading since the one before it. */
  #takenBy(takeMs: number): number[] {
    const counts = this.#readings.map(() => 0);
    for (const { beganMs, endedMs } of this.#runs.values()) {
      const atMs = Math.min(beganMs + takeMs, endedMs);
      const index = this.#indexAt(atMs);
      if (index < counts.length) counts[index] = (counts[index] ?? 0) + 1;
    }
    return counts;
  }

  /** The first reading at or after the moment; behind the last one: none is. */
  #indexAt(atMs: number): number {
    let low = 0;
    let high = this.#readings.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#readings[middle]?.atMs ?? 0) < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
