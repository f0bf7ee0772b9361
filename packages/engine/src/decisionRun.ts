import type { Decision, Json, Observation } from '@ebb/core';
import { applyDelta, deltaOf, type JsonDelta } from './observationDelta.ts';

/** Body of a `reading` record: consecutive observations, the first whole, the others as what changed. */
export interface ReadingBody {
  first: Observation;
  changes: JsonDelta[];
}

/** Body of a `decision` record: the decision that began a run, or how often and until when it was repeated. */
export type DecisionBody =
  | { type: 'decided'; causes: string[]; decision: Decision }
  | { type: 'repeated'; of: number; count: number; lastMs: number; digest: string };

/** An observation is kept back for its batch at most this long, and at most so many are. */
export const observationBatchMs = 10_000;
export const observationBatchCount = 64;

/** Batches observations and run-length codes decisions of one workload, on their way to the journal. */
export class DecisionRun {
  #body: ReadingBody | null = null;
  #last: Observation | null = null;
  #firstMs = 0;
  #shape = '';
  #of = 0;
  #repeats = 0;
  #lastMs = 0;
  #digest = digestSeed;

  /** Takes an observation; true when the batch should be written. */
  observe(observation: Observation): boolean {
    if (this.#body && this.#last) {
      this.#body.changes.push(deltaOf(toJson(this.#last), toJson(observation)));
    } else {
      this.#body = { first: observation, changes: [] };
      this.#firstMs = observation.nowMs;
    }
    this.#last = observation;
    return (
      this.#body.changes.length + 1 >= observationBatchCount || observation.nowMs - this.#firstMs >= observationBatchMs
    );
  }

  /** The batch so far, which is then empty. */
  takeReadings(): ReadingBody | null {
    const body = this.#body;
    this.#body = null;
    this.#last = null;
    return body;
  }

  /** Whether the decision says the same as the run: the same replicas for the same kinds of reasons. */
  continues(decision: Decision): boolean {
    return this.#shape === shapeOf(decision);
  }

  /** One more decision of the run. */
  repeat(decision: Decision, atMs: number): void {
    this.#repeats++;
    this.#lastMs = atMs;
    this.#digest = digestOf(this.#digest, JSON.stringify(decision));
  }

  begin(sequence: number, decision: Decision): void {
    this.#shape = shapeOf(decision);
    this.#of = sequence;
    this.#repeats = 0;
    this.#digest = digestSeed;
  }

  /** Ends the run: how it was repeated, or null when it was not. */
  end(): DecisionBody | null {
    const repeated: DecisionBody | null =
      this.#repeats === 0
        ? null
        : {
            type: 'repeated',
            of: this.#of,
            count: this.#repeats,
            lastMs: this.#lastMs,
            digest: this.#digest.toString(16).padStart(8, '0'),
          };
    this.#shape = '';
    this.#repeats = 0;
    return repeated;
  }
}

/** The observations of a `reading` record. */
export function observationsOf(body: ReadingBody): Observation[] {
  const observations = [body.first];
  let value = toJson(body.first);
  for (const delta of body.changes) {
    value = applyDelta(value, delta);
    observations.push(value as unknown as Observation);
  }
  return observations;
}

export const digestSeed = 0x811c9dc5;

/** FNV-1a, 32 bits, over UTF-16 units: tells whether a replay gave the same decisions without storing each of them. */
export function digestOf(digest: number, text: string): number {
  let hash = digest;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

function shapeOf(decision: Decision): string {
  return JSON.stringify([decision.classes, decision.reasons.map((reason) => reason.code)]);
}

// Observations are plain JSON by contract; optional members that are undefined are left out, as in JSON.
function toJson(observation: Observation): Json {
  return observation as unknown as Json;
}
