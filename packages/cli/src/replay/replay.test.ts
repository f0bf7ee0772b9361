import type { JournalRecord } from '@ebb/core';
import { openSqliteStore } from '@ebb/controller';
import type { WorkloadInput } from '@ebb/documents';
import { VirtualSystem, workloadDocument } from '@ebb/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';

const web = 'local/default/web';
const minuteMs = 60_000;
const classes = [{ name: 'default', command: ['serve'], concurrency: 1, pricePerHour: 3.6 }];

const { at, write, ebb } = commandFolder({ env: { EBB_DATA: 'data' } });
let records: JournalRecord[] = [];
let endAt = '';

/** Three hours: a request at each full hour, of two workloads; the control plane is started anew in between. */
async function record(): Promise<JournalRecord[]> {
  const system = new VirtualSystem({ seed: 5 });
  await system.start();
  const scaling = { policy: { type: 'windows' as const }, maxReplicas: 2, keepAlive: '60s' };
  await system.apply(workloadDocument('web', { classes, scaling }), workloadDocument('other', { classes, scaling }));
  await system.clock.advance(1000);
  for (let hour = 0; hour < 3; hour++) {
    for (const name of ['web', 'other']) system.gateway.arrive(`local/default/${name}`, 500_000);
    await system.clock.advance(60 * minuteMs);
    if (hour !== 1) continue;
    await system.stop();
    await system.start();
  }
  await system.stop();
  endAt = new Date(system.clock.nowMs()).toISOString();
  return system.store.records;
}

function writeJournal(name: string, written: readonly JournalRecord[]): void {
  write(name, `${written.map((one) => JSON.stringify(one)).join('\n')}\n`);
}

function writePolicy(name: string, spec: Partial<WorkloadInput['spec']>): void {
  // JSON is YAML.
  write(name, JSON.stringify(workloadDocument('web', { classes, ...spec })));
}

beforeAll(async () => {
  records = await record();
  writeJournal('journal.jsonl', records);
});

describe('with the same policy', () => {
  test('all the same, exit 0', async () => {
    const { code, out, err } = await ebb('replay', '--journal', 'journal.jsonl');
    expect(err).toBe('');
    expect(out).toMatch(/^[\d,]+ decisions for 2 workloads of .*, all the same bit for bit\n/);
    expect(code).toBe(0);
    const json = JSON.parse((await ebb('replay', 'web', '--journal', 'journal.jsonl', '--json')).out);
    expect(json).toMatchObject({ same: true, workloads: [web], differing: 0, unverified: 0, versions: ['test'] });
    expect(json.decisions).toBeGreaterThan(20);
  });

  test('a record that says something else is named, with both decisions, exit 1', async () => {
    const changed = structuredClone(records);
    const target = changed.find(({ kind, workload, body }) => {
      return kind === 'decision' && workload === web && JSON.stringify(body).includes('gate-opens');
    });
    const body = target?.body as { decision: { classes: Record<string, number>; replicas: number } };
    body.decision.replicas = 2;
    body.decision.classes.default = 2;
    writeJournal('changed.jsonl', changed);
    const { code, out } = await ebb('replay', '--journal', 'changed.jsonl');
    expect(code).toBe(1);
    expect(out).toContain('1 record differs');
    expect(out).toContain(`${web}  record ${target?.sequence}`);
    expect(out).toMatch(/recorded {2}2 replicas\n(.*\n)? {2}now {7}1 replica\n/);
    const json = JSON.parse((await ebb('replay', '--journal', 'changed.jsonl', '--json')).out);
    expect(json).toMatchObject({ same: false, differing: 1, first: [{ sequence: target?.sequence, matches: false }] });
  });

  test('a broken file is refused with its line', async () => {
    write('broken.jsonl', `${JSON.stringify(records[0])}\n{"sequence": 2}\n`);
    const { code, err } = await ebb('replay', '--journal', 'broken.jsonl');
    expect(code).toBe(2);
    expect(err).toContain('broken.jsonl:2: not a record of a journal');
    writeJournal('twice.jsonl', [...records.slice(0, 3), ...records.slice(0, 3)]);
    expect((await ebb('replay', '--journal', 'twice.jsonl')).err).toContain('twice.jsonl:4: record 1 comes after 3');
    expect((await ebb('replay', '--journal', 'none.jsonl')).err).toContain('there is no file "none.jsonl"');
    expect((await ebb('replay', 'webb', '--journal', 'journal.jsonl')).code).toBe(1);
  });
});

