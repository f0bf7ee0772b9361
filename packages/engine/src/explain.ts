import { type Decision, decide, type Grant, type JournalRecord, type JournalStore } from '@ebb/core';
import type { DecisionBody } from './decisionRun.ts';
import { sentenceOf } from './reasonText.ts';
import type { WorkloadState } from './workloadState.ts';
import { isWorkloadSnapshot, replayJournal } from './replay.ts';
import type { Explanation } from './types.ts';

/** Body of a `grant` record. */
interface GrantBody {
  grant: Grant;
  /** Sequence number of the decision it belongs to. */
  because: number;
}

const mostActions = 200;
const mostReplayed = 20_000;

/** What was decided for the workload by `atMs`, why, and what was done because of it. From the journal alone. */
export async function explainFromJournal(
  journal: JournalStore,
  workload: string,
  atMs: number,
): Promise<Explanation | null> {
  const decision = await decisionAt(journal, workload, atMs);
  const [grant = null] = await journal.read({ workload, toMs: atMs, kinds: ['grant'], newestFirst: true, limit: 1 });
  if (!decision) return grant ? { workload, decision: null, grant, actions: [], lines: [] } : null;
  const granted = grant ? (grant.body as GrantBody) : null;
  // Reasons change while the number stays: what was done follows from the decision that led to the present number.
  const since = Math.min(decision.sequence, granted?.because ?? decision.sequence);
  const nextMs = grant ? await nextGrantMs(journal, workload, grant) : null;
  const actions = await journal.read({
    workload,
    fromSequence: since,
    ...(nextMs === null ? {} : { toMs: nextMs }),
    kinds: ['action', 'outcome'],
    newestFirst: true,
    limit: mostActions,
  });
  return {
    workload,
    decision,
    grant,
    actions: actions.reverse(),
    lines: linesOf((await replayedAt(journal, workload, atMs)) ?? decidedIn(decision), granted?.grant ?? null),
  };
}

/** One sentence a step, in the order of the chain. */
export function linesOf(decision: Decision | null, grant: Grant | null): Explanation['lines'] {
  const reasons = [...(decision?.reasons ?? []), ...(grant?.reasons ?? [])];
  return reasons.map((reason) => ({ stage: reason.stage, code: reason.code, sentence: sentenceOf(reason) }));
}

/** Which class would serve the workload cheapest, as one more step that changed nothing; none for a single class. */
export function hintLines({ classHint, spec }: WorkloadState): Explanation['lines'] {
  const hint = classHint.status(spec);
  return hint ? [{ stage: 'hint', code: 'class-hint', sentence: hint.because }] : [];
}

/**
 * The decision as it was made last before the time, with the numbers it had then: a run's record has those of its
 * begin, so the observations since the last snapshot are decided on once more. Null where that gives something else
 * than was recorded (another version of Ebb), or lies too far back.
 */
async function replayedAt(journal: JournalStore, workload: string, atMs: number): Promise<Decision | null> {
  const starts = await journal.read({
    workload,
    toMs: atMs,
    kinds: ['snapshot', 'event'],
    newestFirst: true,
    limit: 20,
  });
  const start = starts.find((record) => isWorkloadSnapshot(record.body));
  if (!start) return null;
  const records = await journal.read({ workload, fromSequence: start.sequence, limit: mostReplayed });
  const until = replayJournal(records, decide).filter((one) => one.observation.nowMs <= atMs);
  const last = until.at(-1);
  return last && until.every((one) => one.matches !== false) ? last.decision : null;
}

/** The record that began the run of equal decisions in force at the time. */
async function decisionAt(journal: JournalStore, workload: string, atMs: number): Promise<JournalRecord | null> {
  const [newest] = await journal.read({ workload, toMs: atMs, kinds: ['decision'], newestFirst: true, limit: 1 });
  if (!newest) return null;
  const body = newest.body as DecisionBody;
  if (body.type === 'decided') return newest;
  const [first] = await journal.read({ workload, fromSequence: body.of, kinds: ['decision'], limit: 1 });
  return first ?? null;
}

async function nextGrantMs(journal: JournalStore, workload: string, grant: JournalRecord): Promise<number | null> {
  const [next] = await journal.read({ workload, fromSequence: grant.sequence + 1, kinds: ['grant'], limit: 1 });
  return next?.atMs ?? null;
}

function decidedIn(record: JournalRecord): Decision | null {
  const body = record.body as DecisionBody;
  return body.type === 'decided' ? body.decision : null;
}
