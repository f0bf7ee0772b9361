import { SourceError } from '../contract/errors.ts';
import { place } from '../runtime/http.ts';
import type { GcpSecretManagerSpec, Resolution } from './authentication.ts';
import { cacheKey } from './cacheKey.ts';
import { type CloudToken, jsonObject, textOf } from './cloud/cloudAccess.ts';
import { googleAccountToken, googleOwnProject, googleOwnToken, googleProjectOf } from './cloud/google.ts';
import { crc32c } from './crc32c.ts';

/** How soon a changed value is noticed. */
const keepMs = 60_000;
const address = 'https://secretmanager.googleapis.com';
const endpointVariable = 'CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER';
const scopes = ['https://www.googleapis.com/auth/cloud-platform'];

interface Account {
  token: CloudToken;
  project: string;
}

/** Values of Google's Secret Manager by parameter (`versions.access`, which changes nothing). */
export async function readGcpSecrets(spec: GcpSecretManagerSpec, resolution: Resolution): Promise<Map<string, string>> {
  const { lookups, title } = resolution;
  const endpoint = lookups.ownEnv(endpointVariable) || address;
  if (!URL.canParse(endpoint)) throw new SourceError('bad-setting', `${title}: ${endpointVariable} is not an address`);
  const { token, project } = await accountOf(spec, resolution);
  const values = new Map<string, string>();
  for (const { parameter, id, version } of spec.secrets) {
    const names = [project, id, version || 'latest'].map(encodeURIComponent);
    const url = `${endpoint.replace(/\/+$/, '')}/v1/projects/${names[0]}/secrets/${names[1]}/versions/${names[2]}:access`;
    const value = await lookups.cache.get(
      cacheKey('gcp secret', token.key, url),
      resolution.signal,
      async (signal) => ({ value: await accessSecret(url, id, token, { ...resolution, signal }), keepMs }),
    );
    values.set(parameter, value);
  }
  return values;
}

async function accountOf({ podIdentity, credentials }: GcpSecretManagerSpec, resolution: Resolution): Promise<Account> {
  const { lookups, title, secretValue, signal } = resolution;
  const provider = podIdentity?.provider ?? 'none';
  if (provider === 'gcp') {
    const project = await named(title, googleOwnProject(lookups, signal));
    return { token: googleOwnToken(lookups, scopes), project };
  }
  if (provider !== 'none') {
    const message = `${title}: gcpSecretManager.podIdentity.provider must be gcp or none, found ${provider}`;
    throw new SourceError('unsupported', message);
  }
  if (!credentials) {
    throw new SourceError('bad-setting', `${title}: gcpSecretManager needs credentials, or the podIdentity gcp`);
  }
  const what = 'gcpSecretManager.credentials.clientSecret';
  const json = await secretValue(credentials.clientSecret, what);
  const where = `${title}: ${what}`;
  return { token: googleAccountToken(lookups, json, scopes, where), project: googleProjectOf(json, where) };
}

async function accessSecret(
  url: string,
  id: string,
  token: CloudToken,
  { lookups, title, signal }: Resolution,
): Promise<string> {
  const bearer = await named(title, token.get(signal));
  const headers = { authorization: `Bearer ${bearer}`, accept: 'application/json' };
  const { status, text } = await lookups.http.request({ url, headers, signal });
  const answer = jsonObject(text);
  const where = `${title}: Secret Manager (${place(url).replace(/\/secrets\/.*$/, '')})`;
  if (status === 200) return payloadOf(answer?.payload, id, where);
  const error = answer?.error;
  const said = typeof error === 'object' && error !== null ? textOf({ ...error }, 'status') : undefined;
  if (status === 401) token.drop(bearer);
  if (status === 401 || status === 403) {
    throw new SourceError('unauthorized', `${where} refused to show the secret ${id} (${said ?? status})`);
  }
  if (status === 404) throw new SourceError('not-found', `${where} has no secret ${id}, or not in that version`);
  throw new SourceError('bad-answer', `${where} answered ${status}${said ? ` ${said}` : ''} for the secret ${id}`);
}

function payloadOf(payload: unknown, id: string, where: string): string {
  const { data, dataCrc32c }: Record<string, unknown> =
    typeof payload === 'object' && payload !== null ? { ...payload } : {};
  if (typeof data !== 'string') throw new SourceError('bad-answer', `${where} gave nothing for the secret ${id}`);
  const bytes = Buffer.from(data, 'base64');
  if (dataCrc32c !== undefined && Number(dataCrc32c) !== crc32c(bytes)) {
    throw new SourceError('bad-answer', `${where}: the secret ${id} was damaged on its way`);
  }
  return bytes.toString('utf8');
}

/** Says which authentication a failed sign-in belongs to. */
async function named<Value>(title: string, value: Promise<Value>): Promise<Value> {
  try {
    return await value;
  } catch (error) {
    if (error instanceof SourceError) throw new SourceError(error.code, `${title}: gcpSecretManager: ${error.message}`);
    throw error;
  }
}
