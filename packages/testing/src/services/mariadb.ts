import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { identityOf, programs } from './installed.ts';
import { freePort, loopback } from './ports.ts';
import { type Launch, Service } from './service.ts';
import { type TlsFiles, tlsFiles } from './tlsFiles.ts';
import { newServiceFolder } from './watchdog.ts';

export interface MariaDbOptions {
  /** Only connections with TLS are accepted. */
  readonly tls?: boolean;
}

const user = 'ebb';
const password = 'ebb-secret';
const database = 'ebb';

/** A running MariaDB (the MySQL protocol) with a user over TCP. Committed data outlives `restart` and `kill`. */
export class MariaDbService extends Service {
  readonly user = user;
  readonly password = password;
  readonly database = database;
  readonly tls: TlsFiles | undefined;

  constructor(launch: Launch, tls: TlsFiles | undefined) {
    super(launch);
    this.tls = tls;
  }

  get url(): string {
    return `mysql://${user}:${password}@${this.address}/${database}`;
  }

  protected override async isReady(): Promise<boolean> {
    return (await this.sql('select 1')).trim() === '1';
  }

  /** Runs the statements with MariaDB's own client and returns the rows, columns separated by tabs. */
  sql(statements: string): Promise<string> {
    const tls = this.tls ? [`--ssl-ca=${this.tls.caCert}`, '--ssl-verify-server-cert'] : ['--skip-ssl'];
    const where = ['--protocol=tcp', '-h', this.host, '-P', `${this.port}`, '-u', user, '-D', database];
    // Whatever the locale of the machine is.
    const how = ['--no-defaults', '--default-character-set=utf8mb4', '-N', '-B'];
    return runCommand(programs('mariadb').mariadb, [...how, ...where, ...tls], {
      input: statements,
      env: { MYSQL_PWD: password },
    });
  }
}

/** Starts MariaDB with fresh data on a free port. As root it runs as the system's user `mysql`. */
export async function startMariaDb({ tls = false }: MariaDbOptions = {}): Promise<MariaDbService> {
  const installed = programs('mariadb');
  const identity = identityOf('mysql');
  const folder = newServiceFolder('mariadb');
  const port = await freePort();
  const files = tls ? await tlsFiles() : undefined;
  const owned = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (identity) chownSync(path, identity.uid, identity.gid);
    return path;
  };
  if (identity) chownSync(folder, identity.uid, identity.gid);

  const data = join(folder, 'data');
  const create = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  await runCommand(installed['mariadb-install-db'], [...create, '--skip-name-resolve'], {
    cwd: folder,
    ...(identity ? { identity } : {}),
  });

  const settings = [
    `datadir=${data}`,
    `socket=${join(folder, 'socket')}`,
    `pid-file=${join(folder, 'pid')}`,
    `bind-address=${loopback}`,
    `port=${port}`,
    'skip-name-resolve',
    // A crash of the program loses nothing with this; only a crash of the machine would.
    'innodb-flush-log-at-trx-commit=2',
    'innodb-buffer-pool-size=32M',
    'max-connections=50',
    `init-file=${owned('init.sql', initialStatements())}`,
    ...(files
      ? [
          'require-secure-transport=ON',
          `ssl-ca=${owned('ca.crt', files.pem.caCert)}`,
          `ssl-cert=${owned('server.crt', files.pem.serverCert)}`,
          `ssl-key=${owned('server.key', files.pem.serverKey)}`,
        ]
      : []),
  ];
  const config = owned('my.cnf', `[mariadbd]\n${settings.join('\n')}\n`);
  const launch: Launch = {
    name: 'mariadb',
    folder,
    port,
    program: installed.mariadbd,
    args: [`--defaults-file=${config}`],
    identity,
    discardSignal: 'SIGKILL',
  };
  return new MariaDbService(launch, files).start();
}

/** Run at every start, one statement a line. */
function initialStatements(): string {
  return [
    `CREATE DATABASE IF NOT EXISTS ${database};`,
    `CREATE USER IF NOT EXISTS '${user}'@'${loopback}' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON *.* TO '${user}'@'${loopback}' WITH GRANT OPTION;`,
    '',
  ].join('\n');
}
