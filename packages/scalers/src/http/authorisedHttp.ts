import type { CloudToken } from '../auth/cloud/cloudAccess.ts';
import { type OAuthToken, openOAuthToken } from '../auth/oauthToken.ts';
import { SourceError } from '../contract/errors.ts';
import type { ScalerContext } from '../contract/source.ts';
import { type HttpAnswer, openHttp, place } from '../runtime/http.ts';
import type { TlsSettings } from '../runtime/tls.ts';
import { type AuthSettings, modesOf } from './authModes.ts';

/** GET requests that carry what the trigger's authentication modes ask for. */
export interface AuthorisedHttp {
  /** Any status but a redirection. Rejects with `SourceError`. */
  get(url: string, signal: AbortSignal, headers?: Readonly<Record<string, string>>): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** How an identity of a cloud is shown: by a token, or by a signature of each request. */
export type IdentityProof = { token: Omit<CloudToken, 'key'> } | { sign: RequestSigner };

/** The headers of a GET request with those that sign it. Rejects with `SourceError`. */
export type RequestSigner = (
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<Record<string, string>>;

/** As many as Go's client follows. */
const maxRedirections = 10;

/**
 * Opens HTTP with the modes of the settings, or with an identity in their place. Throws `SourceError` for certificates that
 * cannot be used.
 */
export function openAuthorisedHttp(
  context: Pick<ScalerContext, 'connections' | 'nowMs' | 'timeoutMs'>,
  settings: AuthSettings,
  unsafeSsl: boolean,
  proof: IdentityProof | null = null,
): AuthorisedHttp {
  const modes = modesOf(settings);
  // An identity is only shown to whom the certificate names.
  const tls = tlsOf(settings, unsafeSsl && proof === null);
  const http = openHttp(context, tls);
  const tokens = proof !== null && 'token' in proof ? proof.token : null;
  const oauth = tokens ?? (modes.includes('oauth') ? openOAuthToken(context, credentialsOf(settings), tls) : null);
  const sign = proof !== null && 'sign' in proof ? proof.sign : null;
  const own = headersOf(settings);

  /** The answer of the place that the redirections lead to. Another host is told no headers: they say who is asking. */
  async function follow(from: URL, given: Record<string, string>, secret: Record<string, string>, signal: AbortSignal) {
    let url = from;
    for (let times = 0; times <= maxRedirections; times++) {
      const isTrusted = url.hostname === from.hostname && (url.protocol === 'https:' || from.protocol === 'http:');
      const headers = isTrusted ? { ...given, ...secret } : {};
      const signed = isTrusted && sign !== null ? await sign(url.href, headers, signal) : headers;
      const answer = await http.request({ url: url.href, headers: signed, signal });
      const next = redirection(answer);
      if (next === null) return answer;
      try {
        url = new URL(next, url);
      } catch {
        throw new SourceError('bad-answer', `${place(url.href)} redirects to what is not a URL`);
      }
    }
    throw new SourceError('bad-answer', `${place(from.href)} redirects more than ${maxRedirections} times`);
  }

  return {
    async get(written, signal, given = {}) {
      const { url, headers: fromUrl } = splitCredentials(written);
      if (modes.includes('apiKey') && settings.method === 'query') {
        url.searchParams.set(settings.keyParamName ?? 'api_key', settings.apiKey?.trim() ?? '');
      }
      const headers = lowerCase(given);
      if (!oauth) return follow(url, headers, { ...fromUrl, ...own }, signal);
      const ask = (token: string) => follow(url, headers, { ...own, authorization: `Bearer ${token}` }, signal);
      const token = await oauth.get(signal);
      const answer = await ask(token);
      if (answer.status !== 401) return answer;
      // It may have been withdrawn before its time.
      oauth.drop(token);
      return ask(await oauth.get(signal));
    },
    close: () => closeAll(http, oauth),
  };
}

async function closeAll(http: { close(): Promise<void> }, oauth: OAuthToken | null): Promise<void> {
  await oauth?.close();
  await http.close();
}

function tlsOf(settings: AuthSettings, unsafeSsl: boolean): TlsSettings {
  const { ca, cert, key } = settings;
  return {
    ...(ca === undefined || ca.trim() === '' ? {} : { ca }),
    ...(modesOf(settings).includes('tls') ? { cert, key } : {}),
    ...(unsafeSsl ? { unsafeSsl } : {}),
  };
}

function credentialsOf(settings: AuthSettings) {
  const { oauthTokenURI = '', clientID = '', clientSecret, endpointParams = '' } = settings;
  return {
    tokenUrl: oauthTokenURI.trim(),
    clientId: clientID.trim(),
    clientSecret: clientSecret?.trim(),
    scopes: settings.scopes ?? settings.scope ?? [],
    endpointParams: Object.fromEntries(new URLSearchParams(endpointParams)),
  };
}

function headersOf(settings: AuthSettings): Record<string, string> {
  const modes = modesOf(settings);
  const headers: Record<string, string> = {};
  if (modes.includes('custom')) {
    headers[settings.customAuthHeader?.trim().toLowerCase() ?? ''] = settings.customAuthValue?.trim() ?? '';
  }
  if (modes.includes('apiKey') && settings.method === 'header') {
    headers[settings.keyParamName?.trim().toLowerCase() ?? 'x-api-key'] = settings.apiKey?.trim() ?? '';
  }
  if (modes.includes('bearer'))
    headers.authorization = `Bearer ${(settings.bearerToken ?? settings.token ?? '').trim()}`;
  if (modes.includes('basic')) headers.authorization = basic(settings.username?.trim(), settings.password?.trim());
  return headers;
}

function basic(user = '', password = ''): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** User and password of a URL go into a header: a URL may be shown. */
function splitCredentials(written: string): { url: URL; headers: Record<string, string> } {
  let url: URL;
  try {
    url = new URL(written);
  } catch {
    throw new SourceError('bad-setting', 'the address is not a URL such as http://host:9090');
  }
  const { username, password } = url;
  if (username === '' && password === '') return { url, headers: {} };
  url.username = '';
  url.password = '';
  return { url, headers: { authorization: basic(decodeURIComponent(username), decodeURIComponent(password)) } };
}

function redirection({ status, headers }: HttpAnswer): string | null {
  const to = headers.location;
  return [301, 302, 303, 307, 308].includes(status) && typeof to === 'string' ? to : null;
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
