import type { Driver, DriverEvent, FoundTargets, LogLine, ReplicaObservation, ReplicaStart } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import type { Found, TargetReference, TargetState } from '../driver/target.ts';
import type { Mode } from './mode.ts';

/** What brings targets to a driver, each in its mode. */
export interface TargetDriver extends Driver {
  readonly found: FoundTargets;
  expect(workload: ObjectKey, found: Found | null, mode: Mode): void;
  manage(reference: TargetReference, state: TargetState, mode: Mode): void;
  release(workload: ObjectKey): void;
}

/** One of the two, which knows no modes. */
export interface PartDriver extends Driver {
  readonly found: FoundTargets;
  expect(workload: ObjectKey, found: Found | null): void;
  manage(reference: TargetReference, state: TargetState): void;
  release(workload: ObjectKey): void;
}

export interface ModeDriverOptions {
  /** Writes to the targets that it is given. */
  readonly control: PartDriver;
  /** Writes nothing. */
  readonly advice: PartDriver;
}

/** Two drivers as one: targets that Ebb is in charge of are written to, those that it advises on are not. */
export class ModeDriver implements TargetDriver {
  readonly #parts: Readonly<Record<Mode, PartDriver>>;
  readonly #modes = new Map<string, Mode>();

  readonly found: FoundTargets = {
    replicas: (workload) => this.#partOf(workload).found.replicas(workload),
    lastActiveAtMs: (workload) => this.#partOf(workload).found.lastActiveAtMs(workload),
  };

  constructor({ control, advice }: ModeDriverOptions) {
    this.#parts = { control, advice };
  }

  expect(workload: ObjectKey, found: Found | null, mode: Mode): void {
    this.#use(workload, mode).expect(workload, found);
  }

  manage(reference: TargetReference, state: TargetState, mode: Mode): void {
    this.#use(reference.workload, mode).manage(reference, state);
  }

  release(workload: ObjectKey): void {
    this.#partOf(workload).release(workload);
    this.#modes.delete(keyText(workload));
  }

  ensure(start: ReplicaStart): Promise<void> {
    return this.#partOf(start.workload).ensure(start);
  }

  async stop(id: string): Promise<void> {
    // Ids are unique: the one that does not know it does nothing. Both hear of it in this turn.
    await Promise.all([this.#parts.advice.stop(id), this.#parts.control.stop(id)]);
  }

  planned(workload: ObjectKey, replicas: number): void {
    this.#partOf(workload).planned?.(workload, replicas);
  }

  async list(): Promise<ReplicaObservation[]> {
    const [advice, control] = await Promise.all([this.#parts.advice.list(), this.#parts.control.list()]);
    return [...advice, ...control];
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    const ends = [this.#parts.advice.watch(listener), this.#parts.control.watch(listener)];
    return () => {
      for (const end of ends) end();
    };
  }

  logs(query: Parameters<Driver['logs']>[0]): AsyncIterableIterator<LogLine> {
    return this.#parts.control.logs(query);
  }

  async close(): Promise<void> {
    await this.#parts.advice.close();
    await this.#parts.control.close();
  }

  /** A target changes hands as a whole: what the other one had of it is let go of first. */
  #use(workload: ObjectKey, mode: Mode): PartDriver {
    const key = keyText(workload);
    const before = this.#modes.get(key);
    if (before !== undefined && before !== mode) this.#parts[before].release(workload);
    this.#modes.set(key, mode);
    return this.#parts[mode];
  }

  #partOf(workload: ObjectKey): PartDriver {
    return this.#parts[this.#modes.get(keyText(workload)) ?? 'control'];
  }
}
