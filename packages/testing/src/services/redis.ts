import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { programs } from './installed.ts';
import { freePort, loopback } from './ports.ts';
import { type Launch, Service } from './service.ts';
import { type TlsFiles, tlsFiles } from './tlsFiles.ts';
import { newServiceFolder } from './watchdog.ts';

export interface RedisOptions {
  readonly requirePass?: string;
  /** Only TLS is spoken; `mutual` asks the client for a certificate too. */
  readonly tls?: boolean | 'mutual';
  /** Redis' own letters, for example `KEA`. */
  readonly notifyKeyspaceEvents?: string;
  /** `rules` in Redis' own words, for example `~jobs:* +llen`. Default: everything. */
  readonly aclUsers?: readonly { readonly name: string; readonly password: string; readonly rules?: string }[];
  /** Further lines of redis.conf. */
  readonly config?: readonly string[];
}

/** A running redis-server. Its data outlives `restart` and `kill`. */
export class RedisService extends Service {
  readonly tls: TlsFiles | undefined;
  readonly #password: string | undefined;
  readonly #scheme: 'redis' | 'rediss';

  constructor(launch: Launch, { password, tls }: { password?: string; tls?: TlsFiles } = {}) {
    super(launch);
    this.tls = tls;
    this.#password = password;
    this.#scheme = tls ? 'rediss' : 'redis';
  }

  protected override async isReady(): Promise<boolean> {
    return (await this.cli(['ping'])).trim() === 'PONG';
  }

  /** With the password of the default user, where there is one. */
  get url(): string {
    const credentials = this.#password ? `:${encodeURIComponent(this.#password)}@` : '';
    return `${this.#scheme}://${credentials}${this.address}`;
  }

  /** Runs redis-cli as the default user and returns what it prints, for example `cli(['rpush', 'jobs', 'a'])`. */
  cli(args: readonly string[]): Promise<string> {
    const tls = this.tls
      ? ['--tls', '--cacert', this.tls.caCert, '--cert', this.tls.clientCert, '--key', this.tls.clientKey]
      : [];
    // -e: an error answer is an error here too.
    return runCommand(programs('redis')['redis-cli'], ['-e', '-h', this.host, '-p', `${this.port}`, ...tls, ...args], {
      ...(this.#password ? { env: { REDISCLI_AUTH: this.#password } } : {}),
      withinMs: 10_000,
    });
  }
}

/** Starts redis-server on a free port. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisService> {
  const { requirePass, tls, notifyKeyspaceEvents, aclUsers = [], config = [] } = options;
  const program = programs('redis')['redis-server'];
  const folder = newServiceFolder('redis');
  const port = await freePort();
  const files = tls ? await tlsFiles() : undefined;
  const lines = [
    ...listenLines(port, files, tls === 'mutual'),
    `dir ${folder}`,
    // Written before the answer goes out: what was answered survives a SIGKILL.
    'appendonly yes',
    'appendfsync no',
    'save ""',
    ...(requirePass ? [`requirepass ${JSON.stringify(requirePass)}`] : []),
    ...(notifyKeyspaceEvents ? [`notify-keyspace-events ${notifyKeyspaceEvents}`] : []),
    ...aclUsers.map(({ name, password, rules = 'allkeys allchannels allcommands' }) => {
      return `user ${name} on >${password} ${rules}`;
    }),
    ...config,
  ];
  // In a file and not as arguments: everybody may read the arguments of a process.
  const path = join(folder, 'redis.conf');
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  const launch = { name: 'redis', folder, port, program, args: [path] };
  return new RedisService(launch, {
    ...(requirePass ? { password: requirePass } : {}),
    ...(files ? { tls: files } : {}),
  }).start();
}

function listenLines(port: number, files: TlsFiles | undefined, mutual: boolean): string[] {
  const bind = `bind ${loopback}`;
  if (!files) return [bind, `port ${port}`];
  return [
    bind,
    'port 0',
    `tls-port ${port}`,
    `tls-cert-file ${files.serverCert}`,
    `tls-key-file ${files.serverKey}`,
    `tls-ca-cert-file ${files.caCert}`,
    `tls-auth-clients ${mutual ? 'yes' : 'no'}`,
  ];
}
