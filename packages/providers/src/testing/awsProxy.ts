import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface CannedAnswer {
  status: number;
  xml: string;
}

/**
 * Stands between the provider and moto, and does what moto cannot be made to do: it answers chosen actions in the form that AWS
 * documents, loses answers, cuts connections, and has a clock of its own.
 */
export class AwsProxy {
  readonly #target: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #canned = new Map<string, CannedAnswer>();
  readonly #lost = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  readonly #tokens = new Set<string>();
  isDown = false;
  /** Added to the time of day in every answer's head. */
  skewMs = 0;
  /** In place of every action's own answer. */
  everything: CannedAnswer | null = null;
  /** Bodies of requests, newest last. */
  readonly requests: URLSearchParams[] = [];

  constructor(target: string) {
    this.#target = target;
    this.#server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      if (this.isDown) socket.destroy();
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Returns the way to end it. */
  answer(action: string, answer: CannedAnswer): () => void {
    this.#canned.set(action, answer);
    return () => this.#canned.delete(action);
  }

  /** The next answers of the action are passed on to nobody, though AWS has done what was asked. */
  loseAnswers(action: string, times: number): void {
    this.#lost.set(action, times);
  }

  /** Requests for the action so far. */
  count(action: string): number {
    return this.#counts.get(action) ?? 0;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await textOf(incoming);
    const form = new URLSearchParams(body);
    const action = form.get('Action') ?? '';
    this.requests.push(form);
    this.#counts.set(action, this.count(action) + 1);
    if (this.isDown) return void incoming.socket.destroy();
    const lost = this.#lost.get(action) ?? 0;
    const canned = this.everything ?? this.#canned.get(action);
    // AWS makes one machine of all requests with one token; moto does not know tokens, and is asked once.
    const token = form.get('ClientToken');
    const isRepeated = token !== null && lost > 0 && this.#tokens.has(token);
    if (token !== null) this.#tokens.add(token);
    const answer = canned ?? (isRepeated ? null : await this.#ask(incoming, body));
    if (lost > 0) {
      this.#lost.set(action, lost - 1);
      return void incoming.socket.destroy();
    }
    outgoing.writeHead(answer?.status ?? 500, {
      'content-type': 'text/xml',
      date: new Date(Date.now() + this.skewMs).toUTCString(),
    });
    outgoing.end(answer?.xml ?? '');
  }

  #ask({ headers, method, url }: IncomingMessage, body: string): Promise<CannedAnswer> {
    return new Promise((resolve, reject) => {
      const asked = request(`${this.#target}${url}`, { method: method ?? 'POST', headers }, (response) => {
        textOf(response).then((xml) => resolve({ status: response.statusCode ?? 500, xml }), reject);
      });
      asked.on('error', () => resolve({ status: 502, xml: '' }));
      asked.end(body);
    });
  }
}

async function textOf(stream: IncomingMessage): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const part of stream) text += part;
  return text;
}

/** EC2's form of an error (API reference, "Error codes"). */
export function ec2Error(code: string, message: string, status = 400): CannedAnswer {
  const error = `<Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors>`;
  return {
    status,
    xml: `<?xml version="1.0" encoding="UTF-8"?><Response>${error}<RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>`,
  };
}

/** An answer of EC2 to an action that asks. */
export function ec2Answer(action: string, content: string): CannedAnswer {
  const space = 'http://ec2.amazonaws.com/doc/2016-11-15/';
  return {
    status: 200,
    xml: `<?xml version="1.0" encoding="UTF-8"?><${action}Response xmlns="${space}"><requestId>59dbff89-35bd-4eac-99ed-example</requestId>${content}</${action}Response>`,
  };
}
