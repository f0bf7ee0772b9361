import type { DispatchCounts, FlowObservation, Reading } from '@ebb/core';
import type { RequestCounts, TriggerSpec } from '@ebb/documents';
import { type Answered, type AnswerSignal, answerMean, nothingAnswered } from './answerSignals.ts';
import { beginFlow, endFlow, type FlowBase, flowOf, noteFlowPeak, type Woken } from './flow.ts';
import { type GatewayLink, isHeard } from './gatewayLink.ts';
import { type OnTimeCounts, onTimeCountsOf, OnTimeMeter } from './onTime.ts';

export interface ClassDemand {
  inFlight: number;
  held: number;
}

/** A signal to read, under the name that its readings carry. */
export interface DemandSignal {
  name: string;
  type: TriggerSpec['type'] | AnswerSignal;
}

interface ClassBase {
  demandIntegralUs: number;
  arrivals: number;
  answered: Answered;
}

interface Source {
  link: GatewayLink;
  atUs: number;
  counts: DispatchCounts;
  /** Where the next mean begins. */
  base: { atUs: number; classes: Record<string, ClassBase> };
  /** Largest value since then. */
  peaks: Record<string, number>;
  /** Where the next flow begins; null: it is not asked for. */
  flow: FlowBase | null;
  /** Not read yet: with a single message there is no mean, only the value at its moment. */
  fresh: boolean;
}

/** What gateways had counted when it was saved. */
interface SavedGateway {
  pid: number | null;
  counts: RequestCounts;
  /** Not yet in what older versions saved. */
  onTime?: OnTimeCounts;
}

/** What a meter hands over to that of the next control plane. */
export interface SavedDemand {
  carried: RequestCounts;
  gateways: Record<string, SavedGateway>;
  onTime?: OnTimeCounts;
}

const noRequests: RequestCounts = { total: 0, succeeded: 0, failed: 0, refused: 0, cancelled: 0, held: 0 };
/** Values are rounded to this, far below what a decision can feel, so that the journal stays small. */
const precision = 1e6;

/**
 * Demand for one workload as its gateways count it. Counts are absolute for each gateway process; means are differences
 * between two messages. A gateway that starts anew (its counts went backwards, or another process said hello) begins a
 * new line: what the old one had counted is carried, and no difference is taken across.
 */
export class DemandMeter {
  readonly #sources = new Map<string, Source>();
  /** Held since the last counts, as `wake` said it. */
  readonly #woken = new Map<string, Woken>();
  #carried: RequestCounts;
  /** Of gateway processes that are gone, less what those that are there had when they were first heard. */
  #carriedBusyUs = 0;
  /** What gateways had counted when an earlier control plane last heard of them, until they say it again. */
  readonly #earlier: Map<string, SavedGateway>;
  readonly #onTime: OnTimeMeter;
  #tellsFlow = false;

  constructor(saved: SavedDemand = { carried: noRequests, gateways: {} }) {
    this.#carried = { ...saved.carried };
    this.#earlier = new Map(Object.entries(saved.gateways));
    this.#onTime = new OnTimeMeter(saved.onTime);
  }

