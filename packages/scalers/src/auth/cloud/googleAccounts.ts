import { createSign } from 'node:crypto';
import { SourceError } from '../../contract/errors.ts';
import { askTokenPlace, type CloudAccess, jsonObject, noToken, textOf } from './cloudAccess.ts';

export interface GoogleToken {
  token: string;
  lifetimeMs: number;
}

/** Credentials of Google as a file or a Secret has them; `where` is for messages. */
export interface GoogleAccount {
  account: Readonly<Record<string, unknown>>;
  where: string;
}

const tokenAddress = 'https://oauth2.googleapis.com/token';
const assertionSeconds = 3600;
const formHeaders = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };

/**
 * A token for the key of a service account (RFC 7523, signed by the key), or for what gcloud keeps of a user.
 * Source: https://developers.google.com/identity/protocols/oauth2/service-account
 */
export function accountToken(
  access: CloudAccess,
  { account, where }: GoogleAccount,
  scopes: readonly string[],
  signal: AbortSignal,
): Promise<GoogleToken> {
  const need = (field: string) => {
    const value = textOf(account, field);
    if (value) return value;
    throw new SourceError('bad-setting', `${where} has no ${field}`);
  };
  const url = textOf(account, 'token_uri') ?? tokenAddress;
  if (account.type === 'service_account') {
    const email = need('client_email');
    const assertion = signedAssertion(access, { email, privateKey: need('private_key'), scopes, url, where });
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
    return askGoogle(access, `Google sign-in of ${email}`, url, form, [assertion], signal);
  }
  if (account.type === 'authorized_user') {
    const [clientId, clientSecret, refreshToken] = [need('client_id'), need('client_secret'), need('refresh_token')];
    const form = {
      grant_type: 'refresh_token',
      client_id: clientId,
      client_secret: clientSecret,
      refresh_token: refreshToken,
    };
    return askGoogle(access, 'Google sign-in of a user', tokenAddress, form, [clientSecret, refreshToken], signal);
  }
  const type = textOf(account, 'type') ?? 'none';
  const message = `${where} has credentials of the type ${type.slice(0, 40)}; known here are service_account and authorized_user`;
  throw new SourceError('unsupported', message);
}

/** Asks with a form. `secrets` is what must not come back in a message. */
export async function askGoogle(
  access: CloudAccess,
  who: string,
  url: string,
  form: Readonly<Record<string, string>>,
  secrets: readonly string[],
  signal: AbortSignal,
): Promise<GoogleToken> {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new SourceError('bad-setting', `${who}: its token address is not an address`);
  }
  const body = new URLSearchParams(form).toString();
  const { status, text } = await askTokenPlace(access, who, {
    url,
    method: 'POST',
    headers: formHeaders,
    body,
    signal,
  });
  const answer = jsonObject(text);
  const token = status >= 200 && status < 300 ? tokenIn(answer) : null;
  if (token) return token;
  const said = [textOf(answer, 'error'), textOf(answer, 'error_description')].filter((part) => part !== undefined);
  throw noToken(who, url, status, said.join(': '), secrets);
}

/** The token of an answer of OAuth 2; null: it has none. */
export function tokenIn(answer: Readonly<Record<string, unknown>> | null): GoogleToken | null {
  const token = textOf(answer, 'access_token');
  if (!token) return null;
  const seconds = Number(answer?.expires_in);
  return { token, lifetimeMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0 };
}

function signedAssertion(
  { wallNowMs }: CloudAccess,
  about: { email: string; privateKey: string; scopes: readonly string[]; url: string; where: string },
): string {
  const nowSeconds = Math.floor(wallNowMs() / 1000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iss: about.email,
    scope: about.scopes.join(' '),
    aud: about.url,
    iat: nowSeconds,
    exp: nowSeconds + assertionSeconds,
  };
  const content = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  try {
    return `${content}.${createSign('RSA-SHA256').update(content).sign(about.privateKey, 'base64url')}`;
  } catch {
    // The library's own message may quote the key.
    throw new SourceError('bad-setting', `${about.where} has a private_key that is not a key in PEM`);
  }
}
