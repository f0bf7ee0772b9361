import type { Path } from '../fields/rule.ts';
import type { Hint } from '../kind.ts';
import type { TriggerAuthenticationDocument } from './triggerAuthentication.ts';

/** Sources of a TriggerAuthentication that cannot give anything here, or not in the way they are written. */
export function authenticationHints({ spec }: Pick<TriggerAuthenticationDocument, 'spec'>): Hint[] {
  const { podIdentity, awsSecretManager, azureKeyVault, gcpSecretManager } = spec;
  return [
    ...ownerHints(podIdentity, ['spec']),
    ...eksHints(podIdentity),
    ...vaultHints(azureKeyVault, 'azureKeyVault', 'azure-workload'),
    ...vaultHints(gcpSecretManager, 'gcpSecretManager', 'gcp'),
    ...vaultHints(awsSecretManager, 'awsSecretManager', 'aws'),
    ...ownerHints(awsSecretManager?.podIdentity, ['spec', 'awsSecretManager']),
  ];
}

/** The role of somebody else's service account would have to be read from the cluster. */
function ownerHints(identity: { identityOwner?: string | undefined } | undefined, path: Path): Hint[] {
  if (identity?.identityOwner !== 'workload') return [];
  const message =
    "identityOwner workload is not available here: it is the role of the target's service account, which is not read; " +
    'give roleArn, a role that Ebb may take on. Until then triggers that need it hold their last value';
  return [{ path: [...path, 'podIdentity', 'identityOwner'], code: 'mode-not-available', message }];
}

function eksHints(identity: { provider: string } | undefined): Hint[] {
  if (identity?.provider !== 'aws-eks') return [];
  const message =
    "the pod identity aws-eks takes the role of the target's service account, which is not read here: it works for triggers with " +
    'identityOwner "operator" alone; use the provider aws with roleArn';
  return [{ path: ['spec', 'podIdentity', 'provider'], code: 'mode-not-available', message }];
}

/** Each vault belongs to a cloud and takes the identities of that one. */
function vaultHints(
  vault: { podIdentity?: { provider: string } | undefined; credentials?: unknown } | undefined,
  name: string,
  provider: string,
): Hint[] {
  if (vault === undefined) return [];
  const given = vault.podIdentity?.provider ?? 'none';
  if (given !== 'none' && given !== provider) {
    const message = `${name} takes the pod identity ${provider} or none, found ${given}: triggers that need it hold their last value`;
    return [{ path: ['spec', name, 'podIdentity', 'provider'], code: 'mode-not-available', message }];
  }
  // Ebb's own environment may have credentials for AWS.
  if (given === provider || vault.credentials !== undefined || name === 'awsSecretManager') return [];
  const message = `${name} needs credentials, or the pod identity ${provider}: triggers that need it hold their last value`;
  return [{ path: ['spec', name], code: 'mode-not-available', message }];
}
