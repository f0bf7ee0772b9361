import { type Decision, microOf, type Observation } from '@ebb/core';
import type { PolicyTotals, ServedClass } from './replicaMeter.ts';

/** What the recorded decisions themselves came to: counts as decided, demand beside what was ready. */
export class RecordedPolicy {
  #totals: PolicyTotals | null = null;
  #microMs = 0n;
  #last: { atMs: number; replicas: number; rateMicro: bigint; short: boolean } | null = null;

  take(classes: readonly ServedClass[], observation: Observation, decision: Decision): void {
    this.#pass(observation.nowMs);
    const before = this.#last?.replicas ?? running(observation);
    const short = classes.some(({ name, concurrency }) => {
      const seen = observation.classes[name];
      if (!seen) return false;
      const demand = seen.inFlight + seen.held;
      return concurrency === 0 ? demand > 0 && seen.ready === 0 : demand > seen.ready * concurrency;
    });
    const rateMicro = classes.reduce(
      (sum, { name, pricePerHourMicro }) => sum + BigInt(pricePerHourMicro) * BigInt(decision.classes[name] ?? 0),
      0n,
    );
    this.#totals ??= {
      spanMs: 0,
      replicaMs: 0,
      costMicro: 0n,
      mostReplicas: 0,
      zeroMs: 0,
      starts: 0,
      shortfalls: 0,
      shortMs: 0,
    };
    const totals = this.#totals;
    totals.mostReplicas = Math.max(totals.mostReplicas, decision.replicas);
    totals.starts += Math.max(0, decision.replicas - before);
    if (short && !this.#last?.short) totals.shortfalls++;
    this.#last = { atMs: observation.nowMs, replicas: decision.replicas, rateMicro, short };
  }

  end(atMs: number): PolicyTotals | null {
    this.#pass(atMs);
    if (!this.#totals) return null;
    return { ...this.#totals, costMicro: microOf(this.#microMs) };
  }

  #pass(toMs: number): void {
    if (!this.#last || !this.#totals) return;
    const ms = Math.max(0, toMs - this.#last.atMs);
    this.#totals.spanMs += ms;
    this.#totals.replicaMs += ms * this.#last.replicas;
    this.#microMs += this.#last.rateMicro * BigInt(ms);
    if (this.#last.replicas === 0) this.#totals.zeroMs += ms;
    if (this.#last.short) this.#totals.shortMs += ms;
    this.#last.atMs += ms;
  }
}

function running(observation: Observation): number {
  return Object.values(observation.classes).reduce((sum, { ready, starting }) => sum + ready + starting, 0);
}
