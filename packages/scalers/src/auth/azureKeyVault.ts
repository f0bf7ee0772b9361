import { SourceError } from '../contract/errors.ts';
import { place } from '../runtime/http.ts';
import type { AzureKeyVaultSpec, Resolution } from './authentication.ts';
import { cacheKey } from './cacheKey.ts';
import { azureClientToken, azureScope, azureWorkloadToken } from './cloud/azure.ts';
import { azureCloud, azureCloudNames, isPrivateCloud } from './cloud/azureClouds.ts';
import { type CloudToken, jsonObject, textOf } from './cloud/cloudAccess.ts';

/** How soon a changed value is noticed. */
const keepMs = 60_000;
const apiVersion = '7.4';

interface Addresses {
  /** Whom tokens are for, such as `https://vault.azure.net`. */
  resource: string;
  /** Where tokens are asked for, where the document says it. */
  authority: string | null;
}

/** Values of an Azure Key Vault by parameter (`Get Secret`, which changes nothing). */
export async function readKeyVaultSecrets(
  vault: AzureKeyVaultSpec,
  resolution: Resolution,
): Promise<Map<string, string>> {
  const { title } = resolution;
  const addresses = addressesOf(vault, title);
  const root = rootOf(vault.vaultUri, addresses.resource, title);
  const token = await tokenOf(vault, addresses, resolution);
  const values = new Map<string, string>();
  for (const { parameter, name, version } of vault.secrets) {
    const path = ['secrets', name, ...(version ? [version] : [])].map(encodeURIComponent).join('/');
    const url = `${root}/${path}?api-version=${apiVersion}`;
    const value = await resolution.lookups.cache.get(
      cacheKey('key vault', token.key, url),
      resolution.signal,
      async (signal) => ({ value: await getSecret(url, name, token, { ...resolution, signal }), keepMs }),
    );
    values.set(parameter, value);
  }
  return values;
}

function addressesOf({ cloud }: AzureKeyVaultSpec, title: string): Addresses {
  const name = textOf(cloud ?? null, 'type');
  const refuse = (what: string) => new SourceError('bad-setting', `${title}: azureKeyVault.cloud${what}`);
  if (isPrivateCloud(name)) {
    const resource = textOf(cloud ?? null, 'keyVaultResourceURL');
    const authority = textOf(cloud ?? null, 'activeDirectoryEndpoint');
    if (!resource || !authority)
      throw refuse(' needs keyVaultResourceURL and activeDirectoryEndpoint with type Private');
    if (!URL.canParse(resource) || !URL.canParse(authority)) {
      throw refuse(': keyVaultResourceURL and activeDirectoryEndpoint must be addresses such as https://vault.example');
    }
    return { resource, authority };
  }
  const known = azureCloud(name);
  if (!known) throw refuse(`.type must be ${azureCloudNames.join(', ')} or Private, found ${name}`);
  return { resource: known.keyVault, authority: name ? known.authority : null };
}

/** A token for all vaults is only ever shown to a vault: the address must be within the domain that the token is for. */
function rootOf(vaultUri: string, resource: string, title: string): string {
  const domain = new URL(resource);
  const address = URL.canParse(vaultUri) ? new URL(vaultUri) : null;
  const isWithin =
    address !== null &&
    address.protocol === domain.protocol &&
    (address.host === domain.host || address.host.endsWith(`.${domain.host}`));
  if (isWithin) return address.origin;
  const example = `${domain.protocol}//NAME.${domain.host}`;
  throw new SourceError(
    'bad-setting',
    `${title}: azureKeyVault.vaultUri must be as ${example}, found "${place(vaultUri)}"`,
  );
}

async function tokenOf(
  { podIdentity, credentials }: AzureKeyVaultSpec,
  { resource, authority }: Addresses,
  { lookups, title, secretValue }: Resolution,
): Promise<CloudToken> {
  const provider = podIdentity?.provider ?? 'none';
  const scope = azureScope(resource);
  const environment = lookups.ownEnv('AZURE_AUTHORITY_HOST');
  if (podIdentity && provider === 'azure-workload') {
    const written = podIdentity.identityAuthorityHost || (environment ? undefined : (authority ?? undefined));
    return azureWorkloadToken(lookups, { ...podIdentity, identityAuthorityHost: written }, scope);
  }
  if (provider !== 'none') {
    const message = `${title}: azureKeyVault.podIdentity.provider must be azure-workload or none, found ${provider}`;
    throw new SourceError('unsupported', message);
  }
  if (!credentials) {
    throw new SourceError(
      'bad-setting',
      `${title}: azureKeyVault needs credentials, or the podIdentity azure-workload`,
    );
  }
  const { clientId, tenantId } = credentials;
  const clientSecret = await secretValue(credentials.clientSecret, 'azureKeyVault.credentials.clientSecret');
  const place = authority ?? (environment || azureCloud(undefined)?.authority || '');
  return azureClientToken(lookups, { authority: place, tenantId, clientId, clientSecret }, scope);
}

async function getSecret(
  url: string,
  name: string,
  token: CloudToken,
  { lookups, title, signal }: Resolution,
): Promise<string> {
  const where = `${title}: the key vault ${place(url).replace(/\/secrets\/.*$/, '')}`;
  let bearer: string;
  try {
    bearer = await token.get(signal);
  } catch (error) {
    if (error instanceof SourceError) throw new SourceError(error.code, `${title}: azureKeyVault: ${error.message}`);
    throw error;
  }
  const headers = { authorization: `Bearer ${bearer}`, accept: 'application/json' };
  const { status, text } = await lookups.http.request({ url, headers, signal });
  const answer = jsonObject(text);
  const value = answer?.value;
  if (status === 200 && typeof value === 'string') return value;
  const error = answer?.error;
  const code = typeof error === 'object' && error !== null ? textOf({ ...error }, 'code') : undefined;
  if (status === 401) token.drop(bearer);
  if (status === 401 || status === 403) {
    throw new SourceError('unauthorized', `${where} refused to show the secret ${name} (${code ?? status})`);
  }
  if (status === 404) throw new SourceError('not-found', `${where} has no secret ${name}, or not in that version`);
  throw new SourceError('bad-answer', `${where} answered ${status}${code ? ` ${code}` : ''} for the secret ${name}`);
}
