import { SourceError } from '../contract/errors.ts';
import type { AwsSecretManagerSpec, Resolution } from './authentication.ts';
import type { AwsCredentials } from './awsSignature.ts';
import { awsCredentialsOf } from './cloud/awsAuthorization.ts';
import { ownAwsRegion } from './cloud/awsOwn.ts';

/**
 * Credentials for AWS Secrets Manager: a pod identity is Ebb's own, in the role that it names; else those of the document, else Ebb's
 * own again.
 */
export async function awsCredentials(
  { credentials, podIdentity }: AwsSecretManagerSpec,
  region: string,
  { lookups, title, secretValue, signal }: Resolution,
): Promise<AwsCredentials> {
  const provider = podIdentity?.provider ?? 'none';
  if (provider !== 'aws' && provider !== 'none') {
    const message = `${title}: awsSecretManager.podIdentity.provider must be aws or none, found ${provider}`;
    throw new SourceError('unsupported', message);
  }
  if (podIdentity?.identityOwner === 'workload') {
    throw new SourceError('unsupported', `${title}: awsSecretManager.podIdentity: ${workloadOwnerMessage}`);
  }
  if (provider === 'none' && credentials) {
    const { accessKey, accessSecretKey, accessToken } = credentials;
    return {
      accessKeyId: await secretValue(accessKey, 'awsSecretManager.credentials.accessKey'),
      secretAccessKey: await secretValue(accessSecretKey, 'awsSecretManager.credentials.accessSecretKey'),
      ...(accessToken
        ? { sessionToken: await secretValue(accessToken, 'awsSecretManager.credentials.accessToken') }
        : {}),
    };
  }
  const { roleArn, externalID } = podIdentity ?? {};
  const own = { kind: 'own' as const, roleArn, externalId: externalID, webIdentity: true };
  try {
    return await awsCredentialsOf(lookups, own, region, signal);
  } catch (error) {
    if (error instanceof SourceError) throw new SourceError(error.code, `${title}: awsSecretManager: ${error.message}`);
    throw error;
  }
}

/** Why a pod identity of the target cannot be taken on. */
export const workloadOwnerMessage =
  "identityOwner workload is the role of the target's service account, which Ebb does not read: give roleArn instead";

/** Region of the document, else of the environment, else of the shared config file. */
export async function awsRegion({ region }: AwsSecretManagerSpec, { lookups, title }: Resolution): Promise<string> {
  const found = region || (await ownAwsRegion(lookups));
  if (!found)
    throw new SourceError('bad-setting', `${title}: awsSecretManager.region is missing, and AWS_REGION is not set`);
  if (!/^[a-z0-9-]{1,64}$/.test(found)) {
    throw new SourceError('bad-setting', `${title}: "${found}" is not a region of AWS; write one such as eu-central-1`);
  }
  return found;
}
