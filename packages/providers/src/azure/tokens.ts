import { readFile } from 'node:fs/promises';
import { type AzureProof, azureTokenAnswer, azureTokenRequest, type Clock, ProviderError } from '@ebb/core';
import { askHttp, shortText } from '../cloud/http.ts';

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
    const proof: AzureProof =
      'clientSecret' in credentials
        ? { clientSecret: credentials.clientSecret }
        : { assertion: await tokenOf(credentials.tokenFile) };
    const { url, form } = azureTokenRequest({ authority, tenantId, clientId, scope: `${endpoint}/.default`, proof });
    return askHttp({ method: 'POST', url, body: new URLSearchParams(form), timeoutMs });
  };
  return async () => {
    if (kept !== null && clock.nowMs() < kept.untilMs) return kept.token;
    const { status, body } = await ask();
    const answer = azureTokenAnswer(status, body);
    if ('refusal' in answer) {
      const code = answer.isLater ? 'unavailable' : 'refused';
      throw new ProviderError(code, `Azure: signing in failed: ${shortText(answer.refusal)}`);
    }
    kept = { token: answer.token, untilMs: clock.nowMs() + answer.lifetimeMs - marginMs };
    return answer.token;
  };
}

async function tokenOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    throw new ProviderError('refused', `Azure: the token of the service account cannot be read: ${file}`);
  }
}
