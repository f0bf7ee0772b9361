import { type Clock, ProviderError } from '@ebb/core';
import { askHttp, shortText } from '../cloud/http.ts';
import { numberAt, textAt } from '../cloud/json.ts';

/** A bearer token that is good now. */
export type TokenSource = () => Promise<string>;

export interface AzureCredentials {
  tenantId: string;
  clientId: string;
  clientSecret: string;
}

export interface TokenPlaces {
  /** Whom tokens are for. */
  endpoint: string;
  authority: string;
  /** Where this machine's managed identity gives its tokens. */
  identity: string;
}

/** Tokens are fetched anew this long before they end. */
const marginMs = 300_000;

/** Tokens for a client secret, or for the managed identity of this machine; kept until shortly before they end. */
export function azureTokens(
  credentials: AzureCredentials | null,
  { endpoint, authority, identity }: TokenPlaces,
  clock: Clock,
  timeoutMs: number,
): TokenSource {
  let kept: { token: string; untilMs: number } | null = null;
  const ask = () => {
    if (credentials === null) {
      const query = new URLSearchParams({ 'api-version': '2018-02-01', resource: `${endpoint}/` });
      const url = `${identity}/metadata/identity/oauth2/token?${query.toString()}`;
      return askHttp({ method: 'GET', url, headers: { Metadata: 'true' }, timeoutMs });
    }
    const { tenantId, clientId, clientSecret } = credentials;
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    const body = new URLSearchParams({ ...form, scope: `${endpoint}/.default` });
    const url = `${authority}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`;
    return askHttp({ method: 'POST', url, body, timeoutMs });
  };
  return async () => {
    if (kept !== null && clock.nowMs() < kept.untilMs) return kept.token;
    const { status, body } = await ask();
    const token = textAt(body, 'access_token');
    if (status >= 400 || token === null)
      throw refusal(status, textAt(body, 'error'), textAt(body, 'error_description'));
    // The one says a number, the other the same as text.
    const seconds = numberAt(body, 'expires_in') ?? Number(textAt(body, 'expires_in') ?? 0);
    kept = { token, untilMs: clock.nowMs() + seconds * 1000 - marginMs };
    return token;
  };
}

function refusal(status: number, error: string | null, description: string | null): ProviderError {
  const isLater = status === 429 || status >= 500;
  // The description's first line names the application, never its secret; what follows are trace ids.
  const [why = ''] = (description ?? '').split('\n');
  const told = [error ?? `HTTP ${status}`, why].filter((part) => part !== '').join(': ');
  return new ProviderError(isLater ? 'unavailable' : 'refused', `Azure: signing in failed: ${shortText(told)}`);
}
