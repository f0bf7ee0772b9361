import {
  answersReading,
  lateName,
  missingReading,
  nothingTimed,
  type Reading,
  readScrape,
  type Scrape,
  timedName,
  type Timing,
  timingAbove,
  timingMeanMs,
  timingQuantileMs,
  timingTogether,
  tokensReading,
  waitingReading,
} from '@ebb/core';
import { llmServerSignals, type SloLlmTrigger, type SloMetricsSpec } from '@ebb/documents';
import { SignalWindow, type Windowed } from './signalWindow.ts';

/** What is asked of the metrics of a workload's replicas. */
export interface FleetSignals {
  server: SloMetricsSpec['server'];
  triggers: readonly SloLlmTrigger[];
  /** Times are counted for an error budget. */
  countsTimes: boolean;
  /** Tokens are counted over this long. */
  windowMs: number;
}

/** One replica's page, or why there is none. */
export interface FleetScrape {
  replica: string;
  class: string;
  page: { text: string } | { error: string };
}

const mostSeen = 10_000;

interface Known {
  windows: ReadonlyMap<SloLlmTrigger, SignalWindow>;
  /** What every workload's policy goes by beside its triggers. */
  tokens: SignalWindow;
  answers: SignalWindow;
  waiting: SignalWindow;
  isFirst: boolean;
}

/**
 * Readings of a workload from the pages of its replicas: times of all of them together, values on average, tokens added
 * up. A replica that cannot be read is counted as missing and adds nothing to the others' values, which is not zero.
 */
export class FleetReadings {
  readonly #signals: FleetSignals;
  readonly #replicas = new Map<string, Known>();
  /** Replicas that were ever asked: what one of them has counted by the time it comes back was counted before. */
  readonly #seen = new Set<string>();
  #isFirstRound = true;

  constructor(signals: FleetSignals) {
    this.#signals = signals;
  }

  /** Readings of one round, by class. Replicas that are not in it are forgotten. */
  take(scrapes: readonly FleetScrape[], atMs: number): Reading[] {
    const present = new Set(scrapes.map(({ replica }) => replica));
    for (const replica of this.#replicas.keys()) if (!present.has(replica)) this.#replicas.delete(replica);
    const classes = new Set(scrapes.map((scrape) => scrape.class));
    const readings = [...classes].flatMap((name) =>
      this.#ofClass(
        name,
        scrapes.filter((scrape) => scrape.class === name),
        atMs,
      ),
    );
    this.#isFirstRound = false;
    return readings;
  }

