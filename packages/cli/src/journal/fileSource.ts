import { createReadStream, existsSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isJournalKind, type JournalRecord } from '@ebb/core';
import { Failure } from '../failure.ts';
import type { JournalSource, RecordQuery } from './journalSource.ts';

const mostOutcomes = 1_000;

/** A file of `ebb journal export`: JSON lines, read as a stream each time it is asked for. */
export function fileSource(path: string, name: string): JournalSource {
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new Failure('usage', `there is no file "${name}".`, ['`ebb journal export > FILE` writes one']);
  }
  return {
    name,
    records: (query) => records(path, name, query.workloads),
    outcomes: async (workload) => {
      const found: JournalRecord[] = [];
      for await (const record of records(path, name, [workload])) {
        if (record.kind !== 'outcome') continue;
        found.push(record);
        if (found.length > mostOutcomes) found.shift();
      }
      return found;
    },
    endMs: async () => {
      let lastMs = 0;
      for await (const { atMs } of records(path, name, [])) lastMs = Math.max(lastMs, atMs);
      return lastMs;
    },
    close: async () => {},
  };
}

async function* records(
  path: string,
  name: string,
  workloads: RecordQuery['workloads'],
): AsyncGenerator<JournalRecord, void, void> {
  const wanted = new Set(workloads);
  let lineNumber = 0;
  let sequence = 0;
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    lineNumber++;
    if (line.trim() === '') continue;
    const record = parseRecord(line);
    if (!record) {
      throw new Failure('usage', `${name}:${lineNumber}: not a record of a journal.`, [
        'expected a JSON object with sequence, segment, atMs, kind, workload and body',
      ]);
    }
    if (record.sequence <= sequence) {
      throw new Failure('usage', `${name}:${lineNumber}: record ${record.sequence} comes after ${sequence}.`, [
        'records stand in the order of their sequence, each once',
      ]);
    }
    sequence = record.sequence;
    if (wanted.size === 0 || record.workload === null || wanted.has(record.workload)) yield record;
  }
}

function parseRecord(line: string): JournalRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [sequence, segment, atMs] = ['sequence', 'segment', 'atMs'].map((field) => fields.get(field));
  const kind = fields.get('kind');
  const workload = fields.get('workload') ?? null;
  if (typeof sequence !== 'number' || typeof segment !== 'number' || typeof atMs !== 'number') return null;
  if (!isJournalKind(kind) || (workload !== null && typeof workload !== 'string')) return null;
  return { sequence, segment, atMs, kind, workload, body: fields.get('body') };
}
