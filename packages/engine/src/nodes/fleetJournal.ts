import type { FleetDecision, FleetMemory, FleetObservation, FleetSpec } from '@ebb/core';

/** Begins the name under which the journal has what is decided about a cluster's machines. */
export const fleetJournalPrefix = 'fleet/';

/** What a cluster's machines are decided by: in each segment's snapshot, and when it changes. */
export interface FleetSpecBody {
  type: 'fleet-spec';
  specHash: string;
  spec: FleetSpec;
}

/** What a decision about machines was made from, beside its spec, which the journal has once. */
export interface FleetInput {
  memory: FleetMemory | null;
  observation: FleetObservation;
}

/** In the journal under `fleet/CLUSTER`. */
export interface FleetDecisionBody {
  type: 'fleet';
  specHash: string;
  decision: FleetDecision;
  /** Null: nothing was done by it, or it is too long to be kept. */
  input: FleetInput | null;
  /** How long it would have been, where it is too long. */
  inputCharacters?: number;
}

/** A thousand machines and their replicas, once a second, would fill the journal in an hour. */
const longestInput = 256_000;

/** What the journal keeps of a decision; with what it was made from, it can be made again. */
export function fleetDecisionBody(
  specHash: string,
  decision: FleetDecision,
  made: FleetInput | null,
): FleetDecisionBody {
  const characters = made === null ? 0 : JSON.stringify(made).length;
  const isKept = characters <= longestInput;
  return {
    ...{ type: 'fleet', specHash, decision },
    input: isKept ? made : null,
    ...(isKept ? {} : { inputCharacters: characters }),
  };
}

export function isFleetSpec(body: unknown): body is FleetSpecBody {
  return typeOf(body) === 'fleet-spec';
}

export function isFleetDecision(body: unknown): body is FleetDecisionBody {
  return typeOf(body) === 'fleet';
}

function typeOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'type' in body ? body.type : null;
}
