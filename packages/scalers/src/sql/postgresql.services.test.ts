import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  available,
  blackHole,
  type PostgresService,
  refusedPort,
  startPostgres,
} from '../../../testing/src/services/index.ts';
import { describeSource, readOnce, soon, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { postgresql } from './postgresql.ts';

type Place = Pick<PostgresService, 'host' | 'port' | 'user' | 'password' | 'database'>;

function values(place: Place, query: string, activation = 0, password = place.password): TriggerValues {
  return {
    metadata: {
      query,
      targetQueryValue: '5',
      activationTargetQueryValue: String(activation),
      host: place.host,
      port: String(place.port),
      userName: place.user,
      dbName: place.database,
      sslmode: 'disable',
    },
    auth: { password },
    env: {},
  };
}

const count = 'select count(*) from jobs';

describe.runIf(available('postgres'))('the real thing', () => {
  describeSource('postgresql', {
    definition: postgresql,
    async start() {
      const service = await startPostgres();
      const hole = await blackHole();
      await service.sql(
        `create table jobs (n int); create table "größe 🚀" ("spälte" int); insert into "größe 🚀" values (3)`,
      );
      const counters = () =>
        service.sql('select * from jobs; select * from pg_sequences; select * from pg_tables order by 1, 2');
      return {
        values: values(service, count),
        activatesAbove5: values(service, count, 5),
        async set(length) {
          await service.sql(`truncate jobs; insert into jobs select generate_series(1, ${length})`);
        },
        truth: async () => Number(await service.sql(count)),
        snapshot: counters,
        wrongName: { values: values(service, 'select count(*) from nothing_there'), is: 'not-found' },
        wrongSignIn: { values: values(service, count, 0, 'wrong-secret'), is: 'unauthorized' },
        unicode: values(service, 'select "spälte" as "ö🚀" from "größe 🚀"'),
        blackHole: values({ ...place(service), port: hole.port }, count),
        refused: values({ ...place(service), port: await refusedPort() }, count),
        restart: () => service.restart(),
        async close() {
          await hole.stop();
          await service.stop();
        },
      };
    },
  });

  describe('what it does with queries and connections', () => {
    let service: PostgresService;
    beforeAll(async () => {
      service = await startPostgres({ tls: true });
      await service.sql(`create table jobs (n int); insert into jobs values (1), (2), (3);
        create function bump() returns int language sql as 'insert into jobs values (9) returning n';
        create role poor login password 'poor-secret'`);
    });
    afterAll(() => service?.stop());

    async function read(query: string, changes: Partial<TriggerValues> = {}) {
      const context = testContext(query.includes('pg_sleep') ? soon : {});
      const base = values(service, query);
      const source = openTrigger(
        postgresql,
        { ...base, metadata: { ...base.metadata, sslmode: 'require' }, ...changes },
        context,
      );
      try {
        return await readOnce(source, context);
      } finally {
        await source.close();
        expect(context.connections.size).toBe(0);
      }
    }

    it.each<[string, number]>([
      ['select 2.5', 2.5],
      ['select 12345678901234::bigint', 12345678901234],
      [`select '42'::text`, 42],
      ['select 0.1::numeric', 0.1],
      ['select 1e3::float8', 1000],
      ['select -4', 0],
      [`select 'NaN'::float8`, 0],
      ['select 1 as a, 2 as a', 1],
      ['select n from jobs order by n desc', 3],
      ['with x as (select 7 as n) select n from x', 7],
      ['select generate_series(5, 1e7)', 5],
      ['select 6;', 6],
    ])('%s is %d', async (query, value) => {
      expect((await read(query)).value).toBe(value);
    });

    it.each([
      ['select null', 'bad-answer'],
      ['select 1 where false', 'bad-answer'],
      ['select true', 'bad-answer'],
      [`select 'many'`, 'bad-answer'],
      ['select now()', 'bad-answer'],
      ['select 1/0', 'bad-answer'],
      ['selec 1', 'bad-setting'],
      ['select 1; select 2', 'bad-setting'],
      ['select nope from jobs', 'not-found'],
      ['select pg_sleep(60)', 'timeout'],
    ])('%s is an error: %s', async (query, code) => {
      await expect(read(query)).rejects.toMatchObject({ code });
    });

    it.each([
      'insert into jobs values (4) returning n',
      'delete from jobs',
      'drop table jobs',
      'truncate jobs',
      'select bump()',
      'commit; delete from jobs',
      'do $$ begin set transaction read write; delete from jobs; end $$',
      `select set_config('transaction_read_only', 'off', false)`,
      'set transaction read write',
    ])('writes nothing for: %s', async (query) => {
      await read(query).catch(() => {});
      expect(await service.sql('select count(*), max(n) from jobs')).toBe('3|3\n');
    });

    it('takes connection strings, from the authentication or the environment', async () => {
      const metadata = { query: 'select 8', targetQueryValue: '5' };
      expect((await read('', { metadata, auth: { connection: service.url } })).value).toBe(8);
      const keywords = `host=${service.host} port=${service.port} user=${service.user} password='${service.password}' dbname=${service.database} sslmode=verify-full sslrootcert=${service.tls?.caCert}`;
      expect(
        (await read('', { metadata: { ...metadata, connectionFromEnv: 'DSN' }, auth: {}, env: { DSN: keywords } }))
          .value,
      ).toBe(8);
      const withoutEnv = read('', { metadata: { ...metadata, connectionFromEnv: 'DSN' }, auth: {}, env: {} });
      await expect(withoutEnv).rejects.toMatchObject({ code: 'bad-setting' });
    });

    it('checks certificates as the mode says', async () => {
      const connect = (mode: string) =>
        read('', {
          metadata: { query: 'select 8', targetQueryValue: '5' },
          auth: { connection: service.url.replace('sslmode=require', mode) },
        });
      for (const mode of [
        'sslmode=require',
        'sslmode=prefer',
        'sslmode=allow',
        `sslmode=verify-ca&sslrootcert=${service.tls?.caCert}`,
      ]) {
        expect((await connect(mode)).value).toBe(8);
      }
      await expect(connect('sslmode=disable')).rejects.toMatchObject({ code: 'unauthorized' });
      await expect(connect('sslmode=verify-full')).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(/TLS|certificate/),
      });
      await expect(connect('sslmode=verify-full&sslrootcert=/nowhere.pem')).rejects.toMatchObject({
        code: 'bad-setting',
      });
    });

    it('says what the account may not do', async () => {
      const poor = service.url.replace(`${service.user}:${service.password}`, 'poor:poor-secret');
      const metadata = { query: 'select count(*) from jobs', targetQueryValue: '5' };
      await expect(read('', { metadata, auth: { connection: poor } })).rejects.toMatchObject({ code: 'unauthorized' });
      const nowhere = service.url.replace(`/${service.database}`, '/nowhere');
      await expect(read('', { metadata, auth: { connection: nowhere } })).rejects.toMatchObject({ code: 'not-found' });
    });

    it('shares two connections among all triggers of a database', async () => {
      const context = testContext();
      const sources = Array.from({ length: 8 }, () =>
        openTrigger(
          postgresql,
          {
            metadata: {
              query: `select count(*) from pg_stat_activity where application_name = 'ebb'`,
              targetQueryValue: '5',
            },
            auth: { connection: service.url },
            env: {},
          },
          context,
        ),
      );
      const readings = await Promise.all(sources.map((source) => readOnce(source, context)));
      expect(Math.max(...readings.map(({ value }) => value))).toBeLessThanOrEqual(2);
      await Promise.all(sources.map((source) => source.close()));
      expect(context.connections.size).toBe(0);
    });

    it('leaves no connection behind when it gives up', async () => {
      await expect(read('select pg_sleep(60)')).rejects.toMatchObject({ code: 'timeout' });
      await expect
        .poll(() => service.sql(`select count(*) from pg_stat_activity where application_name = 'ebb'`), {
          timeout: 30_000,
        })
        .toBe('0\n');
    });
  });
});

function place({ host, port, user, password, database }: PostgresService): Place {
  return { host, port, user, password, database };
}
