/** How an application of Microsoft Entra proves itself: by its secret, or by the token of a service account that it trusts. */
export type AzureProof = { clientSecret: string } | { assertion: string };

export interface AzureSignIn {
  /** Address of the authority, such as `https://login.microsoftonline.com`. */
  authority: string;
  tenantId: string;
  clientId: string;
  /** Whom the token is for: an address with `/.default` at its end. */
  scope: string;
  proof: AzureProof;
}

/** RFC 7523 §2.2. */
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Where the token is asked for, and the form that asks for it (client credentials of the v2.0 endpoint). */
export function azureTokenRequest({ authority, tenantId, clientId, scope, proof }: AzureSignIn): {
  url: string;
  form: Record<string, string>;
} {
  const proven: Record<string, string> =
    'clientSecret' in proof
      ? { client_secret: proof.clientSecret }
      : { client_assertion_type: assertionType, client_assertion: proof.assertion };
  return {
    url: `${authority.replace(/\/+$/, '')}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
    form: { grant_type: 'client_credentials', client_id: clientId, ...proven, scope },
  };
}

export type AzureTokenAnswer =
  | { token: string; lifetimeMs: number }
  /** What was said against it, on one line; `isLater`: it may work when it is asked again. */
  | { refusal: string; isLater: boolean };

/** What the authority, or a managed identity, answered: the parsed body, and null where it was not JSON. */
export function azureTokenAnswer(status: number, body: unknown): AzureTokenAnswer {
  const fields: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
  const token = fields.access_token;
  if (status < 400 && typeof token === 'string' && token !== '') {
    // The one says a number, the other the same as text.
    const seconds = Number(fields.expires_in ?? 0);
    return { token, lifetimeMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0 };
  }
  const error = typeof fields.error === 'string' && fields.error !== '' ? fields.error : `HTTP ${status}`;
  const description = typeof fields.error_description === 'string' ? fields.error_description : '';
  // The description's first line names the application, never its secret; what follows are trace ids.
  const [why = ''] = description.split('\n');
  const refusal = [error, why.trim()].filter((part) => part !== '').join(': ');
  return { refusal, isLater: status === 429 || status >= 500 };
}
