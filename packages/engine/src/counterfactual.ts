import { type ClassObservation, decide, type DecisionSpec, type Memory, type Observation } from '@ebb/core';
import { type Demand, demandOf, type PolicyTotals, ReplicaMeter, type ServedClass } from './replicaMeter.ts';

/** Between two observations a policy is asked at most so often; one that wants more is asked again at the next. */
const mostAsksBetween = 10_000;

/** A policy, and how its replicas serve and what they cost. */
export interface TriedPolicy {
  spec: DecisionSpec;
  classes: ServedClass[];
}

export interface CounterfactualOptions {
  /** From asking for a replica until it is ready; such as the median of those in the journal. */
  coldStartMs: number;
  /** Memory that the first decision meets: the recorded one, so that the windows are not empty at the start. */
  memory: Memory | null;
}

/**
 * What another policy would have done with a recorded demand. Open loop: readings, requests held and in flight are
 * those of the journal, whatever this policy decides; only the replicas are its own, ready a fixed time after it asked
 * for them. So costs and counts are estimates, and waits are not known: a rehearsal simulates them.
 */
export class Counterfactual {
  readonly #policy: TriedPolicy;
  readonly #options: CounterfactualOptions;
  #memory: Memory | null;
  #meter: ReplicaMeter | null = null;
  #last: Observation | null = null;
  #revisitAtMs: number | null = null;

  constructor(policy: TriedPolicy, options: CounterfactualOptions) {
    this.#policy = policy;
    this.#options = options;
    this.#memory = options.memory;
  }

  /** The next observation of the journal; times rise. */
  take(observation: Observation): void {
    this.#meter ??= new ReplicaMeter(this.#policy.classes, this.#options.coldStartMs, observation);
    this.#askUntil(this.#meter, observation.nowMs);
    this.#meter.advance(observation.nowMs);
    this.#last = observation;
    this.#ask(this.#meter, observation);
  }

  /** What it came to by `atMs`; null where nothing was observed. */
  end(atMs: number): PolicyTotals | null {
    if (!this.#meter) return null;
    this.#askUntil(this.#meter, atMs);
    this.#meter.advance(atMs);
    return this.#meter.totals();
  }

  /** Asks at the moments the policy itself wanted, and when a replica turned ready, as the engine does. */
  #askUntil(meter: ReplicaMeter, untilMs: number): void {
    for (let asks = 0; asks < mostAsksBetween && this.#last; asks++) {
      const atMs = Math.min(this.#revisitAtMs ?? untilMs, meter.nextReadyMs ?? untilMs);
      if (atMs >= untilMs) return;
      const cause = atMs === this.#revisitAtMs ? 'revisit' : 'replica';
      meter.advance(atMs);
      const busy = [...demandOf(this.#last).values()].some((demand) => demand > 0);
      this.#ask(meter, {
        ...this.#last,
        nowMs: atMs,
        causes: [cause],
        readings: [],
        lastActiveAtMs: busy ? atMs : this.#last.lastActiveAtMs,
      });
    }
  }

  #ask(meter: ReplicaMeter, recorded: Observation): void {
    const demand = demandOf(recorded);
    const classes = Object.fromEntries(
      this.#policy.classes.map(({ name, concurrency }) => [name, servedBy(meter.of(name), concurrency, demand, name)]),
    );
    const { decision, memory } = decide(this.#policy.spec, this.#memory, { ...recorded, classes });
    this.#memory = memory;
    this.#revisitAtMs = decision.revisitAtMs;
    meter.set(decision.classes, demand);
  }
}

/** The demand of a class on the replicas that this policy has: what they cannot take is held. */
function servedBy(
  { ready, starting }: { ready: number; starting: number },
  concurrency: number,
  demand: Demand,
  name: string,
): ClassObservation {
  const wanted = demand.get(name) ?? 0;
  const room = concurrency === 0 ? (ready > 0 ? wanted : 0) : ready * concurrency;
  const inFlight = Math.min(wanted, room);
  return { ready, starting, draining: 0, failed: 0, inFlight, held: wanted - inFlight };
}
