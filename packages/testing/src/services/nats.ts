import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programs } from './installed.ts';
import { NatsClient, type NatsCredentials } from './natsClient.ts';
import { getPage } from './page.ts';
import { freePort, loopback } from './ports.ts';
import { type Launch, Service } from './service.ts';
import { type TlsFiles, tlsFiles } from './tlsFiles.ts';
import { newServiceFolder } from './watchdog.ts';

export interface NatsOptions {
  /** Accounts with JetStream and their users. Without any, everybody is in the account `$G`. */
  readonly accounts?: readonly { readonly name: string; readonly users: readonly NatsCredentials[] }[];
  /** The monitoring port speaks https. */
  readonly monitoringTls?: boolean;
}

/** A running nats-server with JetStream. Streams, consumers and messages outlive `restart` and `kill`. */
export class NatsService extends Service {
  readonly monitoringPort: number;
  readonly tls: TlsFiles | undefined;

  constructor(launch: Launch, monitoringPort: number, tls: TlsFiles | undefined) {
    super(launch);
    this.monitoringPort = monitoringPort;
    this.tls = tls;
  }

  get url(): string {
    return `nats://${this.address}`;
  }

  /** `host:port` of the monitoring endpoint, which a JetStream trigger asks. */
  get monitoringAddress(): string {
    return `${this.host}:${this.monitoringPort}`;
  }

  get monitoringUrl(): string {
    return `${this.tls ? 'https' : 'http'}://${this.monitoringAddress}`;
  }

  protected override async isReady(): Promise<boolean> {
    return (await getPage(`${this.monitoringUrl}/healthz`, this.tls ? { tls: this.tls } : {})).status === 200;
  }

  /** Creates a stream that keeps the messages of `subjects` on disk. */
  async createStream(name: string, subjects: readonly string[], credentials?: NatsCredentials): Promise<void> {
    const config = { name, subjects, retention: 'limits', storage: 'file', num_replicas: 1, max_age: 0 };
    await this.jetStream(`STREAM.CREATE.${name}`, config, credentials);
  }

  /** Creates a durable pull consumer that wants every message acknowledged. */
  async createConsumer(stream: string, name: string, credentials?: NatsCredentials): Promise<void> {
    const config = { durable_name: name, ack_policy: 'explicit', deliver_policy: 'all' };
    const body = { stream_name: stream, config };
    await this.jetStream(`CONSUMER.DURABLE.CREATE.${stream}.${name}`, body, credentials);
  }

  /** Publishes the messages; the stream has them when this returns. */
  async publish(subject: string, messages: readonly string[], credentials?: NatsCredentials): Promise<void> {
    await this.#connected(credentials, async (client) => {
      for (const message of messages.slice(0, -1)) client.publish(subject, message);
      // The acknowledgement of the last one covers those before it: a stream keeps the order of a connection.
      const last = messages.at(-1);
      if (last !== undefined) await client.publishToStream(subject, last);
    });
  }

  /** Takes `count` messages from the consumer and acknowledges each. */
  async consume(stream: string, consumer: string, count: number, credentials?: NatsCredentials): Promise<void> {
    await this.#connected(credentials, async (client) => {
      for (let taken = 0; taken < count; taken++) await client.take(stream, consumer);
    });
  }

  /**
   * Asks JetStream's API, for example `jetStream('CONSUMER.INFO.orders.worker')`: the server's own word on what is
   * pending. An error in the answer is thrown.
   */
  async jetStream(path: string, body?: unknown, credentials?: NatsCredentials): Promise<Record<string, unknown>> {
    const answer = await this.#connected(credentials, (client) => client.request(`$JS.API.${path}`, body));
    if (answer.error) throw new Error(`JetStream ${path}: ${JSON.stringify(answer.error)}`);
    return answer;
  }

  async #connected<Result>(
    credentials: NatsCredentials | undefined,
    use: (client: NatsClient) => Promise<Result>,
  ): Promise<Result> {
    const client = await NatsClient.connect(this.port, this.host, credentials);
    try {
      return await use(client);
    } finally {
      client.close();
    }
  }
}

/** Starts nats-server with JetStream and its monitoring endpoint on free ports. */
export async function startNats({ accounts = [], monitoringTls = false }: NatsOptions = {}): Promise<NatsService> {
  const program = programs('nats')['nats-server'];
  const folder = newServiceFolder('nats');
  const port = await freePort();
  const monitoringPort = await freePort();
  const files = monitoringTls ? await tlsFiles() : undefined;
  // The configuration language of NATS takes JSON.
  const config = {
    listen: `${loopback}:${port}`,
    [files ? 'https' : 'http']: `${loopback}:${monitoringPort}`,
    ...(files ? { tls: { cert_file: files.serverCert, key_file: files.serverKey }, allow_non_tls: true } : {}),
    jetstream: { store_dir: join(folder, 'jetstream'), max_memory_store: 64 * 1024 * 1024 },
    ...(accounts.length > 0 ? { accounts: Object.fromEntries(accounts.map(accountEntry)) } : {}),
  };
  const path = join(folder, 'nats.conf');
  writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  const launch = { name: 'nats', folder, port, program, args: ['-c', path] };
  return new NatsService(launch, monitoringPort, files).start();
}

function accountEntry({ name, users }: NonNullable<NatsOptions['accounts']>[number]) {
  return [name, { jetstream: 'enabled', users }] as const;
}
