import type { FleetDecision, FleetOutcome, FleetSpec } from '@ebb/core';
import { revisionOf } from '@ebb/documents';
import type { EngineContext } from '../context.ts';
import type { SnapshotPart } from '../journal.ts';
import { fleetDecisionBody, type FleetInput, fleetJournalPrefix, type FleetSpecBody } from './fleetJournal.ts';

/** What the journal is told of one fleet, each thing once. */
export class FleetRecords {
  readonly #context: EngineContext;
  readonly #key: string;
  #reasonsTold = '';
  #specTold = '';
  #hashed: { spec: FleetSpec; hash: string } | null = null;

  constructor(context: EngineContext, cluster: string) {
    this.#context = context;
    this.#key = fleetJournalPrefix + cluster;
  }

  outcome(outcome: FleetOutcome): void {
    this.#context.journal.record('outcome', this.#key, outcome);
  }

  /** A decision with what it was made from where it did something, and else where its reasons are new. */
  decision(spec: FleetSpec, decision: FleetDecision, made: FleetInput | null): void {
    const reasons = JSON.stringify(decision.reasons);
    if (made === null && reasons === this.#reasonsTold) return;
    this.#reasonsTold = reasons;
    const { journal } = this.#context;
    const specHash = this.#specHash(spec);
    if (specHash !== this.#specTold) {
      this.#specTold = specHash;
      journal.record('event', this.#key, { type: 'fleet-spec', specHash, spec } satisfies FleetSpecBody);
    }
    journal.record('decision', this.#key, fleetDecisionBody(specHash, decision, made));
  }

  /** For the begin of a segment of the journal. */
  snapshot(spec: FleetSpec): SnapshotPart {
    const specHash = this.#specHash(spec);
    this.#specTold = specHash;
    return { workload: this.#key, body: { type: 'fleet-spec', specHash, spec } satisfies FleetSpecBody };
  }

  #specHash(spec: FleetSpec): string {
    if (this.#hashed?.spec !== spec) this.#hashed = { spec, hash: revisionOf(spec) };
    return this.#hashed.hash;
  }
}
