import { SourceError } from '../../contract/errors.ts';
import { askTokenPlace, type CloudAccess, fileOf, jsonObject, noToken, textOf } from './cloudAccess.ts';
import { askGoogle, type GoogleAccount, type GoogleToken } from './googleAccounts.ts';

const exchangeAddress = 'https://sts.googleapis.com/v1/token';
const platformScope = 'https://www.googleapis.com/auth/cloud-platform';
const impersonatedSeconds = 3600;

/**
 * A token for an identity from outside of Google (workload identity federation): the token of a file or of an address is exchanged,
 * and where the credentials say so, a service account is impersonated with what comes out.
 * Source: https://google.aip.dev/auth/4117
 */
export async function externalAccountToken(
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
  const subjectToken = await subjectTokenOf(access, account, where, signal);
  const impersonation = textOf(account, 'service_account_impersonation_url');
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: need('audience'),
    subject_token_type: need('subject_token_type'),
    subject_token: subjectToken,
    scope: impersonation ? platformScope : scopes.join(' '),
  };
  const url = textOf(account, 'token_url') ?? exchangeAddress;
  const exchanged = await askGoogle(access, 'Google token exchange', url, form, [subjectToken], signal);
  return impersonation ? impersonate(access, impersonation, exchanged.token, scopes, signal) : exchanged;
}

async function impersonate(
  access: CloudAccess,
  url: string,
  token: string,
  scopes: readonly string[],
  signal: AbortSignal,
): Promise<GoogleToken> {
  const who = 'Google service account impersonation';
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const body = JSON.stringify({ scope: scopes, lifetime: `${impersonatedSeconds}s` });
  const { status, text } = await askTokenPlace(access, who, { url, method: 'POST', headers, body, signal });
  const answer = jsonObject(text);
  const given = status === 200 ? textOf(answer, 'accessToken') : undefined;
  if (given) {
    const endMs = Date.parse(textOf(answer, 'expireTime') ?? '');
    return { token: given, lifetimeMs: Number.isFinite(endMs) ? Math.max(1, endMs - access.wallNowMs()) : 0 };
  }
  const error = answer?.error;
  const said = typeof error === 'object' && error !== null ? textOf({ ...error }, 'message') : undefined;
  throw noToken(who, url, status, said ?? '', [token]);
}

async function subjectTokenOf(
  access: CloudAccess,
  account: Readonly<Record<string, unknown>>,
  where: string,
  signal: AbortSignal,
): Promise<string> {
  const source = objectOf(account.credential_source);
  const [file, url] = [textOf(source, 'file'), textOf(source, 'url')];
  const text = file
    ? await fileOf(access, file, 'credential_source.file')
    : url
      ? await fetched(access, source, url, signal)
      : null;
  if (text === null || textOf(source, 'environment_id')) {
    throw new SourceError('unsupported', `${where} has a credential_source that is neither a file nor an address`);
  }
  const format = objectOf(source.format);
  if (format.type !== 'json') return text.trim();
  const field = textOf(format, 'subject_token_field_name') ?? '';
  const token = textOf(jsonObject(text), field);
  if (token) return token;
  throw new SourceError('bad-answer', `${where}: its credential_source has no field ${field}`);
}

async function fetched(
  access: CloudAccess,
  source: Readonly<Record<string, unknown>>,
  url: string,
  signal: AbortSignal,
): Promise<string> {
  const headers = Object.fromEntries(
    Object.entries(objectOf(source.headers)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
  const who = 'Google credential_source';
  const { status, text } = await askTokenPlace(access, who, { url, headers, signal });
  if (status === 200) return text;
  throw noToken(who, url, status, '');
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
