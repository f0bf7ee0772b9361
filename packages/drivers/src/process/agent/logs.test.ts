import type { LogLine } from '@ebb/core';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLastLines } from './lineReader.ts';
import { LogFiles } from './logFiles.ts';
import { readTail } from './logTail.ts';
import { ReplicaLog } from './replicaLog.ts';

let folder: string;
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-logs-'));
  nowMs = 1000;
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const brief = (lines: LogLine[]) => lines.map(({ atMs, stream, text }) => `${atMs} ${stream} ${text}`);

const numbers = (lines: string[]) => lines.map((line) => Number.parseInt(line, 10));
const tail = (count: number) => brief(readTail(join(folder, 'r'), 'r', count));

function open() {
  const log = new ReplicaLog(join(folder, 'r'), 'r', () => nowMs);
  const files = log.open();
  return {
    log,
    out: (text: string) => writeSync(files.stdout, text),
    err: (text: string) => writeSync(files.stderr, text),
  };
}

describe('readLastLines', () => {
  it('reads backwards over blocks, whole lines first', () => {
    const path = join(folder, 'a');
    const all = Array.from({ length: 30_000 }, (_, index) => `line ${index} ${'é'.repeat(index % 40)}`);
    appendFileSync(path, `${all.join('\n')}\nunfinished`);
    for (const count of [1, 2, 777, 29_999, 30_001, 50_000]) {
      const lines = readLastLines(path, count);
      expect(lines.map(({ text }) => text)).toEqual([...all, 'unfinished'].slice(-count));
      expect(lines.at(-1)?.endOffset).toBe(statSync(path).size);
    }
    expect(readLastLines(path, 2, 7 + 8).map(({ text }) => text)).toEqual(all.slice(0, 1));
    expect(readLastLines(join(folder, 'missing'), 5)).toEqual([]);
  });

  it('cuts a line that nobody would read', () => {
    const path = join(folder, 'a');
    appendFileSync(path, `${'x'.repeat(200_000)}\nend\n`);
    const [long, end] = readLastLines(path, 2);
    expect(long?.text).toBe(`${'x'.repeat(16_384)} … (183616 more bytes)`);
    expect(end?.text).toBe('end');
  });
});

describe('the log of a replica', () => {
  it('has the time and the order in which the lines were seen', () => {
    const { log, out, err } = open();
    log.note('started', null);
    out('one\n');
    nowMs = 1200;
    log.poll(null);
    err('oops\n');
    nowMs = 1400;
    log.poll(null);
    out('two\nthr');
    nowMs = 1600;
    log.note('exit code 1', null);
    expect(tail(10)).toEqual([
      '1000 ebb started',
      '1200 stdout one',
      '1400 stderr oops',
      '1600 stdout two',
      '1600 stdout thr',
      '1600 ebb exit code 1',
    ]);
    expect(tail(2)).toEqual(['1600 stdout thr', '1600 ebb exit code 1']);
  });

  it('is bounded by rotation, and neither a tail nor a follower misses a line over it', () => {
    const { log, out } = open();
    const followed: string[] = [];
    const emit = ({ text }: LogLine) => followed.push(text);
    log.note('started', emit);
    const padding = 'x'.repeat(990);
    for (let round = 0; round < 50; round++) {
      for (let line = 0; line < 100; line++) out(`${round * 100 + line} ${padding}\n`);
      nowMs += 200;
      log.poll(emit);
    }
    expect(numbers(followed.slice(1))).toEqual(Array.from({ length: 5000 }, (_, index) => index));
    const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    expect(bytes).toBeLessThan(5 * 1024 * 1024);
    const last = readTail(join(folder, 'r'), 'r', 2500);
    expect(numbers(last.map(({ text }) => text))).toEqual(Array.from({ length: 2500 }, (_, index) => 2500 + index));
    for (const { atMs, text } of last) expect(atMs).toBe(1200 + 200 * Math.floor(Number.parseInt(text, 10) / 100));
  });
});

describe('logs of a workload', () => {
  const workload = { cluster: 'local', namespace: 'default', name: 'hello' };
  const key = 'local/default/hello';

  it('are followed without a gap or a repetition, also of replicas to come', () => {
    const logs = new LogFiles(folder, () => nowMs);
    const first = logs.open(workload, 'a');
    const out = first.log.open();
    first.note('started');
    writeSync(out.stdout, 'before\nhalf');
    const early: string[] = [];
    const late: string[] = [];
    const endEarly = logs.follow({ workload: key, replica: null, tailLines: 10 }, (line) => early.push(line.text));
    writeSync(out.stdout, ' done\n');
    const endLate = logs.follow({ workload: key, replica: 'a', tailLines: 1 }, (line) => late.push(line.text));
    const second = logs.open(workload, 'b');
    const other = second.log.open();
    writeSync(other.stderr, 'of b\n');
    second.note('ready');
    logs.open({ ...workload, name: 'other' }, 'c').note('not asked for');
    writeSync(out.stdout, 'last\n');
    logs.close('a');
    endEarly();
    second.note('not told any more');
    expect(early).toEqual(['started', 'before', 'half done', 'of b', 'ready', 'last']);
    expect(late).toEqual(['half done', 'last']);
    endLate();
    logs.end();
    const all = logs.tail({ workload: key, replica: null, tailLines: 3 });
    expect(all).toHaveLength(3);
    expect(logs.lastOutput(workload, 'a', 2)).toEqual(['half done', 'last']);
    out.close();
    other.close();
  });

  it('of ended replicas are kept, ten of them', () => {
    const logs = new LogFiles(folder, () => nowMs);
    for (let index = 0; index < 15; index++) {
      logs.open(workload, `r${index}`).note('started');
      utimesSync(join(folder, 'default/hello', `r${index}.times`), index, index);
      logs.close(`r${index}`);
    }
    const kept = logs.tail({ workload: key, replica: null, tailLines: 100 }).map(({ replica }) => replica);
    expect(new Set(kept)).toEqual(new Set(Array.from({ length: 10 }, (_, index) => `r${index + 5}`)));
    expect(existsSync(join(folder, 'default/hello/r4.stdout.log'))).toBe(false);
    logs.end();
  });

  it('stay within their folder whatever the names are', () => {
    const logs = new LogFiles(join(folder, 'logs'), () => nowMs);
    logs.open({ cluster: 'c', namespace: '..', name: '../..' }, '../../../x').note('started');
    logs.end();
    expect(readdirSync(folder)).toEqual(['logs']);
    expect(logs.tail({ workload: 'c/../../../..', replica: '../../../x', tailLines: 5 })).toHaveLength(0);
  });
});
