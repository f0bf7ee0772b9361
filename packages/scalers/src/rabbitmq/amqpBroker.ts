import type { Channel, ChannelModel } from 'amqplib';
import { SourceError, sourceError } from '../contract/errors.ts';
import { Rounds } from '../runtime/rounds.ts';
import { type TlsSettings, tlsOptions } from '../runtime/tls.ts';
import type { AmqpAddress } from './address.ts';

export interface AmqpPlace extends AmqpAddress {
  /** Null: the operating system's authorities where the URL says amqps. */
  tls: TlsSettings | null;
}

/**
 * Questions that are under way at once: each on a channel of its own, because the broker closes the channel of one that
 * fails. Together they share packets: a question costs 12 µs this way and 35 µs one after the other.
 */
const maxChannels = 32;
const batchSize = 250;
/** Processor time of one passive declare with all that belongs to it (20–40 as measured, with room for a busy machine), and of one that fails. */
const declareMicros = 50;
const failureMicros = 400;
const heartbeatSeconds = 20;
const reconnectAfterMs = 250;
const closeWithinMs = 300;

/** Ready messages of a queue, or why they cannot be had. */
type Counted = number | SourceError;

/**
 * One connection to one virtual host with one account. It only ever declares queues passively, which changes nothing; it
 * connects on the first question and again when it was broken off.
 */
export class AmqpBroker {
  readonly rounds: Rounds<string, number>;
  readonly #place: AmqpPlace;
  readonly #where: string;
  readonly #timeoutMs: number;
  readonly #nowMs: () => number;
  #connecting: Promise<ChannelModel> | null = null;
  #abort = new AbortController();
  #idle: Channel[] = [];
  #failure: { error: SourceError; untilMs: number } | null = null;
  #failedLately = 0;

  constructor(place: AmqpPlace, { timeoutMs, nowMs }: { timeoutMs: number; nowMs: () => number }) {
    this.#place = place;
    this.#where = `${place.hostname}:${place.port}`;
    this.#timeoutMs = timeoutMs;
    this.#nowMs = nowMs;
    this.rounds = new Rounds({
      key: (queue) => queue,
      ask: (queues) => this.#count(queues),
      costMicros: (queues) => queues.length * declareMicros + this.#failedLately * failureMicros,
      batchSize,
      nowMs,
    });
  }

  async close(): Promise<void> {
    this.rounds.close();
    const connecting = this.#connecting;
    this.#connecting = null;
    this.#idle = [];
    if (!connecting) return;
    const abort = this.#abort;
    const late = setTimeout(() => abort.abort(), closeWithinMs);
    // One that is still connecting is not waited for.
    const isConnected = await Promise.race([
      connecting.then(
        () => true,
        () => false,
      ),
      Promise.resolve(false),
    ]);
    if (isConnected) await connecting.then((connection) => connection.close()).catch(() => {});
    clearTimeout(late);
    abort.abort();
    await connecting.catch(() => {});
  }

  async #count(queues: readonly string[]): Promise<Counted[]> {
    const connection = await this.#connected();
    const counted: Counted[] = [];
    let next = 0;
    const work = async () => {
      let channel = this.#idle.pop();
      while (next < queues.length) {
        const index = next++;
        try {
          channel ??= await openChannel(connection);
          counted[index] = (await channel.checkQueue(queues[index] ?? '')).messageCount;
        } catch (error) {
          // The broker has closed the channel, and nothing else.
          channel = undefined;
          counted[index] = this.#refusal(error, queues[index] ?? '');
        }
      }
      if (channel) this.#idle.push(channel);
    };
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new SourceError('timeout', `${this.#where}: no answer within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
    });
    try {
      const workers = Array.from({ length: Math.min(maxChannels, queues.length) }, work);
      await Promise.race([Promise.all(workers), timeUp]);
    } catch (error) {
      this.#drop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    this.#failedLately = counted.filter((one) => one instanceof SourceError).length;
    if (this.#connecting === null)
      throw new SourceError('unreachable', `${this.#where}: the connection was broken off`);
    return counted;
  }

  #connected(): Promise<ChannelModel> {
    if (this.#failure && this.#nowMs() < this.#failure.untilMs) return Promise.reject(this.#failure.error);
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#drop();
      const failure = this.#connectError(error);
      this.#failure = { error: failure, untilMs: this.#nowMs() + reconnectAfterMs };
      throw failure;
    });
    return this.#connecting;
  }

  async #connect(): Promise<ChannelModel> {
    const { protocol, hostname, port, vhost, username, password, tls } = this.#place;
    const secure = tls === null ? {} : tlsOptions(tls);
    const { connect, credentials } = await import('amqplib');
    const abort = new AbortController();
    this.#abort = abort;
    const hasCertificateOnly = username === undefined && password === undefined && tls?.cert !== undefined;
    // Goes to `net.connect` or `tls.connect` as it is: the signal ends the socket, whatever it is waiting for.
    const socketOptions = {
      ...secure,
      ...(hasCertificateOnly ? { credentials: credentials.external() } : {}),
      clientProperties: { connection_name: 'ebb' },
      noDelay: true,
      timeout: this.#timeoutMs,
      signal: abort.signal,
    };
    // The client decodes the virtual host once more.
    const account = { username, password, vhost: encodeURIComponent(vhost), heartbeat: heartbeatSeconds };
    const connection = await connect({ protocol, hostname, port, ...account }, socketOptions);
    const lost = () => {
      if (this.#abort === abort) this.#drop();
    };
    connection.on('error', lost);
    connection.on('close', lost);
    this.#failure = null;
    return connection;
  }

  /** The next question connects anew. */
  #drop(): void {
    this.#connecting = null;
    this.#idle = [];
    this.#abort.abort();
  }

  #connectError(error: unknown): SourceError {
    const message = error instanceof Error ? error.message : '';
    const where = this.#where;
    const { vhost, username } = this.#place;
    if (/ACCESS.REFUSED|\b403\b/i.test(message)) {
      return new SourceError('unauthorized', `${where} refused the sign-in of user "${username ?? 'guest'}"`);
    }
    // The client does not pass on what the broker said to the virtual host: NOT_ALLOWED covers both.
    if (/got <ConnectionClose/.test(message)) {
      const user = username ?? 'guest';
      return new SourceError('not-found', `${where} has no virtual host "${vhost}", or user "${user}" may not use it`);
    }
    if (/ETIMEDOUT/.test(message) && !/^connect ETIMEDOUT \S/.test(message)) {
      return new SourceError('timeout', `${where}: no answer within ${this.#timeoutMs} ms`);
    }
    return sourceError(error, where);
  }

  #refusal(error: unknown, queue: string): SourceError {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const { vhost } = this.#place;
    const name = `queue "${queue}" in virtual host "${vhost}"`;
    if (code === 404) return new SourceError('not-found', `${this.#where} has no ${name}`);
    if (code === 403) return new SourceError('unauthorized', `${this.#where} does not let this user look at ${name}`);
    if (code === 405)
      return new SourceError('bad-answer', `${this.#where}: ${name} belongs to another connection alone`);
    return sourceError(error, this.#where);
  }
}

async function openChannel(connection: ChannelModel): Promise<Channel> {
  const channel = await connection.createChannel();
  // The question that was under way tells of it.
  channel.on('error', () => {});
  return channel;
}
