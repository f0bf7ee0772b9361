import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from './command.ts';
import { available, type PostgresService, startPostgres } from './index.ts';
import { programs } from './installed.ts';
import { describeServiceLife } from './serviceLife.fixture.ts';

describeServiceLife({
  service: 'postgres',
  start: () => startPostgres(),
  write: (database) => database.sql("create table jobs (name text); insert into jobs values ('a'), ('b');"),
  read: (database) => database.sql('select name from jobs order by name'),
});

describe.runIf(available('postgres'))('postgres with TLS', () => {
  let database: PostgresService;

  beforeAll(async () => {
    database = await startPostgres({ tls: true });
  });
  afterAll(() => database?.stop());

  it('speaks TLS with its own client', async () => {
    expect(await database.sql('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).toBe('t\n');
  });

  it('turns away who speaks without, and who has the wrong password', async () => {
    const { psql } = programs('postgres');
    const ask = (url: string) => runCommand(psql, ['-X', '-d', url, '-c', 'select 1']);
    await expect(ask(database.url.replace('require', 'disable'))).rejects.toThrow('no pg_hba.conf entry');
    await expect(ask(database.url.replace(database.password, 'wrong'))).rejects.toThrow(
      'password authentication failed',
    );
  });

  it('fails aloud', async () => {
    await expect(database.sql('select * from missing; select 1')).rejects.toThrow('does not exist');
  });
});
