import { SourceError } from '../contract/errors.ts';
import type { ScalerContext } from '../contract/source.ts';
import { checkStatus, type HttpAnswer, type HttpClient, openHttp, place } from '../runtime/http.ts';
import type { TlsSettings } from '../runtime/tls.ts';
import { cacheKey } from './cacheKey.ts';

/** What the client-credentials grant of OAuth 2 (RFC 6749, 4.4) needs. */
export interface ClientCredentials {
  tokenUrl: string;
  clientId: string;
  clientSecret?: string | undefined;
  scopes?: readonly string[] | undefined;
  /** Further fields of the request, such as `audience`. */
  endpointParams?: Readonly<Record<string, string>> | undefined;
}

/** A token that is fetched when it is needed and kept until shortly before it expires. */
export interface OAuthToken {
  /** The access token; fetched at most once at a time. Rejects with `SourceError`. */
  get(signal: AbortSignal): Promise<string>;
  /** Says that the token was refused: the next `get` fetches another one. */
  drop(token: string): void;
  close(): Promise<void>;
}

/** Used where the answer does not say how long the token holds. */
const defaultLifetimeMs = 5 * 60_000;
/** A token is not used in the last part of its life: a tenth, and never more than this. */
const maxMarginMs = 60_000;

/** Triggers with the same credentials share one token. Nothing is asked before the first `get`. */
export function openOAuthToken(
  context: Pick<ScalerContext, 'connections' | 'nowMs' | 'timeoutMs'>,
  credentials: ClientCredentials,
  tls: TlsSettings = {},
): OAuthToken {
  const { tokenUrl, clientId, clientSecret, scopes = [], endpointParams = {} } = credentials;
  const parts = [tokenUrl, clientId, clientSecret, ...scopes, JSON.stringify(endpointParams), JSON.stringify(tls)];
  const lease = context.connections.lease(
    `oauth ${cacheKey(...parts)}`,
    () => new SharedToken(context, credentials, openHttp(context, tls)),
    (token) => token.close(),
  );
  return {
    get: (signal) => lease.connection.get(signal),
    drop: (token) => lease.connection.drop(token),
    close: () => lease.release(),
  };
}

class SharedToken {
  readonly #clock: Pick<ScalerContext, 'nowMs' | 'timeoutMs'>;
  readonly #credentials: ClientCredentials;
  readonly #http: HttpClient;
  #kept: { token: string; untilMs: number } | null = null;
  #asked: Promise<string> | null = null;
  /** How the server wants to be told who is asking. The header comes first, which every server must know. */
  #style: 'header' | 'body' = 'header';

  constructor(clock: Pick<ScalerContext, 'nowMs' | 'timeoutMs'>, credentials: ClientCredentials, http: HttpClient) {
    this.#clock = clock;
    this.#credentials = credentials;
    this.#http = http;
  }

  async get(signal: AbortSignal): Promise<string> {
    if (this.#kept && this.#kept.untilMs > this.#clock.nowMs()) return this.#kept.token;
    this.#asked ??= this.#ask(AbortSignal.timeout(this.#clock.timeoutMs)).finally(() => {
      this.#asked = null;
    });
    return await unlessAborted(this.#asked, signal, this.#credentials.tokenUrl);
  }

  drop(token: string): void {
    if (this.#kept?.token === token) this.#kept = null;
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #ask(signal: AbortSignal): Promise<string> {
    const { tokenUrl } = this.#credentials;
    let answer = await this.#post(signal);
    if (this.#style === 'header' && (answer.status === 400 || answer.status === 401)) {
      this.#style = 'body';
      answer = await this.#post(signal);
      if (answer.status >= 400) this.#style = 'header';
    }
    if (answer.status === 400 || answer.status === 401) {
      const reason = errorOf(answer.text);
      throw new SourceError('unauthorized', `${place(tokenUrl)} gave no token (${answer.status})${reason}`);
    }
    checkStatus(answer, tokenUrl);
    const { token, lifetimeMs } = tokenOf(answer.text, tokenUrl);
    const marginMs = Math.min(maxMarginMs, lifetimeMs / 10);
    this.#kept = { token, untilMs: this.#clock.nowMs() + lifetimeMs - marginMs };
    return token;
  }

  #post(signal: AbortSignal): Promise<HttpAnswer> {
    const { tokenUrl, clientId, clientSecret = '', scopes = [], endpointParams = {} } = this.#credentials;
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...endpointParams });
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    const headers: Record<string, string> = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    };
    if (this.#style === 'header') {
      // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
      const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
      headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    } else {
      form.set('client_id', clientId);
      if (clientSecret !== '') form.set('client_secret', clientSecret);
    }
    return this.#http.request({ url: tokenUrl, method: 'POST', headers, body: form.toString(), signal });
  }
}

function tokenOf(text: string, tokenUrl: string): { token: string; lifetimeMs: number } {
  const body = jsonObject(text);
  const token = body?.access_token;
  // What was answered may hold a token and is not quoted.
  if (typeof token !== 'string' || token === '') {
    throw new SourceError('bad-answer', `${place(tokenUrl)}: the answer has no access_token`);
  }
  const seconds = Number(body?.expires_in);
  return { token, lifetimeMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : defaultLifetimeMs };
}

function errorOf(text: string): string {
  const body = jsonObject(text);
  const parts = [body?.error, body?.error_description].filter((part) => typeof part === 'string' && part !== '');
  return parts.length === 0 ? '' : `: ${parts.join(': ').slice(0, 160)}`;
}

function jsonObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** One who gives up waiting does not take the token away from the others. */
async function unlessAborted(token: Promise<string>, signal: AbortSignal, tokenUrl: string): Promise<string> {
  const givenUp = Promise.withResolvers<never>();
  const giveUp = () => givenUp.reject(new SourceError('timeout', `${place(tokenUrl)}: no token within the time`));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([token, givenUp.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
