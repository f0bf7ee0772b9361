import type { RunObservation } from '@ebb/core';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runOf } from '../testing/agentUnderTest.ts';
import { type LiveRun, RunRecords } from './runRecords.ts';

let folder: string;
let unreadable: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-records-'));
  unreadable = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const seenOf = (id: string, change: Partial<RunObservation> = {}): RunObservation => ({
  id,
  owner: runOf('', []).owner,
  phase: 'starting',
  pid: null,
  exitCode: null,
  message: 'about to start',
  failure: null,
  startedAtMs: 1000,
  endedAtMs: null,
  ...change,
});

const liveOf = (id: string): LiveRun => ({
  start: runOf(id, ['node', 'a.mjs'], { env: { TOKEN: 'x' } }),
  process: null,
  verdict: null,
  anchor: { askedAtMs: 1000, askedAtUs: 70_000 },
  gpus: null,
});

const load = (bootId = 'boot-1') => {
  const records = new RunRecords(folder, bootId).load((_file, reason) => unreadable.push(reason));
  return records.sort((left, right) => left.seen.id.localeCompare(right.seen.id));
};

it('come back as they were noted last, and not after they were dropped', () => {
  const records = new RunRecords(folder, 'boot-1');
  for (const id of ['a', 'b/../../x', 'c']) records.create(seenOf(id), liveOf(id));
  const process = { pid: 12, startTicks: 99, spawnedAtUs: 76_000 };
  const running = seenOf('a', { phase: 'running', pid: 12 });
  const gpus = { devices: ['MIG-1'], taken: { kind: 'mig' as const }, env: { CUDA_VISIBLE_DEVICES: 'MIG-1' } };
  records.save(running, { ...liveOf('a'), process, gpus });
  const ended = seenOf('c', { phase: 'failed', exitCode: 3, failure: 'exit', endedAtMs: 2000 });
  records.save(ended, null);
  expect(load()).toEqual([
    { seen: running, live: { ...liveOf('a'), process, gpus }, earlierBoot: false },
    { seen: seenOf('b/../../x'), live: liveOf('b/../../x'), earlierBoot: false },
    { seen: ended, live: null, earlierBoot: false },
  ]);
  expect(statSync(join(folder, 'a.run')).mode & 0o077).toBe(0);
  records.drop('a');
  records.drop('a');
  expect(load().map(({ seen }) => seen.id)).toEqual(['b/../../x', 'c']);
  expect(readdirSync(folder)).toHaveLength(2);
});

it('are shared with the wrapper, whose lines they do not mix with theirs, cut off or not', () => {
  const records = new RunRecords(folder, 'boot-1');
  records.create(seenOf('a'), liveOf('a'));
  expect(records.readStatus('a')).toMatchObject({ pid: null, end: null });
  const note = (text: string) => appendFileSync(join(folder, 'a.run'), text);
  note('\npid 12\n{"seen":{"id":"a","phase":"run');
  expect(records.readStatus('a')).toMatchObject({ pid: 12, end: null });
  note('\nKilled\n\nexit 137');
  expect(records.readStatus('a')).toMatchObject({ pid: 12, end: null });
  note('\n');
  expect(records.readStatus('a')?.end).toMatchObject({ message: 'ended by SIGKILL' });
  records.save(seenOf('a', { phase: 'stopping' }), liveOf('a'));
  expect(records.readStatus('a')?.end).toMatchObject({ message: 'ended by SIGKILL' });
  expect(load()[0]?.seen.phase).toBe('stopping');
  expect(records.readStatus('missing')).toBeNull();
});

it('of an earlier boot keep their results, but no pids', () => {
  const records = new RunRecords(folder, 'boot-1');
  records.create(seenOf('a'), liveOf('a'));
  const process = { pid: 12, startTicks: 99, spawnedAtUs: 76_000 };
  records.save(seenOf('a', { phase: 'running', pid: 12 }), { ...liveOf('a'), process });
  records.create(seenOf('b'), liveOf('b'));
  const ended = seenOf('b', { phase: 'succeeded', exitCode: 0, endedAtMs: 5 });
  records.save(ended, null);
  const [running, result] = load('boot-2');
  expect(running).toMatchObject({ earlierBoot: true, live: { process: null } });
  expect(result).toEqual({ seen: ended, live: null, earlierBoot: true });
});

it('that were made by hand are named and left alone', () => {
  const records = new RunRecords(folder, 'boot-1');
  records.create(seenOf('a'), liveOf('a'));
  writeFileSync(join(folder, 'cut.run'), '\n{"format":1,"boo');
  records.create(seenOf('odd'), liveOf('odd'));
  appendFileSync(
    join(folder, 'odd.run'),
    '{"seen":{"id":"odd","owner":{"cluster":"","namespace":"","name":""},"phase":"asleep"}}\n',
  );
  records.create(seenOf('newer'), liveOf('newer'));
  appendFileSync(join(folder, 'newer.run'), '{"format":2}\n');
  expect(load().map(({ seen }) => seen.id)).toEqual(['a']);
  expect(unreadable.sort()).toEqual([
    'record.format: not a number of at least 1',
    'record.format: only 1 is known',
    'record.seen.phase: unknown phase',
  ]);
  expect(readdirSync(folder)).toHaveLength(4);
});
