import { join } from 'node:path';
import { SourceError } from '../../contract/errors.ts';
import type { AwsCredentials } from '../awsSignature.ts';
import { containerCredentials, machineCredentials } from './awsPlaces.ts';
import { assumeRoleWithWebIdentity } from './awsRoles.ts';
import type { CloudAccess } from './cloudAccess.ts';

/**
 * Ebb's own credentials, in the order of AWS's own clients: the environment, the role of the pod's service account (IRSA), the shared
 * credentials file, the container's (EKS Pod Identity, ECS), the machine's. Rejects with `SourceError` that says what each lacks.
 */
export async function ownAwsCredentials(
  access: CloudAccess,
  region: string | null,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const { ownEnv } = access;
  const accessKeyId = ownEnv('AWS_ACCESS_KEY_ID');
  const secretAccessKey = ownEnv('AWS_SECRET_ACCESS_KEY');
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, sessionToken: ownEnv('AWS_SESSION_TOKEN') };
  }
  const [tokenFile, roleArn] = [ownEnv('AWS_WEB_IDENTITY_TOKEN_FILE'), ownEnv('AWS_ROLE_ARN')];
  if (tokenFile && roleArn) return assumeRoleWithWebIdentity(access, roleArn, region, signal);
  const profile = await sharedProfile(access, 'AWS_SHARED_CREDENTIALS_FILE', 'credentials');
  if (profile?.aws_access_key_id && profile.aws_secret_access_key) {
    return {
      accessKeyId: profile.aws_access_key_id,
      secretAccessKey: profile.aws_secret_access_key,
      sessionToken: profile.aws_session_token,
    };
  }
  const container = await containerCredentials(access, signal);
  if (container) return container;
  if (ownEnv('AWS_EC2_METADATA_DISABLED')?.toLowerCase() === 'true')
    throw noCredentials('AWS_EC2_METADATA_DISABLED is true');
  try {
    return await machineCredentials(access, signal);
  } catch (error) {
    if (error instanceof SourceError) throw noCredentials(error.message);
    throw error;
  }
}

function noCredentials(machine: string): SourceError {
  const places =
    'AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN, the shared credentials file, and ' +
    'AWS_CONTAINER_CREDENTIALS_FULL_URI have none';
  return new SourceError('bad-setting', `no AWS credentials were found where Ebb runs: ${places}; ${machine}`);
}

/** Region of Ebb's environment, else of the shared config file; null: neither says one. */
export async function ownAwsRegion(access: CloudAccess): Promise<string | null> {
  const { ownEnv } = access;
  const named = ownEnv('AWS_REGION') || ownEnv('AWS_DEFAULT_REGION');
  return named || (await sharedProfile(access, 'AWS_CONFIG_FILE', 'config'))?.region || null;
}

async function sharedProfile(
  { ownEnv, readFile }: CloudAccess,
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
