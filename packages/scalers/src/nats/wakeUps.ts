import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { cacheKey } from '../auth/cacheKey.ts';
import { sourceError } from '../contract/errors.ts';
import type { ScalerContext } from '../contract/source.ts';
import type { Lease } from '../runtime/connections.ts';

/** How a client of NATS gets in. */
export interface NatsClientSettings {
  /** `nats://host:4222`, several with commas between. */
  servers: string;
  user: string | undefined;
  password: string | undefined;
  token: string | undefined;
}

/** At most one message is taken from a subject in this time, however many are published. */
const quietMs = 100;
const retryMs = 5000;
const connectWithinMs = 5000;

/** One client connection, shared by the triggers of one server and account; it comes back by itself. */
export class NatsClient {
  readonly #settings: NatsClientSettings;
  #connection: Promise<NatsConnection> | null = null;
  #isClosed = false;

  constructor(settings: NatsClientSettings) {
    this.#settings = settings;
  }

  /** Rejects where the server cannot be reached or refuses; the next call tries again. */
  async connection(): Promise<NatsConnection> {
    const connection = await (this.#connection ??= this.#connect());
    if (!connection.isClosed()) return connection;
    this.#connection = null;
    return this.connection();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const connection = await this.#connection?.catch(() => null);
    await connection?.close();
  }

  async #connect(): Promise<NatsConnection> {
    const { servers, user, password, token } = this.#settings;
    try {
      const { connect } = await import('@nats-io/transport-node');
      const connection = await connect({
        servers: servers.split(',').map((server) => server.trim()),
        name: 'ebb',
        ...(user === undefined ? {} : { user, pass: password ?? '' }),
        ...(token === undefined ? {} : { token }),
        timeout: connectWithinMs,
        maxReconnectAttempts: -1,
      });
      if (this.#isClosed) await connection.close();
      return connection;
    } catch (error) {
      this.#connection = null;
      throw sourceError(error, servers.replace(/\/\/[^@/]*@/g, '//'));
    }
  }
}

/** Triggers of the same server and user share their client. */
export function leaseNatsClient(
  { connections }: Pick<ScalerContext, 'connections'>,
  settings: NatsClientSettings,
): Lease<NatsClient> {
  const { servers, user, password, token } = settings;
  return connections.lease(
    `nats ${cacheKey(servers, user, password, token)}`,
    () => new NatsClient(settings),
    (client) => client.close(),
  );
}

/**
 * Listens to subjects and calls back when something is published there: for the first message at once, and then at most
 * once in `quietMs`, taking one message of each subject each time, so that a busy stream costs ten messages a second and
 * not all of them. What is published while nobody listens is covered by a call when the listening has begun again.
 */
export class SubjectListener {
  readonly #client: NatsClient;
  readonly #heard: () => void;
  readonly #failed: (error: Error) => void;
  readonly #subscriptions = new Map<string, Subscription>();
  #subjects: readonly string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(client: NatsClient, heard: () => void, failed: (error: Error) => void) {
    this.#client = client;
    this.#heard = heard;
    this.#failed = failed;
  }

  /** Listens to these from now on. */
  listen(subjects: readonly string[]): void {
    if (subjects.join(' ') === this.#subjects.join(' ')) return;
    this.#subjects = subjects;
    this.#end();
    this.#beginIn(0);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#end();
  }

  #beginIn(afterMs: number): void {
    if (this.#isStopped || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#begin();
    }, afterMs);
  }

  async #begin(): Promise<void> {
    try {
      const connection = await this.#client.connection();
      if (this.#isStopped) return;
      for (const subject of this.#subjects) {
        if (this.#subscriptions.has(subject)) continue;
        const callback = (error: Error | null) => this.#take(subject, error);
        this.#subscriptions.set(subject, connection.subscribe(subject, { max: 1, callback }));
      }
      await connection.flush();
      if (!this.#isStopped) this.#tell();
    } catch (error) {
      if (this.#isStopped) return;
      this.#failed(error instanceof Error ? error : new Error(String(error)));
      this.#beginIn(retryMs);
    }
  }

  #take(subject: string, error: Error | null): void {
    this.#subscriptions.delete(subject);
    if (this.#isStopped) return;
    if (error) this.#failed(error);
    else if (performance.now() - this.#lastMs >= quietMs) this.#tell();
    this.#beginIn(error ? retryMs : quietMs);
  }

  #tell(): void {
    this.#lastMs = performance.now();
    this.#heard();
  }

  #end(): void {
    for (const subscription of this.#subscriptions.values()) if (!subscription.isClosed()) subscription.unsubscribe();
    this.#subscriptions.clear();
  }
}
