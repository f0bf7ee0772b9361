import type { LogLine } from '@ebb/core';
import { readFileSync, statSync } from 'node:fs';
import { readLastLines } from './lineReader.ts';
import { logPaths, rotatedPath, streams, type Stream } from './replicaLog.ts';

interface Mark {
  atMs: number;
  stdout: number;
  stderr: number;
  note: string | null;
}

interface PlacedLine {
  line: LogLine;
  /** Index of the mark that covers it: the common order of the streams. */
  mark: number;
}

/** The last `count` lines of one replica, Ebb's notes among them, oldest first. */
export function readTail(base: string, replica: string, count: number, limits?: Record<Stream, number>): LogLine[] {
  const newer = readGeneration(base, '', replica, count, limits);
  if (newer.length >= count) return newer.slice(-count);
  return [...readGeneration(base, '.1', replica, count), ...newer].slice(-count);
}

function readGeneration(
  base: string,
  suffix: '' | '.1',
  replica: string,
  count: number,
  limits?: Record<Stream, number>,
): LogLine[] {
  const paths = logPaths(base);
  const path = (name: keyof typeof paths) => (suffix === '' ? paths[name] : rotatedPath(paths[name]));
  const marks = readMarks(path('times'));
  const placed: PlacedLine[] = marks.flatMap(({ note, atMs }, mark) =>
    note === null ? [] : [{ line: { replica, atMs, stream: 'ebb' as const, text: note }, mark }],
  );
  for (const stream of streams) {
    const stat = statSync(path(stream), { throwIfNoEntry: false });
    if (!stat) continue;
    // A rotated file keeps only the end of what its marks speak of.
    const cutBytes = suffix === '' ? 0 : Math.max(0, (marks.at(-1)?.[stream] ?? 0) - stat.size);
    for (const { text, endOffset } of readLastLines(path(stream), count, limits?.[stream])) {
      const mark = firstCovering(marks, stream, endOffset + cutBytes);
      const atMs = marks[mark]?.atMs ?? Math.round(stat.mtimeMs);
      placed.push({ line: { replica, atMs, stream, text }, mark });
    }
  }
  // Of one mark: the output first, then what Ebb had to say about it.
  const rank = { stdout: 0, stderr: 1, ebb: 2 };
  placed.sort((left, right) => left.mark - right.mark || rank[left.line.stream] - rank[right.line.stream]);
  return placed.slice(-count).map(({ line }) => line);
}

function readMarks(path: string): Mark[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const fields = /^(\d+) (\d+) (\d+)(?: (.*))?$/.exec(line);
    if (!fields) return []; // The last line of a machine that lost power, at worst.
    return [{ atMs: Number(fields[1]), stdout: Number(fields[2]), stderr: Number(fields[3]), note: fields[4] ?? null }];
  });
}

/** Index of the first mark at or beyond the offset (marks never go back within a file); their count when there is none. */
function firstCovering(marks: Mark[], stream: Stream, offset: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((marks[middle]?.[stream] ?? 0) >= offset) high = middle;
    else low = middle + 1;
  }
  return low;
}
