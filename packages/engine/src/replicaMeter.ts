import { microOf, type Observation } from '@ebb/core';

/** What a policy used and how it served the demand, over a span of time. */
export interface PolicyTotals {
  /** From the first observation to the end. */
  spanMs: number;
  replicaMs: number;
  /** Micro-units of the currency, at the class prices of the policy's document; rounded once. */
  costMicro: bigint;
  mostReplicas: number;
  /** Time with no replica asked for. */
  zeroMs: number;
  /** Replicas started. */
  starts: number;
  /** Stretches in which more was held or in flight than the ready replicas take at once, and their length together. */
  shortfalls: number;
  shortMs: number;
}

/** How a class serves and what it costs; a concurrency of 0 is no limit. */
export interface ServedClass {
  name: string;
  concurrency: number;
  pricePerHourMicro: number;
}

/** Demand of a class: requests held or in flight. */
export type Demand = ReadonlyMap<string, number>;

interface ClassMeter {
  concurrency: number;
  pricePerHourMicro: number;
  ready: number;
  /** When the starting ones are ready, earliest first. */
  startingMs: number[];
}

/**
 * Replicas as a policy asks for them, each ready a fixed time after it was asked for and gone at once when it is no
 * longer wanted, and what they cost and leave unserved.
 */
export class ReplicaMeter {
  readonly #classes = new Map<string, ClassMeter>();
  readonly #coldStartMs: number;
  readonly #fromMs: number;
  #nowMs: number;
  #demand: Demand = new Map();
  #short = false;
  #microMs = 0n;
  readonly #totals = { replicaMs: 0, mostReplicas: 0, zeroMs: 0, starts: 0, shortfalls: 0, shortMs: 0 };

  /** Begins with the replicas that the observation shows. */
  constructor(classes: readonly ServedClass[], coldStartMs: number, first: Observation) {
    this.#coldStartMs = coldStartMs;
    this.#fromMs = first.nowMs;
    this.#nowMs = first.nowMs;
    for (const { name, concurrency, pricePerHourMicro } of classes) {
      const { ready = 0, starting = 0 } = first.classes[name] ?? {};
      const startingMs = Array.from({ length: starting }, () => first.nowMs + coldStartMs);
      this.#classes.set(name, { concurrency, pricePerHourMicro, ready, startingMs });
    }
    this.#totals.mostReplicas = this.#count();
  }

  /** When the next replica is ready; null where none starts. */
  get nextReadyMs(): number | null {
    const times = [...this.#classes.values()].flatMap(({ startingMs }) => startingMs.slice(0, 1));
    return times.length > 0 ? Math.min(...times) : null;
  }

  of(className: string): { ready: number; starting: number } {
    const meter = this.#classes.get(className);
    return { ready: meter?.ready ?? 0, starting: meter?.startingMs.length ?? 0 };
  }

  /** Lets time pass; a replica may turn ready on the way. */
  advance(toMs: number): void {
    while (this.#nowMs < toMs) {
      const untilMs = Math.min(toMs, this.nextReadyMs ?? toMs);
      this.#pass(Math.max(0, untilMs - this.#nowMs));
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      this.#turnReady();
      this.#look();
    }
  }

  /** What is asked for from now on, under the demand of now. */
  set(wanted: Readonly<Record<string, number>>, demand: Demand): void {
    this.#demand = demand;
    for (const [name, meter] of this.#classes) {
      const change = (wanted[name] ?? 0) - meter.ready - meter.startingMs.length;
      if (change > 0) {
        this.#totals.starts += change;
        for (let started = 0; started < change; started++) meter.startingMs.push(this.#nowMs + this.#coldStartMs);
      } else {
        const stopped = meter.startingMs.splice(Math.max(0, meter.startingMs.length + change)).length;
        meter.ready += change + stopped;
      }
    }
    this.#turnReady();
    this.#totals.mostReplicas = Math.max(this.#totals.mostReplicas, this.#count());
    this.#look();
  }

  totals(): PolicyTotals {
    const costMicro = microOf(this.#microMs);
    return { spanMs: this.#nowMs - this.#fromMs, costMicro, ...this.#totals };
  }

  #pass(ms: number): void {
    let count = 0;
    for (const { ready, startingMs, pricePerHourMicro } of this.#classes.values()) {
      const own = ready + startingMs.length;
      count += own;
      this.#microMs += BigInt(own * ms) * BigInt(pricePerHourMicro);
    }
    this.#totals.replicaMs += count * ms;
    if (count === 0) this.#totals.zeroMs += ms;
    if (this.#short) this.#totals.shortMs += ms;
  }

  #turnReady(): void {
    for (const meter of this.#classes.values()) {
      while ((meter.startingMs[0] ?? Number.POSITIVE_INFINITY) <= this.#nowMs) {
        meter.startingMs.shift();
        meter.ready++;
      }
    }
  }

  #look(): void {
    const short = [...this.#classes].some(([name, { ready, concurrency }]) => {
      const demand = this.#demand.get(name) ?? 0;
      return concurrency === 0 ? demand > 0 && ready === 0 : demand > ready * concurrency;
    });
    if (short && !this.#short) this.#totals.shortfalls++;
    this.#short = short;
  }

  #count(): number {
    return [...this.#classes.values()].reduce((sum, { ready, startingMs }) => sum + ready + startingMs.length, 0);
  }
}

/** Demand of each class as it was observed. */
export function demandOf(observation: Observation): Demand {
  return new Map(
    Object.entries(observation.classes).map(([name, { inFlight, held }]) => [
      name,
      Math.max(0, inFlight) + Math.max(0, held),
    ]),
  );
}
