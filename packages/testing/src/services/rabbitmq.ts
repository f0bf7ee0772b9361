import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './command.ts';
import { programs } from './installed.ts';
import { freePort, isListening, loopback } from './ports.ts';
import { type Launch, Service } from './service.ts';
import { type TlsFiles, tlsFiles } from './tlsFiles.ts';
import { newServiceFolder } from './watchdog.ts';

export interface RabbitMqOptions {
  /** Opens a second port that speaks amqps; `mutual` asks the client for a certificate too. */
  readonly tls?: boolean | 'mutual';
}

interface RabbitMqParts {
  readonly env: Readonly<Record<string, string>>;
  readonly httpPort: number;
  readonly amqpsPort: number | undefined;
  readonly tls: TlsFiles | undefined;
  readonly epmd: Epmd;
}

const guest = 'guest';
const statisticsIntervalMs = 500;

/** A running RabbitMQ broker with its management plugin. Durable queues and persistent messages outlive `restart`. */
export class RabbitMqService extends Service {
  readonly user = guest;
  readonly password = guest;
  readonly amqpUrl: string;
  /** Root of the management API, with user and password. */
  readonly httpUrl: string;
  readonly httpPort: number;
  readonly amqpsPort: number | undefined;
  readonly tls: TlsFiles | undefined;
  readonly #epmd: Epmd;
  readonly #env: Readonly<Record<string, string>>;

  constructor(launch: Launch, { env, httpPort, amqpsPort, tls, epmd }: RabbitMqParts) {
    super({ ...launch, env });
    this.httpPort = httpPort;
    this.amqpsPort = amqpsPort;
    this.tls = tls;
    this.amqpUrl = `amqp://${guest}:${guest}@${this.address}/`;
    this.httpUrl = `http://${guest}:${guest}@${this.host}:${httpPort}/`;
    this.#epmd = epmd;
    this.#env = env;
  }

  protected override async isReady(): Promise<boolean> {
    await this.api('GET', 'overview');
    return isListening(this.port);
  }

