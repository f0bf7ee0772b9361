import type { JournalRecord } from '@ebb/core';
import { openPostgres } from '@ebb/scalers';
import { available, tlsFiles, until as untilTrue } from '@ebb/testing/services';
import { describe, expect, it } from 'vitest';
import { openPostgresStore, type PostgresStore } from './openPostgresStore.ts';
import { newSchema, onePostgres, openStore, quick, record, wireTo } from './postgresStore.fixture.ts';
import { readStoreSettings } from './settings.ts';

const away = { name: 'StoreAwayError' };

const until = (check: () => boolean, what: string) => untilTrue(check, { withinMs: 30_000, what: () => what });

/** Appends one record after another as the engine does: after a failure it asks how far the store is. */
async function appendAll(store: PostgresStore, records: readonly JournalRecord[], onDone: (sequence: number) => void) {
  let next = 0;
  let failures = 0;
  while (next < records.length) {
    try {
      if (failures > 0) next = (await store.journal.head()).sequence;
      failures = 0;
      const some = records.slice(next, next + 5);
      if (some.length === 0) break;
      await store.journal.append(some);
      next += some.length;
      onDone(next);
    } catch {
      failures++;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

describe.runIf(available('postgres'))('a database that goes away', () => {
  const service = onePostgres();

  it('is killed and started again in the middle of writes: nothing that was accepted is lost, nothing is twice', async () => {
    const { store, logs } = await openStore(newSchema(service()));
    const epoch = await store.takeEpoch();
    const records = Array.from({ length: 1500 }, (_, index) =>
      record(index + 1, { segment: 1 + Math.floor(index / 100) }),
    );
    let done = 0;
    let saved = 0;
    let closed = 0;
    const over = new AbortController();
    const appending = appendAll(store, records, (sequence) => {
      done = sequence;
    }).finally(() => {
      over.abort();
    });
    const repeat = async (write: (number: number) => Promise<void>, onDone: (number: number) => void) => {
      for (let number = 1; !over.signal.aborted; number++) {
        await write(number).then(
          () => onDone(number),
          () => new Promise((resolve) => setTimeout(resolve, 5)),
        );
      }
    };
    const saving = repeat(
      (number) => store.state.save('counted', number, epoch),
      (number) => (saved = number),
    );
    const row = { workload: 'w', class: 'c', node: 'n', pricePerHourMicro: 1, currency: 'USD' };
    const paying = repeat(
      (number) => store.ledger.write([{ ...row, replica: 'r', fromMs: 1, toMs: number }]),
      (number) => (closed = number),
    );
    for (const [at, end] of [
      [200, 'kill'],
      [600, 'restart'],
      [1000, 'kill'],
    ] as const) {
      await until(() => done >= at, `${at} records`);
      if (end === 'kill') await service().kill();
      const known = { done, saved, closed };
      await service().restart();
      // At any moment, what was accepted is there.
      await until(() => store.health().state === 'there', 'the way back');
      const loaded = await store.state.load('counted');
      expect(loaded).toBeGreaterThanOrEqual(known.saved);
      expect((await store.journal.head()).sequence).toBeGreaterThanOrEqual(known.done);
      expect((await store.ledger.read({}))[0]?.toMs).toBeGreaterThanOrEqual(known.closed);
    }
    await Promise.all([appending, saving, paying]);
    expect(await store.journal.read({})).toEqual(records);
    expect(logs.filter(({ message }) => message.startsWith('the store is away')).length).toBeGreaterThanOrEqual(3);
    expect(logs.filter(({ message }) => message === 'the store is back').length).toBeGreaterThanOrEqual(3);
    // Sizes of segments are those of what is in them.
    expect(await store.journal.trim({ olderThanMs: 0, maxBytes: 1 })).toBe(1400);
  });

  it('answers nothing: everything fails in time and then at once, and goes on when it answers again', async () => {
    const wire = await wireTo(service());
    const settings = newSchema(service());
    const address = { ...settings.address, hosts: [{ host: '127.0.0.1', port: wire.port }] };
    const { store } = await openStore({ ...settings, address }, { times: { ...quick, answerMs: 1500 } });
    const epoch = await store.takeEpoch();
    await store.state.save('a', 1, epoch);
    wire.hold();
    try {
      const beganMs = performance.now();
      await expect(store.state.save('a', 2, epoch)).rejects.toMatchObject(away);
      expect(store.health()).toMatchObject({ state: 'away' });
      await expect(store.state.save('a', 3, epoch)).rejects.toMatchObject(away);
      const tookMs = performance.now() - beganMs;
      expect(tookMs).toBeGreaterThanOrEqual(1490);
      expect(tookMs).toBeLessThan(8000);
    } finally {
      wire.release();
    }
    await until(() => store.health().state === 'there', 'the way back');
    await store.state.save('a', 4, epoch);
    expect(await store.state.load('a')).toBe(4);
  });

  it('does a write that was given up not after a later one', async () => {
    const settings = newSchema(service());
    const { store } = await openStore(settings, { times: { ...quick, answerMs: 1500 } });
    const epoch = await store.takeEpoch();
    const other = await openPostgres(settings.address, { connections: 1, connectTimeoutSeconds: 5, prepare: false });
    await other.begin(async (transaction) => {
      await transaction.unsafe(`select * from "${settings.schema}".leader for update`);
      await expect(store.state.save('a', 'given up', epoch)).rejects.toMatchObject(away);
      await expect(store.journal.append([record(1, { body: 'given up' })])).rejects.toMatchObject(away);
    });
    await until(() => store.health().state === 'there', 'the way back');
    await store.state.save('a', 'later', epoch);
    const { sequence } = await store.journal.head();
    await store.journal.append([record(sequence + 1, { body: 'later' })]);
    const [waiting] = await other.unsafe(
      `select count(*) as n from pg_stat_activity where query like '%${settings.schema}%write_group%' and state = 'active' and pid <> pg_backend_pid()`,
    );
    expect(waiting?.['n']).toBe('0');
    expect(await store.state.load('a')).toBe('later');
    expect((await store.journal.read({ newestFirst: true, limit: 1 }))[0]?.body).toBe('later');
    await other.end();
  });

  it('is not there at the start: it is waited for, and said', async () => {
    await service().kill();
    const told: string[] = [];
    const opening = openStore(newSchema(service()), {
      onHealth: (health) => {
        const timer = setInterval(() => told.push(health().state), 20);
        timer.unref();
      },
    });
    await until(() => told.includes('away'), 'the news');
    await service().restart();
    const { store } = await opening;
    expect(await store.takeEpoch()).toBe(1);
    expect(store.health()).toMatchObject({ state: 'there', message: '' });
  });

  it('is waited for no longer than one may', async () => {
    const settings = readStoreSettings({ EBB_STORE_URL: 'postgres://u:hidden-word@127.0.0.1:1/d' });
    if (!settings) throw new Error('no settings');
    const logs: unknown[] = [];
    const opening = openPostgresStore({
      settings,
      times: quick,
      openWithinMs: 200,
      log: (...entry) => logs.push(entry),
    });
    await expect(opening).rejects.toThrow('postgresql 127.0.0.1:1/d (schema ebb): nothing listens there');
    expect(JSON.stringify(logs)).not.toContain('hidden-word');
  });
});

describe.runIf(available('postgres'))('a database that cannot be used', () => {
  const service = onePostgres({ tls: true });

  it('refuses the password: said at once, without it', async () => {
    const settings = newSchema(service());
    const wrong = { ...settings, address: { ...settings.address, password: 'wrong-word' } };
    const error: unknown = await openPostgresStore({ settings: wrong, times: quick, log: () => {} }).catch(
      (one) => one,
    );
    expect(error).toMatchObject({ name: 'DatabaseError', code: 'unauthorized' });
    expect(String(error)).toContain('password authentication failed');
    expect(String(error)).not.toContain('wrong-word');
  });

  it('no longer takes the password: it is away until it does', async () => {
    await service().sql(`create role moody login superuser password 'first-word'`);
    const settings = newSchema(service());
    const moody = { ...settings, address: { ...settings.address, user: 'moody', password: 'first-word' } };
    const { store, logs } = await openStore(moody);
    const epoch = await store.takeEpoch();
    await service().sql(
      `alter role moody password 'other-word'; select pg_terminate_backend(pid) from pg_stat_activity where usename = 'moody'`,
    );
    await expect(store.state.save('a', 0, epoch)).rejects.toMatchObject(away);
    await until(() => store.health().message.includes('password authentication failed'), 'the news');
    await expect(store.state.save('a', 1, epoch)).rejects.toMatchObject(away);
    await service().sql(`alter role moody password 'first-word'`);
    await until(() => store.health().state === 'there', 'the way back');
    await store.state.save('a', 2, epoch);
    expect(JSON.stringify(logs)).not.toContain('word"');
    expect(JSON.stringify(logs)).not.toContain('first-word');
  });

  it('gives no right to make a schema, and is content with one that was made', async () => {
    await service().sql(`create role poor login password 'poor-word'`);
    const settings = newSchema(service(), 'poor');
    const poor = { ...settings, address: { ...settings.address, user: 'poor', password: 'poor-word' } };
    const opening = openPostgresStore({ settings: poor, times: quick, log: () => {} });
    await expect(opening).rejects.toThrow('permission denied for database');
    await service().sql('create schema poor authorization poor');
    const { store } = await openStore(poor);
    const epoch = await store.takeEpoch();
    await store.state.save('a', 1, epoch);
    expect(await store.state.load('a')).toBe(1);
  });

  it('is trusted by its authority alone', async () => {
    const settings = newSchema(service());
    const { tls } = service();
    if (!tls) throw new Error('no certificates');
    const verified = (ca: string) =>
      ({ ...settings, address: { ...settings.address, sslMode: 'verify-full', files: { ca } } }) as const;
    const { store } = await openStore(verified(tls.caCert));
    expect(await store.takeEpoch()).toBe(1);
    const others = await tlsFiles();
    const opening = openPostgresStore({
      settings: verified(others.caCert),
      times: quick,
      openWithinMs: 100,
      log: () => {},
    });
    await expect(opening).rejects.toThrow('TLS failed');
  });
});
