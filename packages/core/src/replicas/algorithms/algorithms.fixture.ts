import type { DecideResult, Memory, Observation, Reading } from '../types.ts';
import { testObservation } from '../windows.fixture.ts';

export { testObservation } from '../windows.fixture.ts';

export const base = { workload: 'local/default/w', classes: ['default'] };
export const second = 1000;
export const minute = 60_000;

/** A reading of the one class over the second before `atMs`, unless told otherwise. */
export function reading(trigger: string, atMs: number, value: number | null, more: Partial<Reading> = {}): Reading {
  return { trigger, class: 'default', value, peak: null, spanMs: second, atMs, state: 'ok', ...more };
}

type DecideBy<Spec> = (spec: Spec, memory: Memory | null, observation: Observation) => DecideResult;

/** What a step of a run sees; what is left out is as nothing. */
export interface Seen {
  ready?: number;
  starting?: number;
  inFlight?: number;
  held?: number;
  readings?: Reading[];
  more?: Partial<Observation>;
}

/** Asks a policy again and again, keeping its memory. */
export class Run<Spec> {
  memory: Memory | null = null;
  last: DecideResult['decision'] | null = null;
  /** Of the last turn: calls in between change nothing. */
  #codes: string[] = [];
  readonly #decide: DecideBy<Spec>;
  readonly spec: Spec;

  constructor(decide: DecideBy<Spec>, spec: Spec) {
    this.#decide = decide;
    this.spec = spec;
  }

  at(nowMs: number, { ready, starting, inFlight, held, readings = [], more = {} }: Seen = {}): number {
    const seen = { ready: ready ?? 0, starting: starting ?? 0, inFlight: inFlight ?? 0, held: held ?? 0 };
    const result = this.#decide(this.spec, this.memory, testObservation(nowMs, seen, { readings, ...more }));
    this.memory = result.memory;
    this.last = result.decision;
    const codes = result.decision.reasons.map((reason) => reason.code);
    if (!codes.includes('between-turns')) this.#codes = codes;
    return result.decision.replicas;
  }

  /** Reason codes of the last turn. */
  codes(): string[] {
    return this.#codes;
  }
}

/** Every nested object and array frozen: a policy that writes into its memory throws. */
export function deepFreeze<Value>(value: Value): Value {
  if (value !== null && typeof value === 'object') {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
