import { describeStoreConformance } from '@ebb/testing/conformance';
import { available, until } from '@ebb/testing/services';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openPostgresStore } from './openPostgresStore.ts';
import { newSchema, onePostgres, openStore, quick, record } from './postgresStore.fixture.ts';

const key = { cluster: 'local', namespace: 'default', name: 'upscaler' };

describe.runIf(available('postgres'))('the store in PostgreSQL', () => {
  const service = onePostgres();

  describeStoreConformance('PostgresStore', async () => {
    const settings = newSchema(service());
    const open = () => openPostgresStore({ settings, times: quick, openWithinMs: 20_000, log: () => {} });
    const store = await open();
    const opened = [store];
    return {
      store,
      async reopen() {
        await store.close();
        const again = await open();
        opened.push(again);
        return again;
      },
      async close() {
        for (const one of opened) await one.close();
      },
    };
  });

  describe('leaders', () => {
    it('refuses everything of an older one, also what it began before', async () => {
      const settings = newSchema(service());
      const { store: older } = await openStore(settings);
      const { store: newer } = await openStore(settings);
      const first = await older.takeEpoch();
      await older.journal.append([record(1)]);
      const second = await newer.takeEpoch();
      expect(second).toBe(first + 1);
      const stale = { code: 'stale-epoch' };
      await expect(older.journal.append([record(2)])).rejects.toMatchObject(stale);
      await expect(older.state.save('a', 1, first)).rejects.toMatchObject(stale);
      await expect(older.state.drop('a')).rejects.toMatchObject(stale);
      await expect(older.journal.trim({ olderThanMs: 1e9, maxBytes: 0 })).resolves.toBe(0);
      const document = { spec: {} };
      const put = { apiVersion: 'v1', kind: 'Workload', key, document, origin: null, atMs: 1, epoch: first };
      await expect(older.documents.put(put)).rejects.toMatchObject(stale);
      await newer.journal.append([record(2)]);
      expect((await older.journal.read({})).map(({ sequence }) => sequence)).toEqual([1, 2]);
    });

    it('who has not taken over writes nothing', async () => {
      const settings = newSchema(service());
      await (await openStore(settings)).store.takeEpoch();
      const { store } = await openStore(settings);
      await expect(store.journal.append([record(1)])).rejects.toMatchObject({ code: 'stale-epoch' });
      expect(await store.journal.read({})).toEqual([]);
    });

    it('of two that write as fast as they can, the older ends where the newer begins', async () => {
      const settings = newSchema(service());
      const { store: older } = await openStore(settings);
      const { store: newer } = await openStore(settings);
      const first = await older.takeEpoch();
      let written = 0;
      const racing = (async () => {
        for (let sequence = 1; ; sequence++) {
          await Promise.all([
            older.journal.append([record(sequence, { body: 'older' })]),
            older.state.save('who', `older ${sequence}`, first),
          ]);
          written = sequence;
        }
      })();
      // What it throws is looked at below.
      racing.catch(() => {});
      await until(() => written >= 20, { withinMs: 30_000, what: () => 'twenty records' });
      const second = await newer.takeEpoch();
      const { sequence: from } = await newer.journal.head();
      for (let sequence = from + 1; sequence <= from + 50; sequence++) {
        await newer.journal.append([record(sequence, { body: 'newer' })]);
        await newer.state.save('who', 'newer', second);
      }
      await expect(racing).rejects.toMatchObject({ code: 'stale-epoch' });
      expect(written).toBe(from);
      const all = await newer.journal.read({});
      expect(all.map(({ sequence }) => sequence)).toEqual(Array.from({ length: from + 50 }, (_, at) => at + 1));
      expect(all.map(({ body }) => body)).toEqual(all.map((_, at) => (at < from ? 'older' : 'newer')));
      expect(await older.state.load('who')).toBe('newer');
    });
  });

  it('writes a group in one statement, and reads what was not written yet', async () => {
    const settings = newSchema(service());
    const { store } = await openStore(settings);
    const epoch = await store.takeEpoch();
    const numberOf = async () => Number(await service().sql(`select last_write from "${settings.schema}".leader`));
    const before = await numberOf();
    const writes = Array.from({ length: 200 }, (_, index) => [
      store.journal.append([record(index + 1)]),
      store.state.save(`s${index % 7}`, index, epoch),
    ]).flat();
    expect(await store.journal.head()).toEqual({ sequence: 200, segment: 1 });
    await Promise.all(writes);
    expect(await numberOf()).toBe(before + 1);
    expect(await store.state.load('s3')).toBe(199);
  });

  it('keeps any text, and any number that is safe', async () => {
    const { store } = await openStore(newSchema(service()));
    const epoch = await store.takeEpoch();
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.string({ unit: 'binary', minLength: 1 }), async (text, name) => {
        const value: unknown = JSON.parse(text);
        const named = `n/${name.replaceAll('\0', '')}`;
        await store.state.save(named, value, epoch);
        expect(await store.state.load(named)).toEqual(value);
        const { sequence } = await store.journal.head();
        const body = { value, name: named, long: text.repeat(20), lone: '\ud800 \0 \\ "' };
        const written = record(sequence + 1, { body, atMs: Number.MAX_SAFE_INTEGER, workload: named });
        await store.journal.append([written]);
        expect(await store.journal.read({ fromSequence: sequence + 1 })).toEqual([written]);
      }),
      { numRuns: 50 },
    );
  });
});
