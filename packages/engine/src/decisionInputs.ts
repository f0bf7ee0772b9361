import { decide, type JournalRecord, type JournalStore } from '@ebb/core';
import { isWorkloadSnapshot } from './replay.ts';
import { Replayer, type ReplayStep } from './replayer.ts';

const pageRecords = 1_000;
/** Records gone through at most: one segment of a workload and some more. */
const mostRecords = 40_000;
const mostStarts = 20;

/** Last record from which a workload's decisions can be made again so that those since `atMs` are among them. */
export async function replayStart(
  read: JournalStore['read'],
  workload: string,
  atMs: number,
): Promise<JournalRecord | null> {
  const range = { workload, toMs: atMs, kinds: ['snapshot' as const, 'event' as const] };
  const starts = await read({ ...range, newestFirst: true, limit: mostStarts });
  return starts.find((record) => isWorkloadSnapshot(record.body)) ?? null;
}

/**
 * What the decision in force at a moment was made from: document, memory and observation, rebuilt from the journal. Null
 * where the journal does not reach back to it, or where what comes out is not what was recorded (another version of Ebb).
 */
export async function decisionInputs(
  read: JournalStore['read'],
  workload: string,
  atMs: number,
): Promise<ReplayStep | null> {
  const start = await replayStart(read, workload, atMs);
  if (!start) return null;
  const found: { last: ReplayStep | null; isOver: boolean; differs: boolean } = {
    last: null,
    isOver: false,
    differs: false,
  };
  const replayer = new Replayer(decide, {
    step: (step) => {
      if (step.observation.nowMs <= atMs) found.last = step;
      else found.isOver = true;
    },
    failed: ({ atMs: failedMs }) => {
      if (failedMs <= atMs) found.differs = true;
    },
    compared: (compared) => {
      if (!compared.matches && compared.fromMs <= atMs) found.differs = true;
    },
  });
  let fromSequence = start.sequence;
  for (let gone = 0; gone < mostRecords && !found.isOver; gone += pageRecords) {
    const records = await read({ workload, fromSequence, limit: pageRecords });
    for (const record of records) replayer.take(record);
    fromSequence = (records.at(-1)?.sequence ?? fromSequence) + 1;
    if (records.length < pageRecords) break;
  }
  return found.differs ? null : found.last;
}
