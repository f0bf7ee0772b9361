import type { JournalRecord, JournalStore } from '@ebb/core';
import { replayStart } from '@ebb/engine';
import type { JournalSource, RecordQuery } from './journalSource.ts';

type Read = JournalStore['read'];

const pageRecords = 2_000;
const mostOutcomes = 1_000;
/** A segment's first records are written within this time. */
const segmentBeginMs = 2_000;

/** A journal that is asked for page by page: at most one page is held. */
export function pagedSource(
  name: string,
  read: Read,
  ends: { endMs?: () => number; close: () => Promise<void> },
): JournalSource {
  return {
    name,
    records: (query) => records(read, query),
    outcomes: (workload) => read({ workload, kinds: ['outcome'], newestFirst: true, limit: mostOutcomes }),
    endMs: async () => ends.endMs?.() ?? (await read({ newestFirst: true, limit: 1 }))[0]?.atMs ?? 0,
    close: ends.close,
  };
}

async function* records(read: Read, { workloads, sinceMs }: RecordQuery): AsyncGenerator<JournalRecord, void, void> {
  const [only] = workloads;
  if (only === undefined || workloads.length > 1) {
    const wanted = new Set(workloads);
    const from = (await segmentStart(read, sinceMs))?.sequence ?? 0;
    for await (const record of pages(read, { fromSequence: from })) {
      if (wanted.size === 0 || record.workload === null || wanted.has(record.workload)) yield record;
    }
    return;
  }
  const from = (await replayStart(read, only, sinceMs))?.sequence ?? 0;
  let segment: number | null = null;
  for await (const record of pages(read, { workload: only, fromSequence: from })) {
    if (record.segment !== segment) {
      segment = record.segment;
      const system = await systemRecord(read, record);
      if (system) yield system;
    }
    yield record;
  }
}

async function* pages(
  read: Read,
  range: { workload?: string; fromSequence: number },
): AsyncGenerator<JournalRecord, void, void> {
  let { fromSequence } = range;
  while (true) {
    const page = await read({ ...range, fromSequence, limit: pageRecords });
    yield* page;
    if (page.length < pageRecords) return;
    fromSequence = (page.at(-1)?.sequence ?? fromSequence) + 1;
  }
}

/** First record of the segment in force at a moment: the system's part of its snapshot. */
async function segmentStart(read: Read, atMs: number): Promise<JournalRecord | null> {
  const [newest] = await read({ toMs: atMs, kinds: ['snapshot'], newestFirst: true, limit: 1 });
  return newest ? firstOf(read, newest) : null;
}

async function systemRecord(read: Read, { segment, atMs }: JournalRecord): Promise<JournalRecord | null> {
  const [newest] = await read({ toMs: atMs, kinds: ['snapshot'], newestFirst: true, limit: 1 });
  if (!newest || newest.segment !== segment) return null;
  const first = await firstOf(read, newest);
  return first?.workload === null ? first : null;
}

async function firstOf(read: Read, { segment, atMs, sequence }: JournalRecord): Promise<JournalRecord | null> {
  const range = { fromMs: atMs - segmentBeginMs, toMs: atMs, kinds: ['snapshot' as const], limit: pageRecords };
  const found = (await read(range)).find((record) => record.segment === segment);
  return found ?? (await read({ fromSequence: sequence, limit: 1 }))[0] ?? null;
}
