import type { Decide, Decision, DecisionSpec, JournalRecord, Memory, Observation } from '@ebb/core';
import { type DecisionBody, digestOf, digestSeed, observationsOf, type ReadingBody } from './decisionRun.ts';

/** Body of a workload's `snapshot` record, and of the `event` that a changed document leaves. */
export interface WorkloadSnapshot {
  type: 'workload';
  generation: number;
  specHash: string;
  spec: DecisionSpec;
  memory: Memory | null;
}

export interface ReplayedDecision {
  workload: string;
  observation: Observation;
  decision: Decision;
  /** Null: not yet compared, because its record lies behind the end. */
  matches: boolean | null;
}

interface WorkloadReplay {
  spec: DecisionSpec;
  memory: Memory | null;
  /** Computed, and not yet compared with a record. */
  waiting: ReplayedDecision[];
}

/**
 * Feeds the journal's observations through `decide`, from the memories of a segment's snapshot on, and compares what
 * comes out with what was recorded, bit for bit. `records` are in order and begin with a segment's first record.
 */
export function replayJournal(records: Iterable<JournalRecord>, decide: Decide): ReplayedDecision[] {
  const replayed: ReplayedDecision[] = [];
  const workloads = new Map<string, WorkloadReplay>();
  for (const record of records) {
    if (record.workload === null) continue;
    if (record.kind === 'snapshot' || record.kind === 'event') {
      if (!isWorkloadSnapshot(record.body)) continue;
      const { spec, memory } = record.body;
      workloads.set(record.workload, { spec, memory, waiting: [] });
      continue;
    }
    const workload = workloads.get(record.workload);
    if (!workload) continue;
    if (record.kind === 'reading') {
      for (const observation of observationsOf(record.body as ReadingBody)) {
        const { decision, memory } = decide(workload.spec, workload.memory, observation);
        workload.memory = memory;
        const one: ReplayedDecision = { workload: record.workload, observation, decision, matches: null };
        workload.waiting.push(one);
        replayed.push(one);
      }
    } else if (record.kind === 'decision') {
      compare(workload, record.body as DecisionBody);
    }
  }
  return replayed;
}

function compare(workload: WorkloadReplay, body: DecisionBody): void {
  if (body.type === 'decided') {
    const [one] = workload.waiting.splice(0, 1);
    if (one) one.matches = JSON.stringify(one.decision) === JSON.stringify(body.decision);
    return;
  }
  const repeated = workload.waiting.splice(0, body.count);
  let digest = digestSeed;
  for (const one of repeated) digest = digestOf(digest, JSON.stringify(one.decision));
  const matches = repeated.length === body.count && digest.toString(16).padStart(8, '0') === body.digest;
  for (const one of repeated) one.matches = matches;
}

export function isWorkloadSnapshot(body: unknown): body is WorkloadSnapshot {
  return typeof body === 'object' && body !== null && 'type' in body && body.type === 'workload';
}
