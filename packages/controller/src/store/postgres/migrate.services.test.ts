import { available } from '@ebb/testing/services';
import { describe, expect, it } from 'vitest';
import { migrations, type PostgresMigration } from './migrations.ts';
import { openPostgresStore } from './openPostgresStore.ts';
import { newSchema, onePostgres, openStore, quick, record } from './postgresStore.fixture.ts';

describe.runIf(available('postgres'))('the schema', () => {
  const service = onePostgres();
  const newest = migrations.at(-1)?.version ?? 0;
  const next: PostgresMigration = {
    version: newest + 1,
    name: 'one more column',
    sql: (schema) => `ALTER TABLE ${schema}.state ADD COLUMN saved_at_ms bigint NOT NULL DEFAULT 0;`,
  };

  it('is brought to a newer version with everything in it, while the older one goes on writing', async () => {
    const settings = newSchema(service());
    const { store: older } = await openStore(settings);
    const epoch = await older.takeEpoch();
    await older.journal.append([record(1)]);
    await older.state.save('a', 1, epoch);
    const { store: newer } = await openStore(settings, { migrations: [...migrations, next] });
    expect(await service().sql(`select version, name from "${settings.schema}".migrations order by version`)).toBe(
      [...migrations, next].map(({ version, name }) => `${version}|${name}\n`).join(''),
    );
    await older.state.save('a', 2, epoch);
    await older.journal.append([record(2)]);
    await newer.takeEpoch();
    expect(await newer.state.load('a')).toBe(2);
    expect((await newer.journal.read({})).length).toBe(2);
    await expect(openPostgresStore({ settings, times: quick, log: () => {} })).rejects.toThrow(
      `was written by a newer Ebb (its format is ${newest + 1}, this Ebb knows up to ${newest})`,
    );
  });

  it('is brought on from the very first version', async () => {
    const settings = newSchema(service());
    const [first] = migrations;
    if (!first) throw new Error('there is no first version');
    const { store } = await openStore(settings, { migrations: [first] });
    expect(await store.takeEpoch()).toBe(1);
    await service().sql(
      `insert into "${settings.schema}".state values ('a', '"kept"'); insert into "${settings.schema}".journal values (1, 1, 5, 'event', null, '{}', null)`,
    );
    const { store: newer } = await openStore(settings);
    expect(await newer.takeEpoch()).toBe(2);
    expect(await newer.state.load('a')).toBe('kept');
    await newer.journal.append([record(2)]);
    expect(await newer.journal.head()).toEqual({ sequence: 2, segment: 1 });
  });

  it('is made once by many that begin together', async () => {
    const settings = newSchema(service());
    const stores = await Promise.all(Array.from({ length: 6 }, () => openStore(settings)));
    const epochs = await Promise.all(stores.map(({ store }) => store.takeEpoch()));
    expect(new Set(epochs)).toEqual(new Set([1, 2, 3, 4, 5, 6]));
  });

  it('stays as it was when a step fails', async () => {
    const settings = newSchema(service());
    await (await openStore(settings)).store.takeEpoch();
    const broken = [...migrations, next, { ...next, version: newest + 2, sql: () => 'SELECT * FROM nowhere' }];
    await expect(openPostgresStore({ settings, migrations: broken, times: quick, log: () => {} })).rejects.toThrow(
      'nowhere',
    );
    const { store } = await openStore(settings);
    expect(await store.takeEpoch()).toBe(2);
  });

  it('of another program is left alone', async () => {
    await service().sql('create schema shop; create table shop.orders (n int)');
    await expect(openStore(newSchema(service(), 'shop'))).rejects.toMatchObject({ code: 'corrupt' });
    expect(await service().sql(`select relname from pg_class where relnamespace = 'shop'::regnamespace`)).toBe(
      'orders\n',
    );
  });
});
