import type { FleetAction, FleetSpec, fleetStep, JournalRecord, Solver } from '@ebb/core';
import { fleetJournalPrefix, isFleetDecision, isFleetSpec } from './fleetJournal.ts';

/** A recorded decision about machines beside what comes out now. */
export interface ComparedFleetStep {
  /** `fleet/CLUSTER`. */
  fleet: string;
  sequence: number;
  atMs: number;
  matches: boolean;
  recorded: readonly FleetAction[];
  now: readonly FleetAction[];
}

/**
 * Decides once more about machines on what a journal holds. Only decisions that did something are kept with what they were made
 * from; those whose spec was not seen are passed over.
 */
export class FleetReplayer {
  readonly #step: typeof fleetStep;
  readonly #solver: Solver | null;
  readonly #specs = new Map<string, FleetSpec>();
  /** Decisions that could not be made again: too long to be kept whole, or recorded before the first spec that was seen. */
  passedOver = 0;

  /** The solver is to be the one that decided: another one finds other plans. */
  constructor(step: typeof fleetStep, solver: Solver | null) {
    this.#step = step;
    this.#solver = solver;
  }

  /** Null: the record is of something else, or nothing can be compared. */
  take({ workload, body, sequence, atMs }: JournalRecord): ComparedFleetStep | null {
    if (!workload?.startsWith(fleetJournalPrefix)) return null;
    if (isFleetSpec(body)) {
      this.#specs.set(`${workload} ${body.specHash}`, body.spec);
      return null;
    }
    if (!isFleetDecision(body)) return null;
    const spec = this.#specs.get(`${workload} ${body.specHash}`);
    if (!body.input || !spec) {
      if (body.decision.actions.length > 0) this.passedOver++;
      return null;
    }
    const { decision } = this.#step(spec, body.input.memory, body.input.observation, this.#solver);
    const matches = JSON.stringify(decision) === JSON.stringify(body.decision);
    return { fleet: workload, sequence, atMs, matches, recorded: body.decision.actions, now: decision.actions };
  }
}
