import { type JournalRecord, type LedgerRow, type NodeLedgerRow, type Store, StoreError } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../random.ts';

export interface StoreUnderTest {
  store: Store;
  /** The same contents in a new Store, as after a restart; left out where nothing lasts. */
  reopen?(): Promise<Store>;
  close?(): Promise<void>;
}

const key: ObjectKey = { cluster: 'local', namespace: 'default', name: 'web' };

/** What the engine relies on in a Store. */
export function describeStoreConformance(name: string, create: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  describe(`${name} is a Store`, () => {
    let under: StoreUnderTest;
    let epoch: number;
    beforeEach(async () => {
      under = await create();
      epoch = await under.store.takeEpoch();
    });
    afterEach(async () => under.close?.());

    const put = (
      document: unknown,
      more: { expectedVersion?: number; epoch?: number; key?: ObjectKey; kind?: string } = {},
    ) =>
      under.store.documents.put({
        apiVersion: 'ebb.dev/v1alpha1',
        kind: more.kind ?? 'Workload',
        key: more.key ?? key,
        document,
        origin: '/tmp/web.yaml',
        atMs: 1000,
        epoch: more.epoch ?? epoch,
        ...(more.expectedVersion === undefined ? {} : { expectedVersion: more.expectedVersion }),
      });

    describe('documents', () => {
      it('gives back what was put, by kind and key', async () => {
        const stored = await put({ spec: { a: 1 }, metadata: { labels: { x: 'ü' } } });
        expect(stored).toMatchObject({
          kind: 'Workload',
          key,
          origin: '/tmp/web.yaml',
          generation: 1,
          createdAtMs: 1000,
        });
        expect(await under.store.documents.get('Workload', key)).toEqual(stored);
        expect(await under.store.documents.get('Cluster', key)).toBeNull();
        expect(await under.store.documents.get('Workload', { ...key, namespace: 'other' })).toBeNull();
        await put({ spec: {} }, { kind: 'Cluster' });
        expect(await under.store.documents.list('Workload')).toEqual([stored]);
        expect((await under.store.documents.list()).length).toBe(2);
      });

      it('raises the version with each put and the generation with each change of the spec', async () => {
        const first = await put({ spec: { a: 1 } });
        const labelled = await put({ spec: { a: 1 }, metadata: { labels: { x: 'y' } } });
        const changed = await put({ spec: { a: 2 } });
        expect(labelled.resourceVersion).toBeGreaterThan(first.resourceVersion);
        expect(changed.resourceVersion).toBeGreaterThan(labelled.resourceVersion);
        expect([first, labelled, changed].map((stored) => stored.generation)).toEqual([1, 1, 2]);
      });

      it('refuses a stale version and changes nothing then', async () => {
        const first = await put({ spec: { a: 1 } });
        const second = await put({ spec: { a: 2 } }, { expectedVersion: first.resourceVersion });
        await expect(put({ spec: { a: 3 } }, { expectedVersion: first.resourceVersion })).rejects.toMatchObject({
          code: 'conflict',
        });
        await expect(
          under.store.documents.delete('Workload', key, { expectedVersion: first.resourceVersion, epoch }),
        ).rejects.toBeInstanceOf(StoreError);
        expect(await under.store.documents.get('Workload', key)).toEqual(second);
      });

      it('deletes once, and begins anew after that', async () => {
        const first = await put({ spec: { a: 1 } });
        expect(await under.store.documents.delete('Workload', key, { epoch })).toEqual(first);
        expect(await under.store.documents.delete('Workload', key, { epoch })).toBeNull();
        const again = await put({ spec: { a: 1 } });
        expect(again.generation).toBe(1);
        expect(again.resourceVersion).toBeGreaterThan(first.resourceVersion);
      });
    });

    it('gives rising epochs and refuses writes of older ones', async () => {
      const next = await under.store.takeEpoch();
      expect(next).toBeGreaterThan(epoch);
      await expect(put({ spec: {} })).rejects.toMatchObject({ code: 'stale-epoch' });
      await expect(under.store.state.save('x', 1, epoch)).rejects.toMatchObject({ code: 'stale-epoch' });
      await expect(under.store.documents.delete('Workload', key, { epoch })).rejects.toMatchObject({
        code: 'stale-epoch',
      });
      await put({ spec: {} }, { epoch: next });
    });

    const record = (sequence: number, more: Partial<JournalRecord> = {}): JournalRecord => ({
      sequence,
      segment: 1,
      atMs: 1000 + sequence,
      kind: 'event',
      workload: 'local/default/web',
      body: { n: sequence, nested: [null, true, 'ü'] },
      ...more,
    });

    it('lets the other writes through that are made together with those that it refuses', async () => {
      const { state, journal } = under.store;
      const next = await under.store.takeEpoch();
      const results = await Promise.allSettled([
        state.save('a', 1, next),
        state.save('b', 1, epoch),
        journal.append([record(1)]),
        journal.append([record(7)]),
        journal.append([record(2)]),
        journal.append([record(3), record(5)]),
      ]);
      expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, false, true, false]);
      expect(
        results.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : [])),
      ).toEqual(['stale-epoch', 'corrupt', 'corrupt']);
      expect(await journal.head()).toEqual({ sequence: 2, segment: 1 });
      expect(await state.names('')).toEqual(['a']);
    });

    describe('journal', () => {
      it('begins at zero and gives back what was appended, in order', async () => {
        const { journal } = under.store;
        expect(await journal.head()).toEqual({ sequence: 0, segment: 0 });
        await Promise.all([journal.append([record(1), record(2)]), journal.append([record(3, { segment: 2 })])]);
        expect(await journal.head()).toEqual({ sequence: 3, segment: 2 });
        expect(await journal.read({})).toEqual([record(1), record(2), record(3, { segment: 2 })]);
      });

      it('reads by sequence, workload, time and kind, newest first and limited', async () => {
        const { journal } = under.store;
        const records = [1, 2, 3, 4, 5, 6].map((sequence) =>
          record(sequence, {
            workload: sequence === 4 ? null : sequence % 2 === 0 ? 'local/default/web' : 'local/default/other',
            kind: sequence === 6 ? 'decision' : 'reading',
          }),
        );
        await journal.append(records);
        const sequences = async (range: Parameters<typeof journal.read>[0]) =>
          (await journal.read(range)).map((one) => one.sequence);
        expect(await sequences({ fromSequence: 5 })).toEqual([5, 6]);
        expect(await sequences({ workload: 'local/default/web' })).toEqual([2, 6]);
        expect(await sequences({ fromMs: 1002, toMs: 1004 })).toEqual([2, 3, 4]);
        expect(await sequences({ kinds: ['decision', 'grant'] })).toEqual([6]);
        expect(await sequences({ newestFirst: true, limit: 2 })).toEqual([6, 5]);
        expect(await sequences({ toMs: 1005, kinds: ['reading'], newestFirst: true, limit: 1 })).toEqual([5]);
      });

      it('reads any range as a plain filter would', async () => {
        const { journal } = under.store;
        const kinds = ['event', 'decision', 'grant'] as const;
        const all = Array.from({ length: 60 }, (_, index) =>
          record(index + 1, {
            atMs: (index + 1) * 10,
            kind: kinds[index % 3] ?? 'event',
            workload: index % 4 === 0 ? null : `local/default/w${index % 4}`,
          }),
        );
        await journal.append(all);
        const bound = fc.option(fc.integer({ min: 0, max: 650 }), { nil: undefined });
        const queries = fc.record({
          fromSequence: bound,
          workload: fc.option(fc.constantFrom('local/default/w1', 'local/default/w9'), { nil: undefined }),
          fromMs: bound,
          toMs: bound,
          kinds: fc.option(fc.subarray([...kinds]), { nil: undefined }),
          limit: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
          newestFirst: fc.option(fc.boolean(), { nil: undefined }),
        });
        await fc.assert(
          fc.asyncProperty(queries, async (query) => {
            const range = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
            const { fromSequence = 0, fromMs = 0, toMs = Infinity, limit = Infinity } = query;
            const wanted = all.filter(
              (one) =>
                one.sequence >= fromSequence &&
                one.atMs >= fromMs &&
                one.atMs <= toMs &&
                (query.workload === undefined || one.workload === query.workload) &&
                (query.kinds === undefined || query.kinds.some((kind) => kind === one.kind)),
            );
            if (query.newestFirst) wanted.reverse();
            expect(await journal.read(range)).toEqual(wanted.slice(0, limit));
          }),
          { numRuns: 200 },
        );
      });

      it('reads what was appended and may not be kept yet', async () => {
        const { journal } = under.store;
        const appended = journal.append([record(1), record(2)]);
        expect(await journal.head()).toEqual({ sequence: 2, segment: 1 });
        expect((await journal.read({})).map(({ sequence }) => sequence)).toEqual([1, 2]);
        await appended;
      });

      it('takes the record as it was when it was appended', async () => {
        const { journal } = under.store;
        const body = { replicas: 1 };
        const appended = journal.append([record(1, { body })]);
        body.replicas = 2;
        await appended;
        expect((await journal.read({}))[0]?.body).toEqual({ replicas: 1 });
      });

      it('refuses a gap', async () => {
        const { journal } = under.store;
        await journal.append([record(5)]);
        await expect(journal.append([record(7)])).rejects.toMatchObject({ code: 'corrupt' });
        await expect(journal.append([record(6), record(8)])).rejects.toMatchObject({ code: 'corrupt' });
        await journal.append([record(6)]);
        expect((await journal.read({})).map(({ sequence }) => sequence)).toEqual([5, 6]);
      });

      it('trims whole segments from the oldest on, by age and by size, and keeps the newest', async () => {
        const { journal } = under.store;
        // Not alike in itself: a store may keep its bodies packed.
        const random = new SeededRandom(1);
        const body = Array.from({ length: 100 }, () => random.next().toString(36).slice(2, 12)).join('');
        await journal.append([1, 2, 3].map((sequence) => record(sequence, { segment: 1, atMs: 1000, body })));
        await journal.append([4, 5].map((sequence) => record(sequence, { segment: 2, atMs: 2000, body })));
        await journal.append([record(6, { segment: 3, atMs: 3000, body })]);
        expect(await journal.trim({ olderThanMs: 500, maxBytes: 1e9 })).toBe(0);
        expect(await journal.trim({ olderThanMs: 1500, maxBytes: 1e9 })).toBe(3);
        expect((await journal.read({})).map((one) => one.sequence)).toEqual([4, 5, 6]);
        await journal.trim({ olderThanMs: 0, maxBytes: 1500 });
        expect((await journal.read({})).map((one) => one.sequence)).toEqual([6]);
        await journal.trim({ olderThanMs: 1e12, maxBytes: 1 });
        expect(await journal.head()).toEqual({ sequence: 6, segment: 3 });
      });

      it('trims long segments as a whole, and goes on after it', async () => {
        const { journal } = under.store;
        const inSegments = Array.from({ length: 3000 }, (_, index) =>
          record(index + 1, { segment: Math.floor(index / 1500) + 1, atMs: (index + 1) * 10 }),
        );
        await journal.append(inSegments);
        await journal.append([record(3001, { segment: 3, atMs: 30_010 })]);
        expect(await journal.trim({ olderThanMs: 0, maxBytes: 1e9 })).toBe(0);
        expect(await journal.trim({ olderThanMs: 15_001, maxBytes: 1e9 })).toBe(1500);
        expect((await journal.read({ limit: 1 }))[0]?.sequence).toBe(1501);
        expect(await journal.trim({ olderThanMs: 0, maxBytes: 10 })).toBe(1500);
        expect(await journal.trim({ olderThanMs: Number.MAX_SAFE_INTEGER, maxBytes: 0 })).toBe(0);
        expect(await journal.head()).toEqual({ sequence: 3001, segment: 3 });
        await journal.append([record(3002, { segment: 3, atMs: 30_020 })]);
      });
    });

    describe('ledger', () => {
      const row = (replica: string, fromMs: number, toMs: number | null): LedgerRow => ({
        replica,
        workload: 'local/default/web',
        class: 'default',
        node: 'local',
        fromMs,
        toMs,
        pricePerHourMicro: 360_000,
        currency: 'USD',
      });

      it('keeps one row a replica, which a later write closes', async () => {
        const { ledger } = under.store;
        await ledger.write([row('a', 1000, null), row('b', 2000, null)]);
        await ledger.write([row('a', 1000, 5000)]);
        expect(await ledger.read({})).toEqual([row('a', 1000, 5000), row('b', 2000, null)]);
        expect(await ledger.read({ workload: 'local/default/none' })).toEqual([]);
      });

      it('knows how the machine was rented, where that was said', async () => {
        const { ledger } = under.store;
        const spot = { ...row('a', 1000, null), capacityType: 'spot' as const };
        await ledger.write([spot, row('b', 1000, null)]);
        expect(await ledger.read({})).toEqual([spot, row('b', 1000, null)]);
      });

      it('keeps a row of each node, which a later write replaces', async () => {
        const { ledger } = under.store;
        const node = (name: string, fromMs: number, toMs: number | null): NodeLedgerRow => ({
          node: name,
          pool: 'gpu',
          instanceType: 'g5.xlarge',
          capacityType: 'spot',
          fromMs,
          toMs,
          pricePerHourMicro: 402_400,
          currency: 'USD',
          allocatable: { cpuMilli: 3600, memoryBytes: 15_000_000_000, gpuMilli: 1000 },
        });
        await ledger.writeNodes([node('a', 1000, null), node('b', 3000, null)]);
        await ledger.writeNodes([node('a', 1000, 2000)]);
        expect(await ledger.readNodes({})).toEqual([node('a', 1000, 2000), node('b', 3000, null)]);
        expect(await ledger.readNodes({ fromMs: 2500 })).toEqual([node('b', 3000, null)]);
        expect(await ledger.readNodes({ toMs: 2500 })).toEqual([node('a', 1000, 2000)]);
        expect(await ledger.read({})).toEqual([]);
      });

      it('reads the rows that overlap a span', async () => {
        const { ledger } = under.store;
        await ledger.write([row('a', 1000, 2000), row('b', 3000, 4000), row('c', 5000, null)]);
        const replicas = async (range: { fromMs?: number; toMs?: number }) =>
          (await ledger.read(range)).map((one) => one.replica);
        expect(await replicas({ fromMs: 2500 })).toEqual(['b', 'c']);
        expect(await replicas({ toMs: 2500 })).toEqual(['a']);
        expect(await replicas({ fromMs: 3500, toMs: 3600 })).toEqual(['b']);
      });
    });

    it('keeps named values apart and by prefix', async () => {
      const { state } = under.store;
      expect(await state.load('none')).toBeNull();
      await state.save('memory/a', { deep: [1, { two: null }] }, epoch);
      await state.save('memory/b', 2, epoch);
      await state.save('clock', 3, epoch);
      await state.save('memory/b', 4, epoch);
      expect(await state.load('memory/a')).toEqual({ deep: [1, { two: null }] });
      expect(await state.load('memory/b')).toBe(4);
      expect((await state.names('memory/')).sort()).toEqual(['memory/a', 'memory/b']);
      await state.drop('memory/a');
      await state.drop('memory/a');
      expect(await state.names('memory/')).toEqual(['memory/b']);
    });

    it('does not share what it keeps with who put it', async () => {
      const document = { spec: { list: [1] } };
      await put(document);
      document.spec.list.push(2);
      const found = await under.store.documents.get('Workload', key);
      expect(found?.document).toEqual({ spec: { list: [1] } });
    });

    it('has everything after a restart', async ({ skip }) => {
      if (!under.reopen) return skip('nothing lasts here');
      const stored = await put({ spec: { a: 1 } });
      await under.store.journal.append([
        { sequence: 1, segment: 1, atMs: 1, kind: 'event', workload: null, body: { lasting: true } },
      ]);
      await under.store.state.save('x', 'y', epoch);
      const store = await under.reopen();
      expect(await store.documents.get('Workload', key)).toEqual(stored);
      expect(await store.state.load('x')).toBe('y');
      expect(await store.journal.head()).toEqual({ sequence: 1, segment: 1 });
      expect(await store.takeEpoch()).toBeGreaterThan(epoch);
    });
  });
}
