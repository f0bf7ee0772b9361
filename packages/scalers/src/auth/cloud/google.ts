import { join } from 'node:path';
import { SourceError } from '../../contract/errors.ts';
import { cacheKey } from '../cacheKey.ts';
import {
  askTokenPlace,
  type CloudAccess,
  type CloudToken,
  fileOf,
  jsonObject,
  noToken,
  sharedToken,
  textOf,
} from './cloudAccess.ts';
import { accountToken, type GoogleToken, tokenIn } from './googleAccounts.ts';
import { externalAccountToken } from './googleExternal.ts';

const credentialsVariable = 'GOOGLE_APPLICATION_CREDENTIALS';
const defaultMetadataHost = '169.254.169.254';
const metadataTimeoutMs = 3000;

/**
 * A token of Ebb's own identity in Google Cloud, found as Google's clients find it: the file that
 * `GOOGLE_APPLICATION_CREDENTIALS` names, the file of gcloud, or the metadata server (`GCE_METADATA_HOST`), which on GKE answers for
 * the service account of the pod.
 */
export function googleOwnToken(access: CloudAccess, scopes: readonly string[]): CloudToken {
  const file = access.ownEnv(credentialsVariable);
  return sharedToken(access, cacheKey('google own', file, metadataHost(access), ...scopes), async (signal) => {
    const found = await ownFile(access);
    if (found === null) return metadataToken(access, scopes, signal);
    const { type } = found.account;
    if (type === 'external_account') return externalAccountToken(access, found, scopes, signal);
    return accountToken(access, found, scopes, signal);
  });
}

/**
 * A token for credentials that a document gives: the JSON key of a service account, or gcloud's of a user. Others name files and
 * addresses of their own, and only the environment of Ebb may do so.
 */
export function googleAccountToken(
  access: CloudAccess,
  json: string,
  scopes: readonly string[],
  where: string,
): CloudToken {
  return sharedToken(access, cacheKey('google account', json, ...scopes), async (signal) => {
    return accountToken(access, { account: parsed(json, where), where }, scopes, signal);
  });
}

/** The project of credentials that a document gives. Throws `SourceError`. */
export function googleProjectOf(json: string, where: string): string {
  const project = textOf(parsed(json, where), 'project_id');
  if (project) return project;
  throw new SourceError('bad-setting', `${where} has no project_id`);
}

/** The project that Ebb itself is in: of its environment, of its credentials, or of the metadata server. */
export async function googleOwnProject(access: CloudAccess, signal: AbortSignal): Promise<string> {
  const { ownEnv } = access;
  const named = ownEnv('CLOUDSDK_CORE_PROJECT') || ownEnv('GOOGLE_CLOUD_PROJECT');
  if (named) return named;
  const file = await ownFile(access);
  const project = textOf(file?.account ?? null, 'project_id');
  if (project) return project;
  return access.cache.get(cacheKey('google project', metadataHost(access)), signal, async (signal) => {
    const { status, text } = await askMetadata(access, '/computeMetadata/v1/project/project-id', signal);
    const value = text.trim();
    if (status === 200 && /^[a-z0-9:.-]{1,100}$/.test(value)) return { value, keepMs: 600_000 };
    const message = `Google: CLOUDSDK_CORE_PROJECT is not set, and the metadata server tells no project (${status})`;
    throw new SourceError('bad-setting', message);
  });
}

async function ownFile(
  access: CloudAccess,
): Promise<{ account: Readonly<Record<string, unknown>>; where: string } | null> {
  const { ownEnv } = access;
  const path = ownEnv(credentialsVariable);
  if (path) {
    const where = `the file ${path}, which ${credentialsVariable} names,`;
    return { account: parsed(await fileOf(access, path, credentialsVariable), where), where };
  }
  const home = ownEnv('HOME');
  const folder = ownEnv('CLOUDSDK_CONFIG') || (home ? join(home, '.config', 'gcloud') : undefined);
  if (!folder) return null;
  const where = join(folder, 'application_default_credentials.json');
  const text = await access.readFile(where).catch(() => null);
  return text === null ? null : { account: parsed(text, where), where };
}

async function metadataToken(
  access: CloudAccess,
  scopes: readonly string[],
  signal: AbortSignal,
): Promise<GoogleToken> {
  const query = new URLSearchParams({ scopes: scopes.join(',') }).toString();
  const path = '/computeMetadata/v1/instance/service-accounts/default/token';
  const { status, text, url } = await askMetadata(access, `${path}?${query}`, signal);
  const token = status === 200 ? tokenIn(jsonObject(text)) : null;
  if (token) return token;
  throw noToken('Google metadata server', url, status, status === 200 ? 'no access_token' : text);
}

async function askMetadata(
  access: CloudAccess,
  path: string,
  signal: AbortSignal,
): Promise<{ status: number; text: string; url: string }> {
  const url = `http://${metadataHost(access)}${path}`;
  const who = `Google: ${credentialsVariable} is not set, and the metadata server gave nothing`;
  const headers = { 'metadata-flavor': 'Google' };
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(metadataTimeoutMs)]);
  const answer = await askTokenPlace(access, who, { url, headers, signal: inTime });
  if (answer.headers['metadata-flavor'] !== 'Google') {
    throw new SourceError(
      'bad-answer',
      `Google: ${metadataHost(access)} is no metadata server of Google (GCE_METADATA_HOST)`,
    );
  }
  return { status: answer.status, text: answer.text, url };
}

function metadataHost({ ownEnv }: CloudAccess): string {
  return ownEnv('GCE_METADATA_HOST') || ownEnv('GCE_METADATA_IP') || defaultMetadataHost;
}

/** The parser's own message would quote the key. */
function parsed(json: string, where: string): Readonly<Record<string, unknown>> {
  const account = jsonObject(json);
  if (account) return account;
  throw new SourceError('bad-setting', `${where} is not credentials of Google in JSON`);
}
