import type { Path } from '../fields/rule.ts';
import type { Hint } from '../kind.ts';
import type { TriggerAuthenticationDocument } from './triggerAuthentication.ts';

/** Sources of a TriggerAuthentication that need a cloud that this version does not reach. */
export function authenticationHints({ spec }: Pick<TriggerAuthenticationDocument, 'spec'>): Hint[] {
  const { podIdentity, awsSecretManager, azureKeyVault, gcpSecretManager } = spec;
  const vaults: Hint[] = [
    ...(azureKeyVault ? [notAvailable(['spec', 'azureKeyVault'], 'azureKeyVault')] : []),
    ...(gcpSecretManager ? [notAvailable(['spec', 'gcpSecretManager'], 'gcpSecretManager')] : []),
  ];
  return [
    ...identityHints(podIdentity, ['spec']),
    ...vaults,
    ...identityHints(awsSecretManager?.podIdentity, ['spec', 'awsSecretManager']),
  ];
}

function identityHints(identity: { provider: string } | undefined, path: Path): Hint[] {
  if (identity === undefined || identity.provider === 'none') return [];
  return [notAvailable([...path, 'podIdentity', 'provider'], `the pod identity ${identity.provider}`)];
}

function notAvailable(path: Path, what: string): Hint {
  const message =
    `${what} is not available here: triggers that need it hold their last value; ` +
    'give the values by secretTargetRef, configMapTargetRef, env, filePath, hashiCorpVault or awsSecretManager';
  return { path, code: 'mode-not-available', message };
}