describe('with another policy', () => {
  test('the figures stand side by side and can be reckoned by hand', async () => {
    // A minute more of keep-alive for three requests, at 3.6 an hour: 180 replica-seconds and 0.18.
    writePolicy('longer.yaml', { scaling: { maxReplicas: 2, keepAlive: '120s' } });
    const words = ['replay', 'web', '--journal', 'journal.jsonl', '--policy', 'longer.yaml', '--until', endAt];
    const { comparisons } = JSON.parse((await ebb(...words, '--json')).out);
    const [{ recorded, same, other, openLoop, differing, workload }] = comparisons;
    expect({ openLoop, differing, workload }).toEqual({ openLoop: true, differing: 0, workload: web });
    expect(other.replicaMs - same.replicaMs).toBe(180_000);
    expect(Number(other.costMicro) - Number(same.costMicro)).toBeCloseTo(180_000, -1);
    expect(Math.abs(same.replicaMs - recorded.replicaMs)).toBeLessThan(20);
    expect(same).toMatchObject({ starts: 3, mostReplicas: 1, shortfalls: 3 });
    expect(other).toMatchObject({ starts: 3, mostReplicas: 1, shortfalls: 3 });
    const { code, out } = await ebb(...words);
    expect(code).toBe(0);
    expect(out).toMatch(/AS RECORDED {2}SAME POLICY\* {2}OTHER POLICY\*/);
    expect(out).toMatch(/replica-seconds +\d+\.\d +\d+\.\d +\d+\.\d/);
    expect(out).toContain('* Open loop');
  });

  test('one that is always on is never short', async () => {
    writePolicy('always.yaml', { scaling: { minReplicas: 1, maxReplicas: 2 } });
    const words = ['replay', '--journal', 'journal.jsonl', '--policy', 'always.yaml', '--json'];
    const [{ other, fromMs, toMs }] = JSON.parse((await ebb(...words)).out).comparisons;
    expect(other).toMatchObject({ zeroMs: 0, mostReplicas: 1, replicaMs: toMs - fromMs });
    // No end was given: it ends with the journal.
    expect(toMs).toBe(Math.max(...records.map(({ atMs }) => atMs)));
  });

  test('other classes are refused', async () => {
    writePolicy('gpu.yaml', { classes: [{ name: 'gpu', command: ['serve'] }] });
    const { code, err } = await ebb('replay', '--journal', 'journal.jsonl', '--policy', 'gpu.yaml');
    expect(code).toBe(1);
    expect(err).toContain('its classes were default; those of the policy are gpu');
  });
});

test('without a running Ebb the database is read, from the snapshot before the time asked for', async () => {
  const store = await openSqliteStore(at('ebb.db'));
  await store.journal.append(records);
  await store.close();
  const lastMs = records.at(-1)?.atMs ?? 0;
  const since = new Date(lastMs - 30 * minuteMs).toISOString();
  for (const words of [['web'], []]) {
    const { code, out, err } = await ebb('replay', ...words, '--data', '.', '--since', since, '--json');
    expect(err).toContain('reading its database');
    expect(code).toBe(1);
    expect(JSON.parse(out).error.message).toContain('has no decisions');
    const early = new Date(lastMs - 90 * minuteMs).toISOString();
    const found = await ebb('replay', ...words, '--data', '.', '--since', early, '--json');
    expect(found.code).toBe(0);
    const json = JSON.parse(found.out);
    expect(json).toMatchObject({ same: true, versions: ['test'] });
    expect(json.fromMs).toBeGreaterThan(lastMs - 90 * minuteMs);
  }
  // What was exported replays by itself.
  const exported = await ebb('journal', 'export', 'web', '--data', '.', '--since', '2020-01-01');
  write('exported.jsonl', exported.out);
  expect(exported.out.trim().split('\n').length).toBeGreaterThan(20);
  const again = JSON.parse((await ebb('replay', '--journal', 'exported.jsonl', '--json')).out);
  expect(again).toMatchObject({ same: true, workloads: [web] });
});
