import { awsAuthorization, awsCredentialsOf, awsParameters } from '../auth/cloud/awsAuthorization.ts';
import { ownAwsRegion } from '../auth/cloud/awsOwn.ts';
import { azureWorkloadToken } from '../auth/cloud/azure.ts';
import { azureCloud, azureCloudNames, isPrivateCloud } from '../auth/cloud/azureClouds.ts';
import type { CloudAccess } from '../auth/cloud/cloudAccess.ts';
import { googleAccountToken, googleOwnToken } from '../auth/cloud/google.ts';
import type { PodIdentity } from '../auth/authentication.ts';
import { signAwsRequest } from '../auth/awsSignature.ts';
import type { SettingProblem, Settings, WrittenSettings } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { text } from '../contract/parameter.ts';
import type { IdentityProof } from '../http/authorisedHttp.ts';

/** Settings of Prometheus as the clouds run it. */
export const identityParameters = {
  awsRegion: text({
    from: ['metadata', 'auth'],
    description: 'Region of Amazon Managed Prometheus; left out: `AWS_REGION` of Ebb.',
  }),
  ...awsParameters,
  cloud: text({
    description: `Cloud of Azure Monitor: ${azureCloudNames.slice(0, 3).join(', ')} or Private. Left out: the first.`,
  }),
  azureManagedPrometheusResourceURL: text({ description: 'Scope of the token where `cloud` is Private.' }),
  GoogleApplicationCredentials: text({
    from: ['auth'],
    secret: true,
    description: 'Credentials for Google Managed Prometheus in JSON, where there is no pod identity.',
  }),
  credentials: text({ from: ['env'], secret: true, description: 'The same, out of a variable of the target.' }),
};

export type IdentitySettings = Settings<typeof identityParameters>;

const googleScopes = ['https://www.googleapis.com/auth/monitoring.read'];

/** What does not go together, as far as it is known. */
export function identityProblems(
  settings: IdentitySettings,
  modes: readonly string[],
  { identity, auth }: WrittenSettings,
): SettingProblem[] {
  if (identity && modes.length > 0) {
    const message = `authModes ${modes.join(',')} cannot be used together with the pod identity ${identity.provider}`;
    return [{ parameter: 'authModes', message }];
  }
  const problems: SettingProblem[] = [];
  if (identity?.provider === 'azure-workload') {
    try {
      azureScopeOf(settings);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      problems.push({ parameter: 'cloud', message: error.message });
    }
  }
  const { awsRegion, awsRoleArn, awsAccessKeyID, awsAccessKeyId, identityOwner } = settings;
  const signs =
    awsRoleArn ?? awsAccessKeyID ?? awsAccessKeyId ?? (identityOwner === 'operator' ? identityOwner : undefined);
  if (awsRegion !== undefined && signs === undefined && identity !== undefined && auth !== null && !isAws(identity)) {
    const message =
      'awsRegion has no effect: requests are signed with the pod identity aws, or with a key or role of AWS';
    problems.push({ parameter: 'awsRegion', message, severity: 'warning' });
  }
  return problems;
}

function isAws(identity: PodIdentity | null): boolean {
  return identity?.provider === 'aws' || identity?.provider === 'aws-eks';
}

/** How requests say whose they are, in KEDA's order; null: they do not. Throws `SourceError`. */
export function identityProof(
  settings: IdentitySettings,
  identity: PodIdentity | null,
  cloud: CloudAccess,
): IdentityProof | null {
  if (identity?.provider === 'azure-workload') {
    return { token: azureWorkloadToken(cloud, identity, azureScopeOf(settings)) };
  }
  if (identity?.provider === 'gcp') return { token: googleOwnToken(cloud, googleScopes) };
  const json = settings.GoogleApplicationCredentials ?? settings.credentials;
  if (json !== undefined && identity === null) {
    return { token: googleAccountToken(cloud, json, googleScopes, 'GoogleApplicationCredentials') };
  }
  const authorization = awsAuthorization(settings, identity);
  if (authorization === null) return null;
  return {
    sign: async (url, headers, signal) => {
      const region = settings.awsRegion ?? (await ownAwsRegion(cloud));
      if (!region)
        throw new SourceError('bad-setting', 'awsRegion is missing, and AWS_REGION is not set where Ebb runs');
      const credentials = await awsCredentialsOf(cloud, authorization, region, signal);
      const scope = { region, service: 'aps', wallNowMs: cloud.wallNowMs() };
      const { host: _, ...signed } = signAwsRequest({ method: 'GET', url, headers, body: '' }, credentials, scope);
      return signed;
    },
  };
}

function azureScopeOf({ cloud, azureManagedPrometheusResourceURL: written }: IdentitySettings): string {
  if (isPrivateCloud(cloud)) {
    if (written) return written;
    throw new SourceError('bad-setting', 'azureManagedPrometheusResourceURL is missing, which cloud Private needs');
  }
  const known = azureCloud(cloud);
  if (known?.prometheus) return known.prometheus;
  const allowed = `${azureCloudNames.slice(0, 3).join(', ')} or Private`;
  throw new SourceError('bad-setting', `cloud must be ${allowed}, found "${cloud}"`);
}
