import type { Decide, Decision, DecisionSpec, JournalRecord, Memory, Observation } from '@ebb/core';
import { type DecisionBody, digestOf, digestSeed, observationsOf, type ReadingBody } from './decisionRun.ts';
import { isWorkloadSnapshot } from './replay.ts';

/** One decision made once more, with all that it was made from. */
export interface ReplayStep {
  workload: string;
  spec: DecisionSpec;
  /** Memory that the decision met. */
  memoryBefore: Memory | null;
  observation: Observation;
  decision: Decision;
}

/** A decision record beside what came out now. */
export interface ComparedDecisions {
  workload: string;
  sequence: number;
  /** First and last moment that the record speaks of. */
  fromMs: number;
  toMs: number;
  /** Decisions that it stands for: one, or a run of repeated ones. */
  count: number;
  matches: boolean;
  /** The recorded decision; of a run of repeated ones, which is known by a digest, the one that began it. */
  recorded: Decision;
  /** The decision now; of a run the first that is certainly another one, else its first. */
  now: Decision;
  /** Whether `recorded` is in full what `now` is compared with. */
  isWhole: boolean;
}

/** No decision could be made from what is recorded, such as a document of another version. */
export interface ReplayFailure {
  workload: string;
  sequence: number;
  atMs: number;
  message: string;
}

export interface ReplayListener {
  step?(step: ReplayStep): void;
  compared?(compared: ComparedDecisions): void;
  failed?(failure: ReplayFailure): void;
}

interface Made {
  atMs: number;
  decision: Decision;
}

/** Decisions of a run that are surely in it, as their digest. */
interface Folded {
  count: number;
  digest: number;
  first: Made | null;
  /** The first of another shape than the run began with. */
  other: Made | null;
}

interface WorkloadReplay {
  spec: DecisionSpec;
  memory: Memory | null;
  /** Of the last `reading` record, not yet compared. */
  batch: Made[];
  folded: Folded;
  /** Decision that began the run. */
  began: Decision | null;
}

/**
 * Decides once more on what a journal holds, record by record, in memory that does not grow with the journal: a run of
 * repeated decisions is kept as its digest. Records come in order and begin with a snapshot; those of workloads whose
 * snapshot was not seen are passed over.
 */
export class Replayer {
  readonly #decide: Decide;
  readonly #listener: ReplayListener;
  readonly #workloads = new Map<string, WorkloadReplay>();
  #unverified = 0;

  constructor(decide: Decide, listener: ReplayListener) {
    this.#decide = decide;
    this.#listener = listener;
  }

  take(record: JournalRecord): void {
    const { workload, kind, body } = record;
    if (workload === null) return;
    if (kind === 'snapshot' || kind === 'event') {
      if (!isWorkloadSnapshot(body)) return;
      this.#leave(workload);
      const { spec, memory } = body;
      this.#workloads.set(workload, { spec, memory, batch: [], folded: nothingFolded(), began: null });
      return;
    }
    const replay = this.#workloads.get(workload);
    if (!replay) return;
    if (kind === 'reading') this.#decideOrFail(workload, replay, record);
    else if (kind === 'decision') this.#compare(replay, record, body as DecisionBody);
  }

  /** To be called after the last record: how many decisions had no record to compare them with. */
  end(): number {
    for (const workload of [...this.#workloads.keys()]) this.#leave(workload);
    return this.#unverified;
  }

  #leave(workload: string): void {
    const replay = this.#workloads.get(workload);
    if (!replay) return;
    this.#unverified += replay.batch.length + replay.folded.count;
    this.#workloads.delete(workload);
  }

  /** A workload that cannot be decided on is left until its next snapshot. */
  #decideOrFail(workload: string, replay: WorkloadReplay, { sequence, atMs, body }: JournalRecord): void {
    try {
      this.#decideOn(workload, replay, body as ReadingBody);
    } catch (error) {
      this.#leave(workload);
      const message = error instanceof Error ? error.message : String(error);
      this.#listener.failed?.({ workload, sequence, atMs, message });
    }
  }

  #decideOn(workload: string, replay: WorkloadReplay, body: ReadingBody): void {
    // Only the last observation of a batch can belong to the decision that ends the run, so earlier batches are in it.
    for (const made of replay.batch) fold(replay, made);
    replay.batch = [];
    for (const observation of observationsOf(body)) {
      const memoryBefore = replay.memory;
      const { decision, memory } = this.#decide(replay.spec, memoryBefore, observation);
      replay.memory = memory;
      replay.batch.push({ atMs: observation.nowMs, decision });
      this.#listener.step?.({ workload, spec: replay.spec, memoryBefore, observation, decision });
    }
  }

  #compare(replay: WorkloadReplay, record: JournalRecord, body: DecisionBody): void {
    const { sequence } = record;
    const workload = record.workload ?? '';
    if (body.type === 'decided') {
      this.#unverified += replay.folded.count;
      replay.folded = nothingFolded();
      replay.began = body.decision;
      const made = replay.batch.shift();
      if (!made) return;
      const matches = JSON.stringify(made.decision) === JSON.stringify(body.decision);
      const { atMs, decision: now } = made;
      const compared = { workload, sequence, fromMs: atMs, toMs: atMs, count: 1, matches, now };
      this.#listener.compared?.({ ...compared, recorded: body.decision, isWhole: true });
      return;
    }
    for (const made of replay.batch.splice(0, Math.max(0, body.count - replay.folded.count))) fold(replay, made);
    const { count, digest, first, other } = replay.folded;
    replay.folded = nothingFolded();
    if (!first || !replay.began) {
      this.#unverified += count;
      return;
    }
    this.#listener.compared?.({
      workload,
      sequence,
      fromMs: first.atMs,
      toMs: body.lastMs,
      count,
      matches: count === body.count && digest.toString(16).padStart(8, '0') === body.digest,
      recorded: replay.began,
      now: (other ?? first).decision,
      isWhole: false,
    });
  }
}

function nothingFolded(): Folded {
  return { count: 0, digest: digestSeed, first: null, other: null };
}

function fold(replay: WorkloadReplay, made: Made): void {
  const { folded, began } = replay;
  folded.count++;
  folded.digest = digestOf(folded.digest, JSON.stringify(made.decision));
  folded.first ??= made;
  if (began && folded.other === null && !haveSameShape(began, made.decision)) folded.other = made;
}

/** The same replicas for the same kinds of reasons. */
function haveSameShape(a: Decision, b: Decision): boolean {
  const codes = (decision: Decision) => decision.reasons.map((reason) => reason.code).join(' ');
  return JSON.stringify(a.classes) === JSON.stringify(b.classes) && codes(a) === codes(b);
}
