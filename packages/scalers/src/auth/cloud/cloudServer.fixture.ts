import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Connections } from '../../runtime/connections.ts';
import { openHttp } from '../../runtime/http.ts';
import { AnswerCache } from '../answerCache.ts';
import type { CloudAccess } from './cloudAccess.ts';

/** A request as it came. */
export interface Asked {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
  body: string;
  /** The body as a form. */
  form: Record<string, string>;
}

export interface Said {
  status?: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body?: object | string;
}

/** A server on loopback in a cloud's place; it keeps what it was asked. */
export class CloudServer {
  asked: Asked[] = [];
  answer: (asked: Asked) => Said = () => ({ status: 404 });
  readonly #server: Server;
  url = '';

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      request.on('end', () => {
        const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
        const asked: Asked = {
          method: request.method ?? '',
          path: pathname,
          query: Object.fromEntries(searchParams),
          headers: request.headers,
          body,
          form: Object.fromEntries(new URLSearchParams(body)),
        };
        this.asked.push(asked);
        const { status = 200, headers = {}, body: said = '' } = this.answer(asked);
        response.writeHead(status, headers).end(typeof said === 'string' ? said : JSON.stringify(said));
      });
    });
  }

  get last(): Asked | undefined {
    return this.asked.at(-1);
  }

  get host(): string {
    return new URL(this.url).host;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** An environment with files, on a clock that the test moves. */
export class TestCloud implements CloudAccess {
  env: Record<string, string> = {};
  files: Record<string, string> = {};
  clockMs = Date.parse('2026-11-23T10:20:30Z');
  readonly http = openHttp({ connections: new Connections() });
  readonly cache = new AnswerCache(() => this.clockMs);
  readonly wallNowMs = () => this.clockMs;
  readonly ownEnv = (name: string) => (Object.hasOwn(this.env, name) ? this.env[name] : undefined);
  readonly readFile = async (path: string) => {
    const text = Object.hasOwn(this.files, path) ? this.files[path] : undefined;
    if (text !== undefined) return text;
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  };
}

export const within = () => AbortSignal.timeout(5000);

/** The message of what a promise rejects with; an error where it does not. */
export async function messageOf(promise: Promise<unknown>): Promise<string> {
  const thrown: unknown = await promise.then(
    (value) => `it gave ${JSON.stringify(value)}`,
    (error: unknown) => error,
  );
  if (!(thrown instanceof Error)) throw new Error(String(thrown));
  return thrown.message;
}
