import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import { identityOf, programs } from './installed.ts';
import { freePort, loopback } from './ports.ts';
import { type Launch, Service } from './service.ts';
import { type TlsFiles, tlsFiles } from './tlsFiles.ts';
import { newServiceFolder } from './watchdog.ts';

export interface PostgresOptions {
  /** Only connections with TLS are accepted. */
  readonly tls?: boolean;
}

const user = 'ebb';
const password = 'ebb-secret';
const database = 'postgres';

/** A running PostgreSQL with a superuser over TCP (scram-sha-256). Committed data outlives `restart` and `kill`. */
export class PostgresService extends Service {
  readonly user = user;
  readonly password = password;
  readonly database = database;
  readonly tls: TlsFiles | undefined;

  constructor(launch: Launch, tls: TlsFiles | undefined) {
    super(launch);
    this.tls = tls;
  }

  get url(): string {
    const mode = this.tls ? '?sslmode=require' : '';
    return `postgres://${user}:${password}@${this.address}/${database}${mode}`;
  }

  protected override async isReady(): Promise<boolean> {
    return (await this.sql('select 1')).trim() === '1';
  }

  /** Runs the statements with psql and returns the rows, columns separated by `|`. A failing statement is an error. */
  sql(statements: string): Promise<string> {
    const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', this.url, '-f', '-'];
    return runCommand(programs('postgres').psql, args, { input: statements, env: { PGCONNECT_TIMEOUT: '5' } });
  }
}

/** Starts PostgreSQL with a fresh cluster on a free port. As root it runs as the system's user `postgres`. */
export async function startPostgres({ tls = false }: PostgresOptions = {}): Promise<PostgresService> {
  const { initdb, postgres } = programs('postgres');
  const identity = identityOf('postgres');
  const folder = newServiceFolder('postgres');
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
  const passwordFile = owned('password', password);
  const auth = ['--auth=scram-sha-256', '-U', user, `--pwfile=${passwordFile}`];
  const create = ['-D', data, ...auth, '--no-sync', '--no-instructions', '--locale=C', '-E', 'UTF8'];
  await runCommand(initdb, create, { cwd: folder, ...(identity ? { identity } : {}) });
  rmSync(passwordFile);

  const type = files ? 'hostssl' : 'host';
  const rules = join(data, 'pg_hba.conf');
  writeFileSync(rules, `${type} all all ${loopback}/32 scram-sha-256\n`);

  const settings = {
    listen_addresses: loopback,
    port,
    // No socket in the file system: the folder's path may be longer than a socket's may be.
    unix_socket_directories: '',
    // A crash of the program loses nothing with this; only a crash of the machine would.
    fsync: 'off',
    shared_buffers: '16MB',
    max_connections: 50,
    ...(files
      ? {
          ssl: 'on',
          ssl_cert_file: owned('server.crt', files.pem.serverCert),
          ssl_key_file: owned('server.key', files.pem.serverKey),
          ssl_ca_file: owned('ca.crt', files.pem.caCert),
        }
      : {}),
  };
  const launch: Launch = {
    name: 'postgres',
    folder,
    port,
    program: postgres,
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: { PATH: `${dirname(postgres)}:${process.env.PATH}` },
    identity,
    // "Fast": does not wait for clients. SIGKILL would leave its shared memory behind.
    endSignal: 'SIGINT',
    discardSignal: 'SIGQUIT',
  };
  return new PostgresService(launch, files).start();
}
