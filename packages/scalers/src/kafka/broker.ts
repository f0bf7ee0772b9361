import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Connection, SASLOptions } from '@platformatic/kafka';
import { type KafkaClient, loadClient } from './client.ts';
import { kafkaError } from './errors.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** How to reach and sign in to any broker of a cluster. */
export interface BrokerOptions {
  /** Longest time for a connection, and for one answer. */
  timeoutMs: number;
  tls: ConnectionOptions | null;
  sasl(): SASLOptions | null;
}

const clientId = 'ebb';
const defaultPort = 9092;
// One question of each kind is under way at a time, save where many groups have their own.
const questionsInFlight = 32;

/** `host`, `host:port`, `[v6]:port`, also with a listener's scheme before it. Null: none of these. */
export function brokerAddress(text: string): BrokerAddress | null {
  const [, v6, host, port] = /^(?:\w+:\/\/)?(?:\[([^\]\s]+)\]|([^:\s/]+))(?::(\d{1,5}))?\/?$/.exec(text.trim()) ?? [];
  const number = port === undefined ? defaultPort : Number(port);
  const name = v6 ?? host;
  return name === undefined || number < 1 || number > 65_535 ? null : { host: name, port: number };
}

export function addressText({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Lowest and highest version that a broker understands, by API. */
type Versions = ReadonlyMap<number, readonly [min: number, max: number]>;

/** One signed-in connection. */
export class Broker {
  readonly client: KafkaClient;
  readonly connection: Connection;
  readonly #versions: Versions;
  readonly where: string;

  private constructor(client: KafkaClient, connection: Connection, versions: Versions, where: string) {
    this.client = client;
    this.connection = connection;
    this.#versions = versions;
    this.where = where;
  }

  /** `onStart` gets what ends the attempt. Rejects with `SourceError`. */
  static async open(
    address: BrokerAddress,
    options: BrokerOptions & { answerWithinMs?: number },
    onStart: (end: () => void) => () => void,
  ): Promise<Broker> {
    const { timeoutMs, answerWithinMs = timeoutMs, tls } = options;
    const where = addressText(address);
    const client = await loadClient();
    const sasl = options.sasl();
    const connection = new client.Connection(clientId, {
      connectTimeout: timeoutMs,
      requestTimeout: answerWithinMs,
      maxInflights: questionsInFlight,
      ...(tls ? { tls, tlsServerName: isIP(address.host) === 0 } : {}),
      ...(sasl ? { sasl } : {}),
    });
    // Each failure also reaches the question it concerns; without a listener it would end the process.
    connection.on('error', () => {});
    const onEnd = onStart(() => end(connection));
    connection.once('close', () => {
      end(connection);
      onEnd();
    });
    try {
      await connection.connect(address.host, address.port);
      const { apiKeys } = await client.apiVersionsV1.api.async(connection, clientId, '1');
      const versions = new Map(apiKeys.map((api) => [api.apiKey, [api.minVersion, api.maxVersion] as const]));
      return new Broker(client, connection, versions, where);
    } catch (error) {
      end(connection);
      onEnd();
      throw kafkaError(error, where);
    }
  }

  get isOpen(): boolean {
    const { status } = this.connection;
    // While a session is being renewed the connection stays as it is.
    return status === 'connected' || status === 'reauthenticating';
  }

  /** Whether the broker understands this version of an API. */
  speaks(apiKey: number, version: number): boolean {
    const range = this.#versions.get(apiKey);
    return range !== undefined && version >= range[0] && version <= range[1];
  }

  /**
   * The whole answer, also where parts of it are errors: those are told by the code beside each part. Rejects with
   * `SourceError` when there is no answer.
   */
  async answer<Answer>(asked: Promise<Answer>): Promise<Answer> {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof this.client.ResponseError) return error.response as Answer;
      throw kafkaError(error, this.where);
    }
  }

  end(): void {
    end(this.connection);
  }
}

function end(connection: Connection): void {
  // Stops its timers, then drops what it would still wait for.
  connection.close(() => {});
  (connection.socket as Connection['socket'] | undefined)?.destroy();
}