  /** For the next control plane. */
  toSaved(): SavedDemand {
    const gateways = Object.fromEntries(this.#earlier);
    for (const [name, { link, counts }] of this.#sources) {
      gateways[name] = { pid: link.pid, counts: { ...counts.requests }, onTime: onTimeCountsOf(counts) };
    }
    return { carried: { ...this.#carried }, gateways, onTime: this.#onTime.total };
  }

  /** Takes a gateway's counts; true when they differ from before or show anything going on. */
  receive(link: GatewayLink, atUs: number, counts: DispatchCounts): boolean {
    const known = this.#sources.get(link.name);
    this.#woken.clear();
    if (!known) {
      this.#begin(link, atUs, counts);
      return true;
    }
    if (wentBackwards(known, atUs, counts)) {
      this.restarted(link.name);
      this.#begin(link, atUs, counts);
      return true;
    }
    const before = known.counts;
    known.atUs = atUs;
    known.counts = counts;
    for (const [name, { peak }] of Object.entries(counts.classes)) {
      known.peaks[name] = Math.max(known.peaks[name] ?? 0, peak);
      noteFlowPeak(known, name, peak);
    }
    this.#onTime.note(onTimeCountsOf(counts), onTimeCountsOf(before), link.countsAtMs ?? 0);
    if (isBusy(counts) || isBusy(before) || counts.requests.total !== before.requests.total) return true;
    return isOtherDeferral(before.deferred, counts.deferred);
  }

  /** The gateway's process is another one: its counts begin again. */
  restarted(gateway: string): void {
    const source = this.#sources.get(gateway);
    if (!source) return;
    this.#carried = addRequests(this.#carried, source.counts.requests);
    this.#carriedBusyUs += busyUsOf(source.counts);
    this.#sources.delete(gateway);
    this.#woken.clear();
  }

  /** The gateway will not come back: what it had counted stays counted, also where only an earlier control plane heard it. */
  gone(gateway: string): void {
    this.restarted(gateway);
    const earlier = this.#earlier.get(gateway);
    if (!earlier) return;
    this.#earlier.delete(gateway);
    this.#carried = addRequests(this.#carried, earlier.counts);
  }

  /** A request was held where nothing can take it: known before the next counts. */
  wake(link: GatewayLink, className: string, held: number, heldAtUs: number): void {
    const known = this.#woken.get(className);
    const sinceUs = Math.min(heldAtUs, known?.sinceUs ?? heldAtUs);
    this.#woken.set(className, { held: Math.max(held, known?.held ?? 0), link, sinceUs });
    const source = this.#sources.get(link.name);
    if (!source) return;
    source.peaks[className] = Math.max(source.peaks[className] ?? 0, held);
    noteFlowPeak(source, className, held);
    // Nothing was there until this request came, so the mean that the next counts give begins with it.
    if (!isBusy(source.counts) && heldAtUs > source.atUs) source.base = baseOf(source.counts, heldAtUs);
  }

  of(className: string): ClassDemand {
    let inFlight = 0;
    let held = 0;
    for (const { counts } of this.#sources.values()) {
      inFlight += counts.classes[className]?.inFlight ?? 0;
      held += counts.classes[className]?.held ?? 0;
    }
    return { inFlight, held: Math.max(held, this.#woken.get(className)?.held ?? 0) };
  }

  isBusy(): boolean {
    if ([...this.#woken.values()].some(({ held }) => held > 0)) return true;
    return [...this.#sources.values()].some(({ counts }) => isBusy(counts));
  }

  inFlightOn(replica: string): number {
    let inFlight = 0;
    for (const { counts } of this.#sources.values()) inFlight += counts.replicas[replica] ?? 0;
    return inFlight;
  }

  /** Deferrable requests among those in flight: no demand, but work that a drain waits for. */
  deferredOn(replica: string): number {
    let deferred = 0;
    for (const { counts } of this.#sources.values()) deferred += counts.deferred?.replicas[replica] ?? 0;
    return deferred;
  }

  /** Deferrable requests that wait for slack, and that fill it; null: there never was one. */
  deferred(): { waiting: number; inFlight: number } | null {
    const known = [...this.#sources.values()].flatMap(({ counts }) => counts.deferred ?? []);
    if (known.length === 0) return null;
    return {
      waiting: known.reduce((sum, { waiting }) => sum + waiting, 0),
      inFlight: known.reduce((sum, { inFlight }) => sum + inFlight, 0),
    };
  }

  requests(): RequestCounts {
    let sum = this.#carried;
    for (const { counts } of this.#earlier.values()) sum = addRequests(sum, counts);
    for (const { counts } of this.#sources.values()) sum = addRequests(sum, counts.requests);
    return sum;
  }

  /** Sum of the time that each request was in flight or held, µs, up to the newest counts and since this control plane hears of it. */
  busyUs(): number {
    return [...this.#sources.values()].reduce((sum, { counts }) => sum + busyUsOf(counts), this.#carriedBusyUs);
  }

  /** Requests since the workload was applied and in the last hour, and how many of them were late. */
  onTime(nowMs: number): OnTimeCounts & { lastHour: OnTimeCounts } {
    return { ...this.#onTime.total, lastHour: this.#onTime.lastHour(nowMs) };
  }

  /** Age of the oldest held request; null when none is. */
  oldestHeldMs(nowUs: number): number | null {
    let oldestUs: number | null = null;
    for (const { counts } of this.#sources.values()) {
      if (counts.oldestHeldUs !== null) oldestUs = Math.min(oldestUs ?? counts.oldestHeldUs, counts.oldestHeldUs);
    }
    return oldestUs === null ? null : Math.max(0, Math.floor((nowUs - oldestUs) / 1000));
  }

  /**
   * Last moment at which anything is known to have been held or in flight, in engine time; null: the gateways know of
   * none. Exact when the newest counts show that it is over.
   */
  lastActiveAtMs(nowMs: number): number | null {
    if (this.#woken.size > 0) return nowMs;
    let latest: number | null = null;
    for (const { link, counts } of this.#sources.values()) {
      const lastUs = isBusy(counts) ? link.countsAtUs : counts.lastActiveUs;
      if (lastUs === null || link.countsAtMs === null) continue;
      const agoMs = Math.max(0, Math.floor((link.countsAtUs - lastUs) / 1000));
      latest = Math.max(latest ?? 0, link.countsAtMs - agoMs);
    }
    return latest;
  }

  /** Requests that wait for a slot or a replica, over all classes. */
  held(): number {
    const classes = new Set(this.#woken.keys());
    for (const { counts } of this.#sources.values()) for (const name of Object.keys(counts.classes)) classes.add(name);
    return [...classes].reduce((sum, name) => sum + this.of(name).held, 0);
  }

  /**
   * One reading for each trigger and class that has something new: the mean since the last time this was asked, up to
   * the newest counts. `missing` while a gateway is silent. A workload that no gateway has named yet had no request.
   */
  readings(triggers: readonly DemandSignal[], classes: readonly string[], nowMs: number): Reading[] {
    const sources = [...this.#sources.values()];
    const silent = sources.find(({ link }) => !isHeard(link, nowMs));
    const readings: Reading[] = [];
    for (const trigger of triggers) {
      for (const className of classes) {
        const base = { trigger: trigger.name, class: className };
        if (silent) {
          const message = `gateway ${silent.link.name} is silent`;
          readings.push({ ...base, value: null, peak: null, spanMs: 0, atMs: nowMs, state: 'missing', message });
          continue;
        }
        const mean =
          trigger.type === 'concurrency' || trigger.type === 'requestRate'
            ? meanOf(sources, trigger.type, className)
            : answerMean(
                sources.map((source) => answerSpan(source, className)),
                trigger.type,
              );
        if (mean) readings.push({ ...base, ...mean, state: 'ok' });
      }
    }
    if (silent) return readings;
    for (const source of sources) {
      source.fresh = false;
      if (source.link.countsAtUs <= source.base.atUs) continue;
      source.base = baseOf(atLatest(source), source.link.countsAtUs);
      source.peaks = {};
    }
    return readings;
  }

  /**
   * What was counted of each class since this was last asked, up to the newest counts; `coldStartMs` as it is known of
   * each. Null while a gateway is silent: the next one then has it all.
   */
  flow(coldStartMs: ReadonlyMap<string, number | null>, nowMs: number): Record<string, FlowObservation> | null {
    this.#tellsFlow = true;
    const sources = [...this.#sources.values()];
    if (sources.some(({ link }) => !isHeard(link, nowMs))) return null;
    const flow = [...coldStartMs].map(([name, ms]) => [name, flowOf(sources, name, this.#woken.get(name), ms, nowMs)]);
    endFlow(sources);
    return Object.fromEntries(flow);
  }

  /** Nobody asks for the flow for now: what is counted meanwhile is no part of the next one. */
  dropFlow(): void {
    if (!this.#tellsFlow) return;
    this.#tellsFlow = false;
    for (const source of this.#sources.values()) source.flow = null;
  }

  #begin(link: GatewayLink, atUs: number, counts: DispatchCounts): void {
    const earlier = this.#earlier.get(link.name);
    let begun: OnTimeCounts = { requests: 0, late: 0 };
    if (earlier) {
      this.#earlier.delete(link.name);
      const sameProcess = earlier.pid === link.pid && counts.requests.total >= earlier.counts.total;
      if (!sameProcess) this.#carried = addRequests(this.#carried, earlier.counts);
      if (sameProcess) begun = earlier.onTime ?? onTimeCountsOf(counts);
    }
    this.#onTime.note(onTimeCountsOf(counts), begun, link.countsAtMs ?? 0);
    const flow = this.#tellsFlow ? beginFlow({ link, counts }) : null;
    // What it had counted before it was heard is not of now.
    this.#carriedBusyUs -= busyUsOf(counts);
    this.#sources.set(link.name, { link, atUs, counts, base: baseOf(counts, atUs), peaks: {}, flow, fresh: true });
  }
}

function answerSpan({ link, counts, base }: Source, className: string) {
  const { countsAtUs, countsAtMs } = link;
  return {
    before: base.classes[className]?.answered ?? nothingAnswered,
    now: counts.classes[className]?.answered ?? nothingAnswered,
    spanUs: countsAtUs - base.atUs,
    oldestHeldUs: counts.oldestHeldUs === null ? null : Math.max(0, countsAtUs - counts.oldestHeldUs),
    atMs: countsAtMs ?? 0,
  };
}

/** Null when no source has counts newer than its last reading. */
function meanOf(
  sources: readonly Source[],
  type: TriggerSpec['type'],
  className: string,
): Pick<Reading, 'value' | 'peak' | 'spanMs' | 'atMs'> | null {
  let value = 0;
  let peak = 0;
  let spanMs = 0;
  let atMs = 0;
  for (const source of sources) {
    const spanUs = source.link.countsAtUs - source.base.atUs;
    const now = atLatest(source).classes[className];
    const base = source.base.classes[className];
    if (spanUs <= 0) {
      if (!source.fresh) continue;
      if (type === 'concurrency') value += now ? now.inFlight + now.held : 0;
      atMs = Math.max(atMs, source.link.countsAtMs ?? 0);
      continue;
    }
    const delta =
      type === 'concurrency'
        ? (now?.demandIntegralUs ?? 0) - (base?.demandIntegralUs ?? 0)
        : ((now?.arrivals ?? 0) - (base?.arrivals ?? 0)) * 1e6;
    const mean = Math.max(0, delta) / spanUs;
    if (type === 'concurrency') {
      const sourcePeak = Math.max(source.peaks[className] ?? 0, now ? now.inFlight + now.held : 0);
      peak += sourcePeak;
      // A wake is stamped a moment after its request arrived, so the time since then is a hair too short; and one request
      // must never look like 1.002, which asks for two replicas.
      value += Math.min(mean, sourcePeak);
    } else {
      value += mean;
    }
    spanMs = Math.max(spanMs, Math.round(spanUs / 1000));
    atMs = Math.max(atMs, source.link.countsAtMs ?? 0);
  }
  if (atMs === 0) return null;
  const rounded = Math.round(value * precision) / precision;
  return { value: rounded, peak: type === 'concurrency' ? Math.max(peak, rounded) : null, spanMs, atMs };
}

/** The counts as of the gateway's newest message: a workload that it does not name is as it was. */
function atLatest(source: Source): DispatchCounts {
  const laterUs = source.link.countsAtUs - source.atUs;
  if (laterUs <= 0) return source.counts;
  const classes: DispatchCounts['classes'] = {};
  for (const [name, one] of Object.entries(source.counts.classes)) {
    classes[name] = { ...one, demandIntegralUs: one.demandIntegralUs + (one.inFlight + one.held) * laterUs };
  }
  return { ...source.counts, classes };
}

function baseOf(counts: DispatchCounts, atUs: number): Source['base'] {
  const classes: Source['base']['classes'] = {};
  for (const [name, { demandIntegralUs, arrivals, answered }] of Object.entries(counts.classes)) {
    classes[name] = { demandIntegralUs, arrivals, answered: answered ?? nothingAnswered };
  }
  return { atUs, classes };
}

function wentBackwards(known: Source, atUs: number, counts: DispatchCounts): boolean {
  if (atUs < known.atUs || counts.requests.total < known.counts.requests.total) return true;
  return Object.entries(known.counts.classes).some(([name, before]) => {
    const now = counts.classes[name];
    return now !== undefined && (now.demandIntegralUs < before.demandIntegralUs || now.arrivals < before.arrivals);
  });
}

function busyUsOf({ classes }: DispatchCounts): number {
  return Object.values(classes).reduce((sum, { demandIntegralUs }) => sum + demandIntegralUs, 0);
}

function isBusy(counts: DispatchCounts): boolean {
  return Object.values(counts.classes).some((one) => one.inFlight + one.held > 0);
}

/** What is deferred is no demand, but a status tells it. */
function isOtherDeferral(before: DispatchCounts['deferred'], now: DispatchCounts['deferred']): boolean {
  return before?.waiting !== now?.waiting || before?.inFlight !== now?.inFlight;
}

function addRequests(left: RequestCounts, right: RequestCounts): RequestCounts {
  return {
    total: left.total + right.total,
    succeeded: left.succeeded + right.succeeded,
    failed: left.failed + right.failed,
    refused: left.refused + right.refused,
    cancelled: left.cancelled + right.cancelled,
    held: left.held + right.held,
  };
}
