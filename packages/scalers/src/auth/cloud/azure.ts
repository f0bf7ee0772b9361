import { azureTokenAnswer, azureTokenRequest } from '@ebb/core';
import { SourceError } from '../../contract/errors.ts';
import type { PodIdentity } from '../authentication.ts';
import { cacheKey } from '../cacheKey.ts';
import {
  askTokenPlace,
  type CloudAccess,
  type CloudToken,
  fileOf,
  jsonObject,
  noToken,
  sharedToken,
} from './cloudAccess.ts';

export const azureAuthority = 'https://login.microsoftonline.com';

/** Authorities of Microsoft: the only ones that get the token of Ebb's service account, besides the one of its environment. */
const authorities = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.chinacloudapi.cn',
  'login.partner.microsoftonline.cn',
  'login.microsoftonline.de',
];

/** A resource as the scope of a token: with `/.default` at its end. */
export function azureScope(resource: string): string {
  return resource.endsWith('.default') ? resource : `${resource.replace(/\/$/, '')}/.default`;
}

/**
 * A token of the workload identity that Azure's webhook gives to Ebb's pod, or of another application that trusts the same
 * service account (`identityId`, `identityTenantId`).
 * Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation
 */
export function azureWorkloadToken(
  access: CloudAccess,
  identity: Pick<PodIdentity, 'identityId' | 'identityTenantId' | 'identityAuthorityHost'>,
  scope: string,
): CloudToken {
  const { identityId, identityTenantId, identityAuthorityHost } = identity;
  const key = cacheKey('azure workload', identityId, identityTenantId, identityAuthorityHost, scope);
  return sharedToken(access, key, async (signal) => {
    const clientId = identityId || required(access, 'AZURE_CLIENT_ID');
    const tenantId = identityTenantId || required(access, 'AZURE_TENANT_ID');
    const tokenFile = required(access, 'AZURE_FEDERATED_TOKEN_FILE');
    const authority = authorityOf(access, identityAuthorityHost);
    const assertion = await fileOf(access, tokenFile, 'AZURE_FEDERATED_TOKEN_FILE');
    return askAzure(access, { authority, tenantId, clientId, scope, proof: { assertion } }, signal);
  });
}

/** A token of an application that has a secret. */
export function azureClientToken(
  access: CloudAccess,
  application: { authority: string; tenantId: string; clientId: string; clientSecret: string },
  scope: string,
): CloudToken {
  const { authority, tenantId, clientId, clientSecret } = application;
  const key = cacheKey('azure client', authority, tenantId, clientId, clientSecret, scope);
  const question = { authority, tenantId, clientId, scope, proof: { clientSecret } };
  return sharedToken(access, key, (signal) => askAzure(access, question, signal));
}

async function askAzure(
  access: CloudAccess,
  question: Parameters<typeof azureTokenRequest>[0],
  signal: AbortSignal,
): Promise<{ token: string; lifetimeMs: number }> {
  const { url, form } = azureTokenRequest(question);
  if (!URL.canParse(url)) {
    throw new SourceError('bad-setting', `Azure sign-in: the authority "${question.authority}" is not an address`);
  }
  const who = `Azure sign-in of the application ${question.clientId}`;
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  const body = new URLSearchParams(form).toString();
  const { status, text } = await askTokenPlace(access, who, { url, method: 'POST', headers, body, signal });
  const answer = azureTokenAnswer(status, jsonObject(text));
  if (!('refusal' in answer)) return answer;
  const secret = 'assertion' in question.proof ? question.proof.assertion : question.proof.clientSecret;
  throw noToken(who, url, status, answer.refusal, [secret]);
}

function required({ ownEnv }: CloudAccess, variable: string): string {
  const value = ownEnv(variable);
  if (value) return value;
  const message = `Azure workload identity: ${variable} is not set where Ebb runs; its service account and pod need the identity`;
  throw new SourceError('bad-setting', message);
}

/** Whoever gets the service account's token can act as Ebb: a document cannot send it anywhere. */
function authorityOf({ ownEnv }: CloudAccess, written: string | undefined): string {
  const own = ownEnv('AZURE_AUTHORITY_HOST') || azureAuthority;
  if (!written) return own;
  const authority = /^https?:\/\//.test(written) ? written : `https://${written}`;
  const host = hostOf(authority);
  const isKnown = host !== null && authorities.includes(host) && authority.startsWith('https://');
  if (isKnown || (host !== null && new URL(authority).origin === originOf(own))) return authority;
  const allowed = `${authorities.join(', ')}, and what AZURE_AUTHORITY_HOST names`;
  const message = `Azure workload identity: identityAuthorityHost "${written}" is no authority that is trusted; those are ${allowed}`;
  throw new SourceError('bad-setting', message);
}

function hostOf(address: string): string | null {
  return URL.canParse(address) ? new URL(address).host : null;
}

function originOf(address: string): string | null {
  return URL.canParse(address) ? new URL(address).origin : null;
}
