import { readFile } from 'node:fs/promises';
import { type Clock, ProviderError } from '@ebb/core';
import { askHttp, shortText } from '../cloud/http.ts';
import { numberAt, textAt } from '../cloud/json.ts';

/** A bearer token that is good now. */
export type TokenSource = () => Promise<string>;

/** Who signs in, and by what. */
export type AzureCredentials = {
  tenantId: string;
  clientId: string;
} & (
  | { clientSecret: string }
  /** Where the cluster keeps the token of this pod's service account, which the application trusts; it is replaced from time to time. */
  | { tokenFile: string }
);

/** The identity that Azure's webhook gives to a pod by its service account, out of the process's environment; null: it has none. */
export function workloadIdentity(env: Readonly<Record<string, string | undefined>>): AzureCredentials | null {
  const { AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: clientId, AZURE_FEDERATED_TOKEN_FILE: tokenFile } = env;
  return tenantId && clientId && tokenFile ? { tenantId, clientId, tokenFile } : null;
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
/** RFC 7523 §2.2. */
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Tokens for credentials, or for the managed identity of this machine; kept until shortly before they end. */
export function azureTokens(
  credentials: AzureCredentials | null,
  { endpoint, authority, identity }: TokenPlaces,
  clock: Clock,
  timeoutMs: number,
): TokenSource {
  let kept: { token: string; untilMs: number } | null = null;
  const ask = async () => {
    if (credentials === null) {
      const query = new URLSearchParams({ 'api-version': '2018-02-01', resource: `${endpoint}/` });
      const url = `${identity}/metadata/identity/oauth2/token?${query.toString()}`;
      return askHttp({ method: 'GET', url, headers: { Metadata: 'true' }, timeoutMs });
    }
    const { tenantId, clientId } = credentials;
    const proof: Record<string, string> =
      'clientSecret' in credentials
        ? { client_secret: credentials.clientSecret }
        : { client_assertion_type: assertionType, client_assertion: await tokenOf(credentials.tokenFile) };
    const form = { grant_type: 'client_credentials', client_id: clientId, ...proof };
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

async function tokenOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    throw new ProviderError('refused', `Azure: the token of the service account cannot be read: ${file}`);
  }
}

function refusal(status: number, error: string | null, description: string | null): ProviderError {
  const isLater = status === 429 || status >= 500;
  // The description's first line names the application, never its secret; what follows are trace ids.
  const [why = ''] = (description ?? '').split('\n');
  const told = [error ?? `HTTP ${status}`, why].filter((part) => part !== '').join(': ');
  return new ProviderError(isLater ? 'unavailable' : 'refused', `Azure: signing in failed: ${shortText(told)}`);
}