  /** Runs rabbitmqctl on this broker and returns what it prints. It takes a second: it is a node of its own. */
  ctl(args: readonly string[]): Promise<string> {
    return runCommand(programs('rabbitmq').rabbitmqctl, ['-q', ...args], { env: this.#env, cwd: this.folder });
  }

  /**
   * Asks the management API, for example `api('GET', 'queues/%2F/jobs')`, and returns its JSON answer (undefined where
   * it has none). An answer of 400 or more is an error. Counts of messages are at most half a second old.
   */
  async api(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://${this.host}:${this.httpPort}/api/${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${this.user}:${this.password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /api/${path} answered ${response.status}: ${text.slice(0, 500)}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Creates a virtual host in which `guest` may do everything. */
  async createVhost(name: string): Promise<void> {
    await this.api('PUT', `vhosts/${encodeURIComponent(name)}`);
    await this.#permit(this.user, name);
  }

  /** Creates a user who may do everything in `vhost`; `tags` as RabbitMQ has them, for example `monitoring`. */
  async createUser(user: { name: string; password: string; vhost?: string; tags?: string }): Promise<void> {
    const { name, password, vhost = '/', tags = '' } = user;
    await this.api('PUT', `users/${encodeURIComponent(name)}`, { password, tags });
    await this.#permit(name, vhost);
  }

  /** Creates a durable queue; `queueArguments` for example `{'x-queue-type': 'quorum'}`. */
  async createQueue(name: string, { vhost = '/', queueArguments = {} } = {}): Promise<void> {
    const path = `queues/${encodeURIComponent(vhost)}/${encodeURIComponent(name)}`;
    await this.api('PUT', path, { durable: true, arguments: queueArguments });
  }

  /** Sends persistent messages to the queue, over AMQP as any producer does. */
  async publish(queue: string, messages: readonly string[], { vhost = '/' } = {}): Promise<void> {
    const url = `amqp://${guest}:${guest}@${this.address}/${encodeURIComponent(vhost)}`;
    await runCommand(programs('rabbitmq')['amqp-publish'], ['-u', url, '-r', queue, '-p', '-l'], {
      input: messages.map((message) => `${message}\n`).join(''),
    });
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.#epmd.stop();
  }

  async #permit(name: string, vhost: string): Promise<void> {
    const everything = { configure: '.*', write: '.*', read: '.*' };
    await this.api('PUT', `permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(name)}`, everything);
  }
}

/** Starts a broker on free ports, with user and password `guest`. */
export async function startRabbitMq({ tls }: RabbitMqOptions = {}): Promise<RabbitMqService> {
  const program = programs('rabbitmq')['rabbitmq-server'];
  const epmd = await startEpmd();
  try {
    const folder = newServiceFolder('rabbitmq');
    const port = await freePort();
    const httpPort = await freePort();
    const amqpsPort = tls ? await freePort() : undefined;
    const files = tls ? await tlsFiles() : undefined;
    const lines = [
      `management.tcp.ip = ${loopback}`,
      `management.tcp.port = ${httpPort}`,
      `collect_statistics_interval = ${statisticsIntervalMs}`,
      ...(amqpsPort && files ? tlsLines(amqpsPort, files, tls === 'mutual') : []),
    ];
    writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
    writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_management].\n');
    const env = environment(folder, { amqp: port, dist: await freePort(), epmd: epmd.port });
    const launch: Launch = {
      name: 'rabbitmq',
      folder,
      port,
      program,
      args: [],
      readyWithinMs: 120_000,
      // Its orderly end takes seconds, for the sake of data that is thrown away.
      discardSignal: 'SIGKILL',
    };
    return await new RabbitMqService(launch, { env, httpPort, amqpsPort, tls: files, epmd }).start();
  } catch (error) {
    await epmd.stop();
    throw error;
  }
}

/**
 * The broker's own script takes all of this from the environment. (The wrapper that Debian puts before it would change
 * to another user and another home.)
 */
function environment(folder: string, ports: { amqp: number; dist: number; epmd: number }): Record<string, string> {
  const erlangPath = dirname(programs('rabbitmq').epmd);
  return {
    HOME: folder,
    PATH: `${erlangPath}:${process.env.PATH}`,
    // Its script then becomes the broker instead of waiting for it, and signals reach the broker itself.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_NODENAME: `ebb-${randomBytes(4).toString('hex')}@localhost`,
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_NODE_IP_ADDRESS: loopback,
    RABBITMQ_NODE_PORT: `${ports.amqp}`,
    RABBITMQ_DIST_PORT: `${ports.dist}`,
    // Idle schedulers that spin would take the processor from the tests.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none',
    RABBITMQ_CTL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_ADDRESS: loopback,
    ERL_EPMD_PORT: `${ports.epmd}`,
  };
}

function tlsLines(port: number, files: TlsFiles, mutual: boolean): string[] {
  return [
    `listeners.ssl.default = ${loopback}:${port}`,
    `ssl_options.cacertfile = ${files.caCert}`,
    `ssl_options.certfile = ${files.serverCert}`,
    `ssl_options.keyfile = ${files.serverKey}`,
    'ssl_options.verify = verify_peer',
    `ssl_options.fail_if_no_peer_cert = ${mutual}`,
  ];
}

/** Erlang's name service. A broker that finds none starts one that stays behind when the broker ends. */
class Epmd extends Service {
  protected override isReady(): Promise<boolean> {
    return isListening(this.port);
  }
}

async function startEpmd(): Promise<Epmd> {
  const port = await freePort();
  const folder = newServiceFolder('epmd');
  const args = ['-address', loopback, '-port', `${port}`];
  return new Epmd({ name: 'epmd', folder, port, program: programs('rabbitmq').epmd, args }).start();
}
