import { SourceError } from '../contract/errors.ts';
import type {
  AuthenticationLookups,
  AuthenticationSpec,
  KeyReference,
  Resolution,
  ResolvedAuthentication,
} from './authentication.ts';
import { workloadOwnerMessage } from './awsCredentials.ts';
import { readAwsSecrets } from './awsSecretManager.ts';
import { readKeyVaultSecrets } from './azureKeyVault.ts';
import { readGcpSecrets } from './gcpSecretManager.ts';
import { readValuesFile } from './valuesFile.ts';
import { readVaultSecrets } from './vault.ts';

const shownKeys = 10;

/**
 * What the trigger's parameters get from its authentication, and whose identity it signs in with. Rejects with `SourceError`
 * that names object and key and never a value. The order of the sources is KEDA's: a later one wins, and a file stands alone.
 */
export async function resolveAuthentication(
  authentication: AuthenticationSpec,
  lookups: AuthenticationLookups,
  signal: AbortSignal,
): Promise<ResolvedAuthentication> {
  const title = titleOf(authentication);
  const { podIdentity: identity } = authentication;
  if (identity?.identityOwner === 'workload') {
    throw new SourceError('unsupported', `${title}: podIdentity: ${workloadOwnerMessage}`);
  }
  return { values: await valuesOf(authentication, lookups, title, signal), identity };
}

async function valuesOf(
  authentication: AuthenticationSpec,
  lookups: AuthenticationLookups,
  title: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  if (authentication.filePath) return readValuesFile(authentication, lookups, title);

  const isOfCluster = authentication.kind === 'ClusterTriggerAuthentication';
  const namespace = isOfCluster ? (lookups.clusterNamespace ?? 'ebb-system') : authentication.key.namespace;
  const secretOf = (reference: KeyReference) =>
    keyOf('Secret', namespace, reference, lookups.secret(namespace, reference.name), title);
  const resolution: Resolution = {
    lookups,
    signal,
    title,
    secretValue: ({ valueFrom: { secretKeyRef } }, what) => secretOf({ parameter: what, ...secretKeyRef }),
  };

  // Not a plain object: a parameter may have any name.
  const values = new Map<string, string>();
  const { podIdentity, env, configMapTargetRef, secretTargetRef, oauth2 } = authentication;
  const { hashiCorpVault, azureKeyVault, gcpSecretManager, awsSecretManager } = authentication;
  for (const { parameter, name, containerName } of env) {
    values.set(parameter, environment(name, containerName ?? undefined, parameter, lookups, title));
  }
  for (const reference of configMapTargetRef) {
    const found = lookups.configMap(namespace, reference.name);
    values.set(reference.parameter, await keyOf('ConfigMap', namespace, reference, found, title));
  }
  for (const reference of secretTargetRef) values.set(reference.parameter, await secretOf(reference));
  if (hashiCorpVault) add(values, await readVaultSecrets(hashiCorpVault, resolution));
  if (azureKeyVault) add(values, await readKeyVaultSecrets(azureKeyVault, resolution));
  if (gcpSecretManager) add(values, await readGcpSecrets(gcpSecretManager, resolution));
  if (awsSecretManager) add(values, await readAwsSecrets(awsSecretManager, resolution));
  for (const { parameter, serviceAccountName } of authentication.boundServiceAccountToken) {
    values.set(parameter, await boundToken(serviceAccountName, lookups, title));
  }
  if (oauth2) {
    // As KEDA hands it to scalers, which fetch the token themselves.
    values.set('oauthTokenURI', oauth2.tokenUrl);
    values.set('clientID', oauth2.clientId);
    values.set('clientSecret', await resolution.secretValue(oauth2.clientSecret, 'oauth2.clientSecret'));
    if (oauth2.scopes?.length) values.set('scopes', oauth2.scopes.join(','));
    const more = new URLSearchParams(oauth2.tokenUrlParams ?? {}).toString();
    if (more !== '') values.set('endpointParams', more);
  }
  // What the identity says of itself wins, as in KEDA.
  if (podIdentity?.roleArn) values.set('awsRoleArn', podIdentity.roleArn);
  if (podIdentity?.externalID) values.set('awsExternalId', podIdentity.externalID);
  return Object.fromEntries(values);
}

function titleOf({ kind, key }: AuthenticationSpec): string {
  return kind === 'ClusterTriggerAuthentication' ? `${kind} ${key.name}` : `${kind} ${key.namespace}/${key.name}`;
}

/** One value of a Secret or ConfigMap. Names of keys may be shown, what stands under them not. */
async function keyOf(
  kind: 'Secret' | 'ConfigMap',
  namespace: string,
  { parameter, name, key }: KeyReference,
  found: Promise<Readonly<Record<string, string>> | null>,
  title: string,
): Promise<string> {
  const values = await found;
  const needed = `${title} needs it for ${parameter}`;
  if (!values) throw new SourceError('not-found', `${kind} ${namespace}/${name} does not exist; ${needed}`);
  const value = Object.hasOwn(values, key) ? values[key] : undefined;
  if (value !== undefined) return value;
  const keys = Object.keys(values);
  const has = keys.length === 0 ? 'it is empty' : `it has ${keys.slice(0, shownKeys).join(', ')}`;
  const more = keys.length > shownKeys ? ` and ${keys.length - shownKeys} more` : '';
  throw new SourceError('not-found', `${kind} ${namespace}/${name} has no key ${key} (${has}${more}); ${needed}`);
}

function environment(
  name: string,
  containerName: string | undefined,
  parameter: string,
  lookups: AuthenticationLookups,
  title: string,
): string {
  const value = lookups.env(name, containerName);
  if (value !== undefined) return value;
  const where =
    containerName === undefined ? "the target's environment" : `the environment of container ${containerName}`;
  throw new SourceError('not-found', `${name} is not set in ${where}; ${title} needs it for ${parameter}`);
}

async function boundToken(name: string, lookups: AuthenticationLookups, title: string): Promise<string> {
  const token = await lookups.serviceAccountToken(name);
  if (token !== null) return token.trim();
  const message = `${title}: boundServiceAccountToken: no token file is configured for the service account ${name}`;
  throw new SourceError('unsupported', message);
}

function add(values: Map<string, string>, more: ReadonlyMap<string, string>): void {
  for (const [parameter, value] of more) values.set(parameter, value);
}
