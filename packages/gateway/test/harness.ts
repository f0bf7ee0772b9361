import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, request, type RequestOptions } from 'node:http';
import { connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDispatcher, type FromGateway, type GatewayWorkload, type ToGateway } from '@ebb/core';
import { type Connection, connectLink, socketPath } from '@ebb/link';
import { onTestFinished } from 'vitest';
import { type RunningGateway, startGateway } from '../src/gatewayProcess.ts';

type Message<Type extends FromGateway['type']> = Extract<FromGateway, { type: Type }>;

function isOf<Type extends FromGateway['type']>(
  type: Type,
  message: FromGateway | undefined,
): message is Message<Type> {
  return message?.type === type;
}

/** The control plane's end of a link: keeps every message, and waits for those that a test needs. */
export class ControlPlane {
  readonly messages: FromGateway[] = [];
  readonly #connection: Connection<FromGateway, ToGateway>;
  #waiting: (() => void)[] = [];

  constructor(connection: Connection<FromGateway, ToGateway>) {
    this.#connection = connection;
    connection.onMessage = (message) => {
      this.messages.push(message);
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }

  send(message: ToGateway): void {
    this.#connection.send(message);
  }

  /** Applies a workload and waits until the gateway has it. */
  async apply(workload: GatewayWorkload): Promise<void> {
    const from = this.messages.length;
    this.send({ type: 'workload', workload });
    await this.until('counts', ({ counts }) => counts.some((count) => count.workload === workload.key), from);
  }

  /** First message of the type, from the given index on, that fits. */
  async until<Type extends FromGateway['type']>(
    type: Type,
    fits: (message: Message<Type>) => boolean = () => true,
    from = 0,
  ): Promise<Message<Type>> {
    for (let index = from; ; index += 1) {
      while (index >= this.messages.length) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      const message = this.messages[index];
      if (isOf(type, message) && fits(message)) return message;
    }
  }

  async disconnect(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#connection.onClose = () => resolve();
    });
    this.#connection.destroy();
    await closed;
  }
}

export interface TestGateway extends RunningGateway {
  dataDirectory: string;
  control: ControlPlane;
  connect(epoch: number): Promise<ControlPlane>;
  logged: string[];
}

/** A whole gateway on a free port with a control plane on its link; both end with the test. */
export async function testGateway(workloads: GatewayWorkload[], shutdownMs = 5000): Promise<TestGateway> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'ebb-gateway-'));
  const logged: string[] = [];
  const running = await startGateway({
    dataDirectory,
    host: '127.0.0.1',
    port: 0,
    dispatcher: createDispatcher(1),
    log: (level, message, data) => logged.push(`${level} ${message} ${JSON.stringify(data ?? {})}`),
    shutdownMs,
  });
  onTestFinished(async () => {
    await running.stop('end of the test');
    rmSync(dataDirectory, { recursive: true, force: true });
  });
  const connectControl = async (epoch: number): Promise<ControlPlane> =>
    new ControlPlane(
      await connectLink<FromGateway, ToGateway>(socketPath(dataDirectory, 'gateway'), { sender: 'control', epoch }),
    );
  const control = await connectControl(1);
  control.send({ type: 'sync', workloads });
  await control.until('counts');
  return { ...running, dataDirectory, control, connect: connectControl, logged };
}

export interface TestReplica {
  port: number;
  requests: number;
  /** Stops listening and breaks every connection. */
  kill(): Promise<void>;
}

/** A real HTTP server in the place of a replica. */
export async function testReplica(listener: RequestListener, port = 0): Promise<TestReplica> {
  const replica = { port: 0, requests: 0, kill };
  const server = createServer((incoming, response) => {
    replica.requests += 1;
    listener(incoming, response);
  });
  server.listen(port, '127.0.0.1', 4096);
  await once(server, 'listening');
  replica.port = portOf(server);
  async function kill(): Promise<void> {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  onTestFinished(kill);
  return replica;
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listens on no port');
  return address.port;
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  rawHeaders: string[];
  trailers: IncomingMessage['trailers'];
  text: string;
  json(): Record<string, unknown>;
}

type Ask = RequestOptions & { body?: string | Buffer };

/** Sends one request on a connection of its own and reads the whole answer. Rejects when it is broken off. */
export function ask(port: number, path: string, options: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false, ...rest }, (answer) => {
      readAll(answer).then(resolve, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Begins a request and gives its answer's head, so that the body can be watched as it comes. */
export function open(port: number, path: string, options: RequestOptions = {}) {
  const outgoing = request({ host: '127.0.0.1', port, path, agent: false, ...options });
  outgoing.on('error', () => {});
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('close', () => reject(new Error('closed before an answer came')));
  });
  answer.catch(() => {});
  return { outgoing, answer };
}

async function readAll(answer: IncomingMessage): Promise<Answer> {
  answer.setEncoding('utf8');
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    rawHeaders: answer.rawHeaders,
    trailers: answer.trailers,
    text,
    json: () => objectOf(text),
  };
}

/** A bare connection on which a test writes what no client library would. */
export async function rawConnection(
  port: number,
): Promise<{ socket: Socket; received: () => string; closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await once(socket, 'connect');
  onTestFinished(() => {
    socket.destroy();
  });
  return { socket, received: () => text, closed };
}

export function objectOf(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error(`not an object: ${text}`);
  return { ...value };
}
