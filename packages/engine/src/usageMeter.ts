import type { UsageHour } from '@ebb/core';
import { type EngineContext, isStaleEpoch } from './context.ts';
import { messageOf } from './replicaActions.ts';
import { exists } from './replicaSet.ts';
import type { WorkloadState } from './workloadState.ts';

const hourMs = 3_600_000;
const dayMs = 86_400_000;
const saveEveryMs = 300_000;
/** Older days are dropped when the engine starts. */
const keptDays = 400;
const prefix = 'usage/';

type ClassTimes = Record<string, { seenMs: number; busyMs: number }>;
type Hours = Record<string, { requests: number; classes: ClassTimes }>;

interface SavedDay {
  version: 1;
  /** By hour of the day, UTC. */
  hours: Hours;
}

interface Meter {
  /** Until when it is counted, and how many replicas of each class there were from then on, with how many in use. */
  atMs: number;
  open: Map<string, { replicas: number; busy: number }>;
  requests: number;
  /** By hour, what the store does not have yet. */
  unsaved: Map<number, { requests: number; classes: ClassTimes }>;
}

/**
 * How much of what is paid for is in use: replica time by class and hour, the part of it with a request in flight, and the
 * requests. Taken at every change that gateway or driver tell of; saved in the background, a crash costs five minutes.
 */
export class UsageMeter {
  readonly #context: EngineContext;
  readonly #meters = new Map<string, Meter>();
  #cancelSave: (() => void) | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Requests that an earlier control plane has counted are not new. */
  begin(state: WorkloadState): void {
    this.#meterOf(state).requests = state.demand.requests().total;
  }

  /** Counts until now with what was there, and remembers what is there now. */
  note(state: WorkloadState): void {
    const meter = this.#meterOf(state);
    const nowMs = this.#context.ports.clock.nowMs();
    const had = meter.open.size > 0;
    this.#countUntil(meter, nowMs);
    const total = state.demand.requests().total;
    if (total > meter.requests) hourOf(meter, Math.floor(nowMs / hourMs)).requests += total - meter.requests;
    meter.requests = total;
    meter.open = new Map();
    for (const replica of state.replicas.values()) {
      if (!exists(replica)) continue;
      const open = meter.open.get(replica.class) ?? { replicas: 0, busy: 0 };
      open.replicas += 1;
      if (state.demand.inFlightOn(replica.id) > 0) open.busy += 1;
      meter.open.set(replica.class, open);
    }
    if (had || meter.open.size > 0 || meter.unsaved.size > 0) this.#schedule();
  }

  /** What was seen in the hours that the span touches, deleted workloads too. */
  async hours(fromMs: number, toMs: number): Promise<UsageHour[]> {
    const { state: store } = this.#context.ports.store;
    await this.flush();
    const found: UsageHour[] = [];
    for (const name of await store.names(prefix)) {
      const { workload, day } = partsOf(name);
      if (day * dayMs >= toMs || (day + 1) * dayMs <= fromMs) continue;
      for (const [hour, seen] of Object.entries(asSaved(await store.load(name)))) {
        const atMs = day * dayMs + Number(hour) * hourMs;
        if (atMs < toMs && atMs + hourMs > fromMs) found.push({ workload, hourMs: atMs, ...seen });
      }
    }
    return found;
  }

  async dropOld(): Promise<void> {
    const { clock, store } = this.#context.ports;
    const oldest = Math.floor(clock.nowMs() / dayMs) - keptDays;
    for (const name of await store.state.names(prefix)) if (partsOf(name).day < oldest) await store.state.drop(name);
  }

  /** Saves what is counted until now. */
  async flush(): Promise<void> {
    this.abandon();
    await this.#saving;
    this.#saving = this.#save();
    await this.#saving;
  }

  abandon(): void {
    this.#cancelSave?.();
    this.#cancelSave = null;
  }

  #meterOf(state: WorkloadState): Meter {
    let meter = this.#meters.get(state.key);
    if (!meter) {
      meter = { atMs: this.#context.ports.clock.nowMs(), open: new Map(), requests: 0, unsaved: new Map() };
      this.#meters.set(state.key, meter);
    }
    return meter;
  }

  #countUntil(meter: Meter, nowMs: number): void {
    for (let atMs = meter.atMs; atMs < nowMs; ) {
      const hour = Math.floor(atMs / hourMs);
      const untilMs = Math.min(nowMs, (hour + 1) * hourMs);
      for (const [name, { replicas, busy }] of meter.open) {
        const { classes } = hourOf(meter, hour);
        const times = (classes[name] ??= { seenMs: 0, busyMs: 0 });
        times.seenMs += replicas * (untilMs - atMs);
        times.busyMs += busy * (untilMs - atMs);
      }
      if (meter.open.size === 0) break;
      atMs = untilMs;
    }
    meter.atMs = nowMs;
  }

  #schedule(): void {
    if (this.#cancelSave || this.#context.stopped) return;
    const { clock } = this.#context.ports;
    this.#cancelSave = clock.at(clock.nowMs() + saveEveryMs, () => {
      this.#cancelSave = null;
      this.#saving = this.#saving.then(() => this.#save());
    });
  }

  async #save(): Promise<void> {
    const { clock, store, log } = this.#context.ports;
    for (const [workload, meter] of this.#meters) {
      this.#countUntil(meter, clock.nowMs());
      if (meter.open.size > 0) this.#schedule();
      const taken = meter.unsaved;
      meter.unsaved = new Map();
      for (const [day, hours] of Map.groupBy(taken, ([hour]) => Math.floor((hour * hourMs) / dayMs))) {
        const name = `${prefix}${day}/${workload}`;
        try {
          const saved: SavedDay = { version: 1, hours: asSaved(await store.state.load(name)) };
          for (const [hour, seen] of hours) addHour(saved.hours, hour % 24, seen);
          await store.state.save(name, saved, this.#context.options.epoch);
        } catch (error) {
          if (isStaleEpoch(error)) return this.#context.deposed();
          log('warn', 'use not saved', { workload, error: messageOf(error) });
          for (const [hour, seen] of hours) mergeInto(hourOf(meter, hour), seen);
          this.#schedule();
        }
      }
    }
  }
}

function hourOf(meter: Meter, hour: number) {
  let found = meter.unsaved.get(hour);
  if (!found) {
    found = { requests: 0, classes: {} };
    meter.unsaved.set(hour, found);
  }
  return found;
}

function addHour(hours: Hours, hour: number, seen: Hours[string]): void {
  mergeInto((hours[String(hour)] ??= { requests: 0, classes: {} }), seen);
}

function mergeInto(known: Hours[string], seen: Hours[string]): void {
  known.requests += seen.requests;
  for (const [name, { seenMs, busyMs }] of Object.entries(seen.classes)) {
    const times = (known.classes[name] ??= { seenMs: 0, busyMs: 0 });
    times.seenMs += seenMs;
    times.busyMs += busyMs;
  }
}

/** `usage/DAY/CLUSTER/NAMESPACE/NAME`. */
function partsOf(name: string): { day: number; workload: string } {
  const [day = '', ...key] = name.slice(prefix.length).split('/');
  return { day: Number(day), workload: key.join('/') };
}

function asSaved(value: unknown): Hours {
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1) return {};
  // Written by this very module; the version says so.
  return (value as SavedDay).hours;
}
