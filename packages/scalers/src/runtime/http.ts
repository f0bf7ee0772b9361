import { createHash } from 'node:crypto';
import type { Agent } from 'undici';
import { SourceError, sourceError } from '../contract/errors.ts';
import type { ScalerContext } from '../contract/source.ts';
import { type TlsSettings, tlsOptions } from './tls.ts';

const largestAnswerBytes = 16 * 1024 * 1024;

export interface HttpRequest {
  url: string;
  method?: 'GET' | 'POST' | 'PUT';
  headers?: Record<string, string>;
  body?: string;
  signal: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** HTTP for scalers: one pool of kept connections for each TLS identity; nothing is loaded before the first request. */
export interface HttpClient {
  /** Any status. Rejects with `SourceError` when there is no whole answer. */
  request(request: HttpRequest): Promise<HttpAnswer>;
  /** A 2xx answer as JSON; 401 and 403, 404 and all others become `SourceError`s that quote the beginning of the answer. */
  json(request: HttpRequest): Promise<unknown>;
  close(): Promise<void>;
}

/** Triggers with the same TLS settings share their connections. */
export function openHttp(context: Pick<ScalerContext, 'connections'>, tls: TlsSettings = {}): HttpClient {
  const identity = createHash('sha256').update(JSON.stringify(tls)).digest('hex');
  const lease = context.connections.lease(
    `http ${identity}`,
    () => new PooledAgent(tls),
    (pool) => pool.close(),
  );
  const client: HttpClient = {
    request: (request) => lease.connection.request(request),
    async json(request) {
      const answer = await client.request(request);
      checkStatus(answer, request.url);
      try {
        return JSON.parse(answer.text) as unknown;
      } catch {
        throw new SourceError('bad-answer', `${place(request.url)}: the answer is not JSON: ${beginning(answer.text)}`);
      }
    },
    close: () => lease.release(),
  };
  return client;
}

/** Throws a `SourceError` for a status other than 2xx. */
export function checkStatus({ status, text }: HttpAnswer, url: string): void {
  if (status >= 200 && status < 300) return;
  const where = place(url);
  const said = text.trim() === '' ? '' : `: ${beginning(text)}`;
  if (status === 401 || status === 403)
    throw new SourceError('unauthorized', `${where} refused the sign-in (${status})${said}`);
  if (status === 404) throw new SourceError('not-found', `${where} was not found (404)${said}`);
  throw new SourceError('bad-answer', `${where} answered ${status}${said}`);
}

/** A URL without user, password and query: what may be shown. */
export function place(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return 'the URL';
  }
}

function beginning(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

class PooledAgent {
  readonly #tls: TlsSettings;
  #agent: Promise<Agent> | null = null;

  constructor(tls: TlsSettings) {
    this.#tls = tls;
  }

  async request({ url, method = 'GET', headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    const { request } = await import('undici');
    const dispatcher = await (this.#agent ??= this.#open());
    try {
      const answer = await request(url, {
        method,
        dispatcher,
        signal,
        ...(headers ? { headers } : {}),
        ...(body === undefined ? {} : { body }),
      });
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > largestAnswerBytes)
          throw new SourceError('bad-answer', `${place(url)}: more than 16 MiB of answer`);
        chunks.push(chunk);
      }
      return { status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString('utf8') };
    } catch (error) {
      if (signal.aborted) throw new SourceError('timeout', `${place(url)}: no answer within the time`);
      throw sourceError(error, place(url));
    }
  }

  async close(): Promise<void> {
    const agent = await this.#agent?.catch(() => null);
    await agent?.destroy();
  }

  async #open(): Promise<Agent> {
    const connect = tlsOptions(this.#tls);
    const { Agent } = await import('undici');
    return new Agent({ connect, keepAliveTimeout: 60_000, connections: 16 });
  }
}
