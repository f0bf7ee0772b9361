import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  available,
  blackHole,
  type MariaDbService,
  refusedPort,
  startMariaDb,
} from '../../../testing/src/services/index.ts';
import { describeSource, readOnce, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { mysql } from './mysql.ts';

function values(
  service: MariaDbService,
  query: string,
  changes: { port?: number; password?: string; activation?: number } = {},
): TriggerValues {
  const { port = service.port, password = service.password, activation = 0 } = changes;
  return {
    metadata: {
      query,
      queryValue: '5',
      activationQueryValue: String(activation),
      host: service.host,
      port: String(port),
      username: service.user,
      dbName: service.database,
    },
    auth: { password },
    env: {},
  };
}

const count = 'select count(*) from jobs';

describe.runIf(available('mariadb'))('the real thing', () => {
  describeSource('mysql', {
    definition: mysql,
    async start() {
      const service = await startMariaDb();
      const hole = await blackHole();
      await service.sql(
        'create table jobs (n int); create table `größe` (`spälte` int); insert into `größe` values (3)',
      );
      return {
        values: values(service, count),
        activatesAbove5: values(service, count, { activation: 5 }),
        async set(length) {
          await service.sql(
            `truncate jobs; insert into jobs select seq from seq_1_to_${Math.max(length, 1)} where seq <= ${length}`,
          );
        },
        truth: async () => Number(await service.sql(count)),
        snapshot: () => service.sql('select * from jobs; show tables'),
        wrongName: { values: values(service, 'select count(*) from nothing_there'), is: 'not-found' },
        wrongSignIn: { values: values(service, count, { password: 'wrong-secret' }), is: 'unauthorized' },
        unicode: values(service, 'select `spälte` as `ö` from `größe`'),
        blackHole: values(service, count, { port: hole.port }),
        refused: values(service, count, { port: await refusedPort() }),
        restart: () => service.restart(),
        async close() {
          await hole.stop();
          await service.stop();
        },
      };
    },
  });

  describe('what it does with queries and connections', () => {
    let service: MariaDbService;
    beforeAll(async () => {
      service = await startMariaDb({ tls: true });
      await service.sql(`create table jobs (n int); insert into jobs values (1), (2), (3);
        create user 'poor'@'127.0.0.1' identified by 'poor-secret'; grant usage on ebb.* to 'poor'@'127.0.0.1';
        create procedure bump() insert into jobs values (9);`);
    });
    afterAll(() => service?.stop());

    const dsn = (options: string, user = service.user, password = service.password) =>
      `${user}:${password}@tcp(${service.address})/${service.database}?${options}`;

    async function read(query: string, connectionString = dsn('tls=skip-verify')) {
      const context = testContext();
      const source = openTrigger(
        mysql,
        { metadata: { query, queryValue: '5' }, auth: { connectionString }, env: {} },
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
      ['select 12345678901234', 12345678901234],
      [`select '42'`, 42],
      ['select cast(0.1 as decimal(10, 3))', 0.1],
      ['select 1e3', 1000],
      ['select true', 1],
      ['select -4', 0],
      ['select 1 as a, 2 as a', 1],
      ['select n from jobs order by n desc', 3],
      ['select sum(n) from (select n from jobs union all select n from jobs) both_of_them', 12],
      ['select seq from seq_5_to_10000000', 5],
      ['select 6;', 6],
    ])('%s is %d', async (query, value) => {
      expect((await read(query)).value).toBe(value);
    });

    it.each([
      ['select null', 'bad-answer'],
      ['select 1 from dual where false', 'bad-answer'],
      [`select 'many'`, 'bad-answer'],
      ['select now()', 'bad-answer'],
      ['set @x = 1', 'bad-answer'],
      ['selec 1', 'bad-setting'],
      ['select 1; select 2', 'bad-setting'],
      ['select nope from jobs', 'not-found'],
      ['select count(*) from seq_1_to_1000000000 a, seq_1_to_1000 b where sin(a.seq) > b.seq', 'timeout'],
    ])('%s is an error: %s', async (query, code) => {
      await expect(read(query)).rejects.toMatchObject({ code });
    });

    it.each([
      'insert into jobs values (4)',
      'delete from jobs',
      'drop table jobs',
      'truncate jobs',
      'call bump()',
      'commit; delete from jobs',
      'select 1 for update',
      'set session transaction read write',
    ])('writes nothing for: %s', async (query) => {
      await read(query).catch(() => {});
      expect(await service.sql('select count(*), max(n) from jobs')).toBe('3\t3\n');
    });

    it('goes without TLS where the server has none and that is allowed', async () => {
      const plain = await startMariaDb();
      try {
        const own = `${plain.user}:${plain.password}@tcp(${plain.address})/${plain.database}`;
        expect((await read('select 8', `${own}?tls=preferred`)).value).toBe(8);
        await expect(read('select 8', `${own}?tls=skip-verify`)).rejects.toMatchObject({ code: 'unreachable' });
      } finally {
        await plain.stop();
      }
    });

    it('speaks TLS as the connection string says', async () => {
      expect((await read('select 8', dsn('tls=preferred'))).value).toBe(8);
      await expect(read('select 8', dsn('tls=true'))).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(/TLS|certificate/),
      });
      await expect(read('select 8', dsn(''))).rejects.toMatchObject({
        code: expect.stringMatching(/unauthorized|unreachable|bad-answer/),
      });
    });

    it('sets variables and the character set', async () => {
      expect((await read(`select @@time_zone = '+03:00'`, dsn('tls=skip-verify&time_zone=%27%2B03:00%27'))).value).toBe(
        1,
      );
      expect(
        (await read(`select @@character_set_client = 'latin1'`, dsn('tls=skip-verify&charset=latin1'))).value,
      ).toBe(1);
      await expect(read('select 1', dsn('tls=skip-verify&no_such_variable=1'))).rejects.toMatchObject({
        code: 'bad-answer',
      });
    });

    it('says what the account may not do', async () => {
      const poor = dsn('tls=skip-verify', 'poor', 'poor-secret');
      await expect(read(count, poor)).rejects.toMatchObject({ code: 'unauthorized' });
      await expect(read(count, dsn('tls=skip-verify').replace('/ebb?', '/nowhere?'))).rejects.toMatchObject({
        code: 'not-found',
      });
    });

    it('leaves no connection behind', async () => {
      const context = testContext();
      const sources = Array.from({ length: 8 }, () =>
        openTrigger(
          mysql,
          { metadata: { query: count, queryValue: '5' }, auth: { connectionString: dsn('tls=skip-verify') }, env: {} },
          context,
        ),
      );
      await Promise.all(sources.map((source) => readOnce(source, context)));
      const clients = `select count(*) from information_schema.processlist where user = 'ebb' and id <> connection_id()`;
      await expect.poll(async () => Number(await service.sql(clients)), { timeout: 30_000 }).toBeLessThanOrEqual(2);
      await Promise.all(sources.map((source) => source.close()));
      await expect.poll(() => service.sql(clients), { timeout: 30_000 }).toBe('0\n');
    });
  });
});
