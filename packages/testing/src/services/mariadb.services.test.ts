import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from './command.ts';
import { available, type MariaDbService, startMariaDb } from './index.ts';
import { programs } from './installed.ts';
import { describeServiceLife } from './serviceLife.fixture.ts';

describeServiceLife({
  service: 'mariadb',
  start: () => startMariaDb(),
  write: (database) => database.sql("create table jobs (name text); insert into jobs values ('a'), ('b');"),
  read: (database) => database.sql('select name from jobs order by name'),
});

describe.runIf(available('mariadb'))('mariadb with TLS', () => {
  let database: MariaDbService;

  beforeAll(async () => {
    database = await startMariaDb({ tls: true });
  });
  afterAll(() => database?.stop());

  it('speaks TLS with its own client', async () => {
    expect(await database.sql("show status like 'Ssl_cipher'")).toMatch(/^Ssl_cipher\tTLS_/);
  });

  it('turns away who speaks without, and who has the wrong password', async () => {
    const ask = (password: string, tls: string) => {
      const args = ['--no-defaults', tls, '--protocol=tcp', '-h', database.host, '-P', `${database.port}`];
      const env = { MYSQL_PWD: password };
      return runCommand(programs('mariadb').mariadb, [...args, '-u', database.user, '-e', 'select 1'], { env });
    };
    await expect(ask(database.password, '--skip-ssl')).rejects.toThrow('Access denied');
    await expect(ask('wrong', '--ssl')).rejects.toThrow('Access denied');
  });

  it('fails aloud', async () => {
    await expect(database.sql('select * from missing; select 1')).rejects.toThrow("doesn't exist");
  });
});
