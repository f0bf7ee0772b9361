import { join } from 'node:path';
import { SourceError } from '../contract/errors.ts';
import type { AuthenticationLookups, AwsSecretManagerSpec, Resolution } from './authentication.ts';
import type { AwsCredentials } from './awsSignature.ts';

/**
 * Credentials of the document, else of Ebb's own environment, else of the shared credentials file, in the order of AWS's
 * own clients. A pod identity means Ebb's own.
 */
export async function awsCredentials(
  { credentials, podIdentity }: AwsSecretManagerSpec,
  { lookups, title, secretValue }: Resolution,
): Promise<AwsCredentials> {
  if (podIdentity?.roleArn) {
    throw new SourceError(
      'unsupported',
      `${title}: awsSecretManager.podIdentity.roleArn: no other role can be taken on here`,
    );
  }
  if (podIdentity && podIdentity.provider !== 'aws' && podIdentity.provider !== 'none') {
    const message = `${title}: awsSecretManager.podIdentity.provider ${podIdentity.provider} is known and not available here; aws is`;
    throw new SourceError('unsupported', message);
  }
  if (credentials) {
    const { accessKey, accessSecretKey, accessToken } = credentials;
    return {
      accessKeyId: await secretValue(accessKey, 'awsSecretManager.credentials.accessKey'),
      secretAccessKey: await secretValue(accessSecretKey, 'awsSecretManager.credentials.accessSecretKey'),
      ...(accessToken
        ? { sessionToken: await secretValue(accessToken, 'awsSecretManager.credentials.accessToken') }
        : {}),
    };
  }
  const { ownEnv } = lookups;
  const accessKeyId = ownEnv('AWS_ACCESS_KEY_ID');
  const secretAccessKey = ownEnv('AWS_SECRET_ACCESS_KEY');
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, sessionToken: ownEnv('AWS_SESSION_TOKEN') };
  }
  const profile = await sharedProfile(lookups, 'AWS_SHARED_CREDENTIALS_FILE', 'credentials');
  if (profile?.aws_access_key_id && profile.aws_secret_access_key) {
    return {
      accessKeyId: profile.aws_access_key_id,
      secretAccessKey: profile.aws_secret_access_key,
      sessionToken: profile.aws_session_token,
    };
  }
  const places =
    'awsSecretManager.credentials, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or the shared credentials file';
  throw new SourceError('bad-setting', `${title}: no AWS credentials were found; give them as ${places}`);
}

/** Region of the document, else of the environment, else of the shared config file. */
export async function awsRegion({ region }: AwsSecretManagerSpec, { lookups, title }: Resolution): Promise<string> {
  const found =
    region ||
    lookups.ownEnv('AWS_REGION') ||
    lookups.ownEnv('AWS_DEFAULT_REGION') ||
    (await sharedProfile(lookups, 'AWS_CONFIG_FILE', 'config'))?.region;
  if (!found)
    throw new SourceError('bad-setting', `${title}: awsSecretManager.region is missing, and AWS_REGION is not set`);
  if (!/^[a-z0-9-]{1,64}$/.test(found)) {
    throw new SourceError('bad-setting', `${title}: "${found}" is not a region of AWS; write one such as eu-central-1`);
  }
  return found;
}

async function sharedProfile(
  { ownEnv, readFile }: AuthenticationLookups,
  variable: string,
  file: 'credentials' | 'config',
): Promise<Record<string, string> | null> {
  const home = ownEnv('HOME');
  const path = ownEnv(variable) || (home ? join(home, '.aws', file) : undefined);
  if (!path) return null;
  const text = await readFile(path).catch(() => null);
  const profile = ownEnv('AWS_PROFILE') || 'default';
  return text === null
    ? null
    : iniSection(text, file === 'config' && profile !== 'default' ? `profile ${profile}` : profile);
}

/** The settings of one section of an INI file; null: it has no such section. */
function iniSection(text: string, name: string): Record<string, string> | null {
  const found = new Map<string, string>();
  let section = '';
  let isThere = false;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line);
    if (header) {
      section = header[1] ?? '';
      isThere ||= section === name;
      continue;
    }
    const [, key, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section === name && key !== undefined && value !== undefined) found.set(key, value);
  }
  return isThere ? Object.fromEntries(found) : null;
}