  #ofClass(className: string, scrapes: readonly FleetScrape[], atMs: number): Reading[] {
    const answered: Known[] = [];
    const failures: string[] = [];
    for (const { replica, page } of scrapes) {
      const result = this.#read(replica, page, atMs);
      if ('error' in result) failures.push(`${replica}: ${result.error}`);
      else answered.push(result.known);
    }
    const base = { class: className, peak: null, spanMs: 0, atMs, state: 'ok' } as const;
    const reading = (trigger: string, value: number | null): Reading[] =>
      value === null ? [] : [{ ...base, trigger, value: Math.round(value * 1e6) / 1e6 }];
    const missing: Reading = { ...base, trigger: missingReading, value: failures.length };
    if (failures[0] !== undefined) missing.message = failures[0];
    const perAnswer = answered.length > 0 ? scrapes.length / answered.length : 0;
    const ofAll = (pick: (known: Known) => number | null): number | null => {
      const sum = sumOf(answered.map(pick));
      return sum === null ? null : sum * perAnswer;
    };
    return [
      missing,
      ...reading(
        tokensReading,
        ofAll(({ tokens }) => valueOf(tokens.over())),
      ),
      ...reading(
        answersReading,
        ofAll(({ answers }) => timesASecond(answers)),
      ),
      ...reading(
        waitingReading,
        ofAll(({ waiting }) => waiting.latestValue()),
      ),
      ...this.#signals.triggers.flatMap((trigger) => {
        const windows = answered.flatMap(({ windows: all }) => all.get(trigger) ?? []);
        return [
          ...reading(trigger.name, this.#valueOf(trigger, windows, perAnswer)),
          ...this.#times(trigger, windows).flatMap(([name, value]) => reading(name, value)),
        ];
      }),
    ];
  }

  #read(replica: string, page: FleetScrape['page'], atMs: number): { known: Known } | { error: string } {
    if ('error' in page) return page;
    let scrape: Scrape;
    try {
      scrape = readScrape(page.text, this.#signals.server);
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
    let known = this.#replicas.get(replica);
    if (!known) {
      const { triggers, windowMs } = this.#signals;
      const windows = new Map(triggers.map((trigger) => [trigger, new SignalWindow(trigger.windowMs)]));
      const window = () => new SignalWindow(windowMs);
      known = { windows, tokens: window(), answers: window(), waiting: window(), isFirst: true };
      // A replica that came after the first round has counted nothing yet but what it was asked since.
      known.isFirst = this.#isFirstRound || this.#seen.has(replica);
      this.#replicas.set(replica, known);
      if (this.#seen.size >= mostSeen) this.#seen.clear();
      this.#seen.add(replica);
    }
    for (const [trigger, window] of known.windows) {
      window.take(scrape.measures[trigger.type] ?? null, atMs, known.isFirst);
    }
    const { tokensPerSecond = null, timeToFirstToken = null, waitingRequests = null } = scrape.measures;
    known.tokens.take(tokensPerSecond, atMs, known.isFirst);
    known.answers.take(timeToFirstToken, atMs, known.isFirst);
    known.waiting.take(waitingRequests, atMs, known.isFirst);
    known.isFirst = false;
    const unpublished = this.#unpublished(scrape);
    return unpublished === null ? { known } : { error: unpublished };
  }

  /** What the triggers need and the server does not have; with `auto` that is known only now. */
  #unpublished({ server }: Scrape): string | null {
    for (const trigger of this.#signals.triggers) {
      const kind = llmServerSignals[server][trigger.type];
      if (kind === undefined) return `${server} publishes no ${trigger.type}`;
      const isQuantile = 'quantile' in trigger && trigger.quantile !== null;
      if (kind === 'mean' && isQuantile) return `${server} publishes only the mean of ${trigger.type}: quantile: mean`;
    }
    return null;
  }

  #valueOf(trigger: SloLlmTrigger, windows: readonly SignalWindow[], perAnswer: number): number | null {
    const seen = windows.map((window) => window.over());
    if ('quantile' in trigger) {
      const parts = together(seen);
      const { quantile } = trigger;
      if (quantile !== null) return parts[0] ? timingQuantileMs(parts[0], quantile) : null;
      const means = parts.map(timingMeanMs);
      return means.length === 0
        ? null
        : means.reduce((sum, mean) => (sum === null || mean === null ? null : sum + mean));
    }
    const values = seen.map(valueOf).filter((value) => value !== null);
    const sum = sumOf(values);
    if (sum === null) return null;
    return trigger.type === 'tokensPerSecond' ? sum * perAnswer : sum / values.length;
  }

  /** How many times were taken since the last round, and how many were over the mark. */
  #times(trigger: SloLlmTrigger, windows: readonly SignalWindow[]): [string, number][] {
    if (!this.#signals.countsTimes || !('quantile' in trigger)) return [];
    const parts = together(windows.map((window) => ({ kind: 'times', parts: window.latestTimes() })));
    const [first] = parts;
    if (!first || first.count <= 0) return [];
    // Where only means are known, all of them are as the mean is.
    const mean = parts.reduce((sum, part) => sum + (timingMeanMs(part) ?? 0), 0);
    const late = timingAbove(first, trigger.aboveMs) ?? (mean > trigger.aboveMs ? first.count : 0);
    return [
      [timedName(trigger.name), first.count],
      [lateName(trigger.name), late],
    ];
  }
}

/** The parts of several replicas' times, each added up. */
function together(seen: readonly (Windowed | null)[]): Timing[] {
  const parts: Timing[] = [];
  for (const one of seen) {
    if (one?.kind !== 'times') continue;
    for (const [i, part] of one.parts.entries()) parts[i] = timingTogether(parts[i] ?? nothingTimed, part);
  }
  return parts;
}

/** Null when none has a value. */
function sumOf(seen: readonly (number | null)[]): number | null {
  const values = seen.filter((value) => value !== null);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

const valueOf = (windowed: Windowed | null): number | null => (windowed?.kind === 'value' ? windowed.value : null);

/** How many were timed a second; null where none are, or nothing is known yet. */
function timesASecond(window: SignalWindow): number | null {
  const over = window.over();
  const spanMs = window.spanMs();
  const count = over?.kind === 'times' ? over.parts[0]?.count : undefined;
  return count === undefined || spanMs <= 0 ? null : (count * 1000) / spanMs;
}
