import { SourceError } from '../../contract/errors.ts';
import type { Settings } from '../../contract/definition.ts';
import { choice, text } from '../../contract/parameter.ts';
import type { PodIdentity } from '../authentication.ts';
import type { AwsCredentials } from '../awsSignature.ts';
import { cacheKey } from '../cacheKey.ts';
import { ownAwsCredentials } from './awsOwn.ts';
import { assumeRole, assumeRoleWithWebIdentity } from './awsRoles.ts';
import type { CloudAccess } from './cloudAccess.ts';

/** Settings of KEDA's AWS authentication, the same for all triggers that sign in to AWS. */
export const awsParameters = {
  awsAccessKeyID: text({ from: ['auth', 'metadata', 'env'], description: 'Id of a key of AWS.' }),
  awsAccessKeyId: text({ from: ['auth'], description: 'Another name of `awsAccessKeyID`.' }),
  awsSecretAccessKey: text({ from: ['auth', 'env'], secret: true, description: 'The key of `awsAccessKeyID`.' }),
  awsSessionToken: text({ from: ['auth'], secret: true, description: 'Session of a temporary key.' }),
  awsRoleArn: text({
    from: ['auth'],
    description: "Role of AWS to take on; the pod identity's `roleArn` gives it too.",
  }),
  awsExternalId: text({ from: ['auth'], description: "External id of the role's trust policy." }),
  identityOwner: choice(['pod', 'operator'], {
    default: 'pod',
    description: '`operator`: Ebb signs in as itself, without a pod identity.',
  }),
};

/** How a trigger signs in to AWS. */
export type AwsAuthorization =
  | { kind: 'key'; credentials: AwsCredentials }
  /** As Ebb itself, or in a role that Ebb takes on: with the token of its service account where it has one, if `webIdentity`. */
  | { kind: 'own'; roleArn?: string | undefined; externalId?: string | undefined; webIdentity: boolean };

/** By KEDA's rules; null: the trigger says nothing of it. Throws `SourceError`. */
export function awsAuthorization(
  settings: Settings<typeof awsParameters>,
  identity: PodIdentity | null,
): AwsAuthorization | null {
  const { awsRoleArn: roleArn, awsExternalId: externalId, awsSecretAccessKey, awsSessionToken } = settings;
  if (identity?.provider === 'aws') return { kind: 'own', roleArn, externalId, webIdentity: true };
  if (settings.identityOwner === 'operator' || roleArn) {
    return { kind: 'own', roleArn, externalId, webIdentity: false };
  }
  const accessKeyId = settings.awsAccessKeyID ?? settings.awsAccessKeyId;
  if (accessKeyId !== undefined) {
    if (awsSecretAccessKey === undefined) {
      throw new SourceError('bad-setting', 'awsSecretAccessKey is missing, which awsAccessKeyID needs');
    }
    const credentials = { accessKeyId, secretAccessKey: awsSecretAccessKey, sessionToken: awsSessionToken };
    return { kind: 'key', credentials };
  }
  if (identity?.provider === 'aws-eks') throw new SourceError('unsupported', awsEksMessage);
  return null;
}

const awsEksMessage =
  "the pod identity aws-eks takes the role of the target's service account, which Ebb does not read: use the provider aws with " +
  'roleArn, or identityOwner "operator" on the trigger';

/** Credentials that are good now. Rejects with `SourceError`. */
export async function awsCredentialsOf(
  access: CloudAccess,
  authorization: AwsAuthorization,
  region: string | null,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  if (authorization.kind === 'key') return authorization.credentials;
  const { roleArn, externalId, webIdentity } = authorization;
  const own = (signal: AbortSignal) => ownAwsCredentials(access, region, signal);
  if (!roleArn) return own(signal);
  // The role may trust the service account, or the role that Ebb has; only the clouds know which.
  let first: SourceError | null = null;
  if (webIdentity && access.ownEnv('AWS_WEB_IDENTITY_TOKEN_FILE')) {
    try {
      return await assumeRoleWithWebIdentity(access, roleArn, region, signal);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      first = error;
    }
  }
  try {
    return await assumeRole(access, { roleArn, externalId }, region, own, signal);
  } catch (error) {
    if (!(error instanceof SourceError) || first === null) throw error;
    throw new SourceError(error.code, `${first.message}; ${error.message}`);
  }
}

/** What tells two authorizations apart; shows no secret. */
export function awsAuthorizationKey(authorization: AwsAuthorization): string {
  return cacheKey('aws authorization', JSON.stringify(authorization));
}
