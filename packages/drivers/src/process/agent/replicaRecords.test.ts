import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startOf } from '../testing/agentUnderTest.ts';
import { type ReplicaRecord, ReplicaRecords } from './replicaRecords.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-records-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function record(id: string): ReplicaRecord {
  const { workload, class: className, revision, node, ...start } = startOf(id, ['node', 'a.mjs']);
  const limits = { memoryBytes: 5 };
  const requests = { ...start.resources.requests, gpuMemoryBytes: 4096, gpuMig: { profile: '1g.5gb', count: 2 } };
  return {
    start: { ...start, workload, class: className, revision, node, resources: { requests, limits } },
    seen: {
      id,
      workload,
      class: className,
      revision,
      node,
      phase: 'unready',
      endpoint: { host: '127.0.0.1', port: 20_001 },
      pid: 12,
      restarts: 2,
      message: 'readiness probe: timeout',
      failure: null,
      askedAtMs: 1000,
      readyAtMs: 1500,
      readyAtUs: 77_000,
      stagesUs: { askToSpawn: 1, spawnToListen: 2, listenToReady: null },
    },
    process: { pid: 12, startTicks: 99, port: 20_001, spawnedAtUs: 76_000 },
    history: { crashesInARow: 2, starts: 3, everReady: true },
    anchor: { askedAtMs: 1000, askedAtUs: 70_000 },
    gpus: {
      devices: ['GPU-1'],
      taken: { kind: 'share', gpuMilli: 500, memoryBytes: 4096 },
      env: { CUDA_VISIBLE_DEVICES: 'GPU-1' },
    },
  };
}

const unreadable: string[] = [];
const load = (bootId: string) => new ReplicaRecords(folder, bootId).load((_file, reason) => unreadable.push(reason));

it('come back as they were saved, and not after they were dropped', () => {
  const records = new ReplicaRecords(folder, 'boot-1');
  records.save(record('a'));
  records.save({ ...record('b/../../x'), process: null });
  const names = load('boot-1').sort((left, right) => left.start.id.localeCompare(right.start.id));
  expect(names).toEqual([record('a'), { ...record('b/../../x'), process: null }]);
  expect(readdirSync(folder)).toHaveLength(2);
  expect(statSync(join(folder, 'a.json')).mode & 0o077).toBe(0);
  records.drop('a');
  records.drop('a');
  expect(load('boot-1').map(({ start }) => start.id)).toEqual(['b/../../x']);
});

it('of an earlier version, which knew no GPUs, have none', () => {
  const { gpus: _, ...older } = record('a');
  writeFileSync(join(folder, 'a.json'), JSON.stringify({ format: 1, bootId: 'boot-1', ...older }));
  expect(load('boot-1').map(({ gpus }) => gpus)).toEqual([null]);
});

it('of an earlier boot are removed: their pids mean nothing', () => {
  new ReplicaRecords(folder, 'boot-1').save(record('a'));
  expect(load('boot-2')).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

it('that were cut off or made by hand are named and left alone', () => {
  const records = new ReplicaRecords(folder, 'boot-1');
  records.save(record('a'));
  const text = readFileSync(join(folder, 'a.json'), 'utf8');
  writeFileSync(join(folder, 'cut.json'), text.slice(0, 100));
  writeFileSync(join(folder, 'odd.json'), text.replace('"unready"', '"asleep"'));
  writeFileSync(join(folder, 'newer.json'), text.replace('"format":1', '"format":2'));
  writeFileSync(join(folder, 'a.json.new'), 'half');
  unreadable.length = 0;
  expect(load('boot-1').map(({ start }) => start.id)).toEqual(['a']);
  expect(unreadable).toHaveLength(3);
  expect(unreadable).toContain('record.format: only 1 is known');
  expect(unreadable).toContain('record.seen.phase: unknown phase');
  expect(readdirSync(folder).sort()).toEqual(['a.json', 'cut.json', 'newer.json', 'odd.json']);
});
