import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const answerWithinMs = 5_000;

export interface NatsCredentials {
  readonly user: string;
  readonly password: string;
}

/**
 * Just enough of NATS' text protocol to prepare a server for a test: Debian has no command line tool for it.
 * https://docs.nats.io/reference/reference-protocols/nats-protocol
 */
export class NatsClient {
  readonly #socket: Socket;
  readonly #waiting: ((line: string) => void)[] = [];
  readonly #arrived: string[] = [];
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => {
      if (line === 'PING') return void socket.write('PONG\r\n');
      this.#arrived.push(line);
      this.#wake();
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the NATS server closed the connection')));
    lines.on('error', (error) => this.#fail(error));
  }

  static async connect(port: number, host: string, credentials?: NatsCredentials): Promise<NatsClient> {
    const client = new NatsClient(connect(port, host));
    await client.#next('INFO');
    const { user, password } = credentials ?? {};
    client.#send(
      `CONNECT ${JSON.stringify({ verbose: false, headers: true, no_responders: true, user, pass: password })}`,
    );
    await client.flush();
    return client;
  }

  publish(subject: string, payload: string): void {
    this.#send(`PUB ${subject} ${Buffer.byteLength(payload)}\r\n${payload}`);
  }

  /** Everything that was sent before has arrived when this returns. */
  async flush(): Promise<void> {
    this.#send('PING');
    await this.#next('PONG');
  }

  /** Sends JSON and returns the JSON of the first answer. */
  async request(subject: string, body?: unknown): Promise<Record<string, unknown>> {
    const { payload } = await this.#ask(subject, body === undefined ? '' : JSON.stringify(body));
    return JSON.parse(payload);
  }

  /** Publishes as `publish` does and waits until a stream has acknowledged it. */
  async publishToStream(subject: string, payload: string): Promise<void> {
    const answer = JSON.parse((await this.#ask(subject, payload)).payload);
    if (answer.error) throw new Error(`no stream took a message to ${subject}: ${JSON.stringify(answer.error)}`);
  }

  /** Takes one message from a pull consumer and acknowledges it. */
  async take(stream: string, consumer: string): Promise<void> {
    const { head } = await this.#ask(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, '');
    // MSG subject sid reply-to size
    const replyTo = head.split(' ')[3];
    this.publish(replyTo ?? '', '+ACK');
    await this.flush();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #ask(subject: string, payload: string): Promise<{ head: string; payload: string }> {
    const inbox = `_INBOX.${randomUUID()}`;
    const publish = `PUB ${subject} ${inbox} ${Buffer.byteLength(payload)}\r\n${payload}`;
    this.#send(`SUB ${inbox} 1\r\nUNSUB 1 1\r\n${publish}`);
    const head = await this.#next('MSG', 'HMSG');
    if (head.startsWith('HMSG')) throw new Error(`no answer to ${subject}: ${await this.#next('NATS/1.0')}`);
    return { head, payload: await this.#next('') };
  }

  #send(text: string): void {
    this.#socket.write(`${text}\r\n`);
  }

  /** The next line, which must begin with one of the words. */
  async #next(...words: string[]): Promise<string> {
    const line = this.#arrived.shift() ?? (await this.#wait());
    if (words.some((word) => line.startsWith(word))) return line;
    throw new Error(`the NATS server answered ${line.slice(0, 200)}`);
  }

  #wait(): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      const timer = setTimeout(() => reject(new Error('the NATS server does not answer')), answerWithinMs);
      this.#waiting.push((line) => {
        clearTimeout(timer);
        if (this.#failure) reject(this.#failure);
        else resolve(line);
      });
    });
  }

  #wake(): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(this.#arrived.shift() ?? '');
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting('');
  }
}
