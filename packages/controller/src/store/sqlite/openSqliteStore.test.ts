import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LedgerRow, Store } from '@ebb/core';
import { describeStoreConformance } from '@ebb/testing/conformance';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../../temporaryDirectory.fixture.ts';
import { openSqliteStore } from './openSqliteStore.ts';

const key = { cluster: 'local', namespace: 'default', name: 'upscaler' };

async function open(
  path = join(temporaryDirectory(), 'ebb.db'),
): Promise<{ store: Store; path: string; epoch: number }> {
  const store = await openSqliteStore(path);
  onTestFinished(() => store.close());
  return { store, path, epoch: await store.takeEpoch() };
}

function put(store: Store, epoch: number, document: unknown, expectedVersion?: number) {
  return store.documents.put({
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    key,
    document,
    origin: null,
    atMs: 1_000 + epoch,
    epoch,
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  });
}

describeStoreConformance('SqliteStore', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'ebb-test-')), 'ebb.db');
  const store = await openSqliteStore(path);
  const opened = [store];
  return {
    store,
    async reopen() {
      await store.close();
      const again = await openSqliteStore(path);
      opened.push(again);
      return again;
    },
    async close() {
      for (const one of opened) await one.close();
      rmSync(dirname(path), { recursive: true });
    },
  };
});

describe('documents', () => {
  it('raises the generation with the spec only, and the version with every write', async () => {
    const { store, epoch } = await open();
    const first = await put(store, epoch, { metadata: { labels: {} }, spec: { a: 1, b: { c: 2, d: 3 } } });
    expect(first).toMatchObject({ generation: 1, resourceVersion: 1, createdAtMs: 1_001 });
    const labelled = await put(store, epoch, {
      metadata: { labels: { team: 'x' } },
      spec: { b: { d: 3, c: 2 }, a: 1 },
    });
    expect(labelled).toMatchObject({ generation: 1, resourceVersion: 2, createdAtMs: 1_001 });
    const changed = await put(store, epoch, { metadata: {}, spec: { a: 1, b: { c: 2, d: 4 } } });
    expect(changed).toMatchObject({ generation: 2, resourceVersion: 3 });
    expect(await store.documents.get('Workload', key)).toEqual(changed);
  });

  it('never gives a version twice, also not to an object that was deleted and made again', async () => {
    const { store, epoch } = await open();
    const first = await put(store, epoch, { spec: 1 });
    await store.documents.delete('Workload', key, { epoch });
    const again = await put(store, epoch, { spec: 1 });
    expect(again.resourceVersion).toBeGreaterThan(first.resourceVersion);
    expect(again.generation).toBe(1);
  });

  it('refuses a stale version and changes nothing', async () => {
    const { store, epoch } = await open();
    const first = await put(store, epoch, { spec: 1 }, 0);
    await expect(put(store, epoch, { spec: 2 }, 0)).rejects.toMatchObject({ code: 'conflict' });
    const second = await put(store, epoch, { spec: 2 }, first.resourceVersion);
    await expect(put(store, epoch, { spec: 3 }, first.resourceVersion)).rejects.toMatchObject({ code: 'conflict' });
    await expect(
      store.documents.delete('Workload', key, { epoch, expectedVersion: first.resourceVersion }),
    ).rejects.toMatchObject({ code: 'conflict' });
    expect(await store.documents.list('Workload')).toEqual([second]);
    expect(await store.documents.list('NodePool')).toEqual([]);
  });

  it('deletes once', async () => {
    const { store, epoch } = await open();
    const stored = await put(store, epoch, { spec: 1 });
    expect(await store.documents.delete('Workload', key, { epoch })).toEqual(stored);
    expect(await store.documents.delete('Workload', key, { epoch })).toBeNull();
  });
});

describe('epochs', () => {
  it('refuses the writes of an older leader, also through another connection', async () => {
    const { store, path, epoch } = await open();
    await put(store, epoch, { spec: 1 });
    const { store: successor, epoch: newer } = await open(path);
    expect(newer).toBe(epoch + 1);
    await expect(put(store, epoch, { spec: 2 })).rejects.toMatchObject({ code: 'stale-epoch' });
    await expect(store.documents.delete('Workload', key, { epoch })).rejects.toMatchObject({ code: 'stale-epoch' });
    await expect(store.state.save('a', 1, epoch)).rejects.toMatchObject({ code: 'stale-epoch' });
    await successor.state.save('a', 2, newer);
    expect(await store.state.load('a')).toBe(2);
  });
});

describe('ledger and state', () => {
  const row: LedgerRow = {
    replica: 'upscaler-x7k2p',
    workload: 'local/default/upscaler',
    class: 'default',
    node: 'local',
    fromMs: 100,
    toMs: null,
    pricePerHourMicro: 360_000,
    currency: 'USD',
  };

  it('closes a row by writing it again, and finds rows by time', async () => {
    const { store } = await open();
    const later = { ...row, replica: 'upscaler-b', fromMs: 300, workload: 'local/default/other' };
    await store.ledger.write([row, later]);
    await store.ledger.write([{ ...row, toMs: 200 }]);
    expect(await store.ledger.read({})).toEqual([{ ...row, toMs: 200 }, later]);
    expect(await store.ledger.read({ fromMs: 201 })).toEqual([later]);
    expect(await store.ledger.read({ toMs: 299 })).toEqual([{ ...row, toMs: 200 }]);
    expect(await store.ledger.read({ workload: 'local/default/other' })).toEqual([later]);
  });

  it('keeps values over a restart; what is not there is null', async () => {
    const { store, path, epoch } = await open();
    await store.state.save('engine/a_b', { deep: [1, null] }, epoch);
    await store.state.save('engine/axb', 1, epoch);
    await store.state.save('other', 2, epoch);
    await store.state.drop('engine/axb');
    await store.close();
    const { store: again } = await open(path);
    expect(await again.state.load('engine/a_b')).toEqual({ deep: [1, null] });
    expect(await again.state.load('engine/axb')).toBeNull();
    expect(await again.state.names('engine/a_')).toEqual(['engine/a_b']);
  });
});
