import type { Cluster, Redis } from 'ioredis';
import { SourceError } from '../contract/errors.ts';
import { tlsOptions } from '../runtime/tls.ts';
import { withinTime } from '../runtime/withinTime.ts';
import { type RedisPlace, whereOf } from './place.ts';
import { redisError } from './redisErrors.ts';

const reconnectAfterMs = 250;
/** In a cluster: hops to the node that owns a key now. */
const maxRedirections = 4;

export interface RedisClientOptions {
  place: RedisPlace;
  timeoutMs: number;
  nowMs(): number;
  /** What was connected is not any more. */
  lost?(): void;
}

/** One connection (or one to each node of a cluster) that is made on first use and anew after it was broken off. */
export class RedisClient {
  readonly where: string;
  readonly #options: RedisClientOptions;
  #client: Redis | Cluster | null = null;
  #ready: Promise<Redis | Cluster> | null = null;
  #failure: { error: SourceError; untilMs: number } | null = null;
  #isClosed = false;

  constructor(options: RedisClientOptions) {
    this.#options = options;
    this.where = whereOf(options.place);
  }

  /** Rejects with `SourceError`. */
  get(): Promise<Redis | Cluster> {
    const { nowMs } = this.#options;
    if (this.#isClosed) return Promise.reject(new SourceError('unreachable', `${this.where}: the source was closed`));
    if (this.#failure && nowMs() < this.#failure.untilMs) return Promise.reject(this.#failure.error);
    this.#ready ??= this.#connect().catch((error: unknown) => {
      this.drop();
      const failure = redisError(error, this.where);
      this.#failure = { error: failure, untilMs: nowMs() + reconnectAfterMs };
      throw failure;
    });
    return this.#ready;
  }

  /** Breaks the connection off; the next `get` makes another one. */
  drop(): void {
    const client = this.#client;
    this.#client = null;
    this.#ready = null;
    if (!client) return;
    client.disconnect();
    this.#options.lost?.();
  }

  close(): void {
    this.#isClosed = true;
    this.drop();
  }

  async #connect(): Promise<Redis | Cluster> {
    const { timeoutMs, place } = this.#options;
    const client = await createClient(place, timeoutMs);
    if (this.#isClosed) throw new SourceError('unreachable', `${this.where}: the source was closed`);
    this.#client = client;
    let lastError: unknown;
    client.on('error', (error: unknown) => {
      lastError = error;
    });
    client.on('end', () => {
      if (this.#client === client) this.drop();
    });
    try {
      await withinTime(timeoutMs, this.where, () => client.connect());
    } catch (error) {
      if (error instanceof SourceError && error.code === 'timeout') throw error;
      throw lastError ?? error;
    }
    // A refused SELECT leaves the client connected, to database 0.
    if (lastError !== undefined && place.topology !== 'cluster') throw lastError;
    this.#failure = null;
    return client;
  }
}

async function createClient(place: RedisPlace, timeoutMs: number): Promise<Redis | Cluster> {
  const { topology, addresses, database, username, password, sentinelMaster, sentinelUsername, sentinelPassword } =
    place;
  const tls = place.tls === null ? undefined : tlsOptions(place.tls);
  const { Cluster, Redis } = await import('ioredis');
  const base = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    connectTimeout: timeoutMs,
    connectionName: 'ebb',
    // All that a restricted account may not be allowed: HELLO, INFO, CLIENT SETINFO.
    protocol: 2,
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
  } as const;
  if (topology === 'cluster') {
    return new Cluster([...addresses], {
      lazyConnect: true,
      redisOptions: base,
      clusterRetryStrategy: () => null,
      enableReadyCheck: false,
      maxRedirections,
      slotsRefreshTimeout: timeoutMs,
      // Certificates and addresses are those that the nodes tell.
      dnsLookup: (host, done) => done(null, host),
    });
  }
  const single = { ...base, lazyConnect: true, db: database, retryStrategy: () => null };
  if (topology === 'single') return new Redis({ ...single, ...addresses[0] });
  return new Redis({
    ...single,
    sentinels: [...addresses],
    name: sentinelMaster,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    sentinelRetryStrategy: () => null,
  });
}
