import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../temporaryDirectory.fixture.ts';
import { type Connections, NewerDatabaseError, openDatabase } from './database.ts';
import { migrations } from './migrations.ts';
import { openSqliteStore } from './openSqliteStore.ts';

function open(path: string, own = migrations): Connections {
  const connections = openDatabase(path, own);
  onTestFinished(() => close(connections));
  return connections;
}

function close({ durable, relaxed }: Connections): void {
  if (durable.isOpen) durable.close();
  if (relaxed.isOpen) relaxed.close();
}

const extra = [
  ...migrations,
  { version: migrations.length + 1, name: 'another', sql: 'CREATE TABLE another (a INTEGER) STRICT' },
];

describe('openDatabase', () => {
  it('makes files for the owner only, in a folder for the owner only', () => {
    const folder = join(temporaryDirectory(), 'data');
    const path = join(folder, 'ebb.db');
    open(path).relaxed.exec("INSERT INTO state (name, value) VALUES ('a', '1')");
    const modes = [folder, path, `${path}-wal`, `${path}-shm`].map((file) => statSync(file).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600, 0o600, 0o600]);
  });

  it('takes the rights of others back', () => {
    const path = join(temporaryDirectory(), 'ebb.db');
    close(open(path));
    chmodSync(path, 0o644);
    open(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('numbers its migrations from 1 without gaps', () => {
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
  });

  it('brings an older database to the new format and keeps what is in it', () => {
    const path = join(temporaryDirectory(), 'ebb.db');
    const old = open(path);
    old.relaxed.exec("INSERT INTO state (name, value) VALUES ('a', '1')");
    close(old);
    const { durable } = open(path, extra);
    expect(durable.prepare('SELECT value FROM state').get()).toEqual({ value: '1' });
    expect(durable.prepare('SELECT count(*) AS count FROM another').get()).toEqual({ count: 0 });
  });

  it('leaves the database as it was when a migration fails', () => {
    const path = join(temporaryDirectory(), 'ebb.db');
    close(open(path));
    const broken = [
      ...migrations,
      { version: migrations.length + 1, name: 'broken', sql: 'CREATE TABLE half (a); CREATE TABLE half (a)' },
    ];
    expect(() => openDatabase(path, broken)).toThrow(/half/);
    const { durable } = open(path);
    expect(durable.prepare("SELECT name FROM sqlite_schema WHERE name = 'half'").get()).toBeUndefined();
  });

  it('refuses a database of a newer Ebb and does not touch it', () => {
    const path = join(temporaryDirectory(), 'ebb.db');
    close(open(path, extra));
    const before = readFileSync(path);
    expect(() => openDatabase(path)).toThrow(NewerDatabaseError);
    expect(() => openDatabase(path)).toThrow(
      new RegExp(`newer Ebb .*format is ${migrations.length + 1}.*up to ${migrations.length}`),
    );
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("refuses another program's database", async () => {
    const path = join(temporaryDirectory(), 'other.db');
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE theirs (a)');
    other.close();
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(path),
    });
  });

  it('names the file that is not a database', async () => {
    const path = join(temporaryDirectory(), 'ebb.db');
    writeFileSync(path, 'these are not the bytes you are looking for\n'.repeat(200));
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(path),
    });
  });

  it('notices a damaged page of the documents at the start', async () => {
    const path = join(temporaryDirectory(), 'ebb.db');
    const store = await openSqliteStore(path);
    const epoch = await store.takeEpoch();
    for (let index = 0; index < 200; index++) {
      const key = { cluster: 'local', namespace: 'default', name: `w${index}` };
      const document = { spec: { text: `marker ${'x'.repeat(400)}` } };
      await store.documents.put({ apiVersion: 'v', kind: 'Workload', key, document, origin: null, atMs: 1, epoch });
    }
    await store.close();
    const bytes = readFileSync(path);
    const page = Math.floor(bytes.indexOf('marker', bytes.length / 2) / 4096) * 4096;
    expect(page).toBeGreaterThan(0);
    bytes.fill(0x5a, page, page + 4096);
    writeFileSync(path, bytes);
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(path),
    });
  });

  it('says when another program holds the file', async () => {
    const path = join(temporaryDirectory(), 'ebb.db');
    const store = await openSqliteStore(path);
    onTestFinished(() => store.close());
    const epoch = await store.takeEpoch();
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    const key = { cluster: 'local', namespace: 'default', name: 'a' };
    const input = { apiVersion: 'v', kind: 'Workload', key, document: {}, origin: null, atMs: 1, epoch };
    await expect(store.documents.put(input)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(path),
    });
    other.exec('ROLLBACK');
    expect((await store.documents.put(input)).resourceVersion).toBe(1);
  });
});
