import { isIP } from 'node:net';
import { SourceError } from '../../contract/errors.ts';
import { place } from '../../runtime/http.ts';
import type { AwsCredentials } from '../awsSignature.ts';
import { cacheKey } from '../cacheKey.ts';
import { askTokenPlace, type CloudAccess, fileOf, jsonObject, keepMsOf, noToken, textOf } from './cloudAccess.ts';

const containerHost = 'http://169.254.170.2';
/** Addresses that credentials may be asked of without TLS, besides this machine: ECS's, and EKS's agent on each node. */
const plainHosts = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]', 'localhost'];
const machineAddress = 'http://169.254.169.254';
const machineTimeoutMs = 1000;
const sessionSeconds = '21600';

/** Temporary credentials, as AWS's places in the network give them. */
export interface TemporaryCredentials {
  credentials: AwsCredentials;
  endsAtMs: number;
}

/** Credentials until shortly before they end; everybody with the same key shares them. */
export function keptCredentials(
  { cache, wallNowMs }: CloudAccess,
  key: string,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<TemporaryCredentials>,
): Promise<AwsCredentials> {
  return cache.get(key, signal, async (signal) => {
    const { credentials, endsAtMs } = await ask(signal);
    return { value: credentials, keepMs: keepMsOf(Math.max(1, endsAtMs - wallNowMs())) };
  });
}

/**
 * Credentials of the container: EKS Pod Identity, or a task of ECS. Null: the environment names no place.
 * Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export async function containerCredentials(access: CloudAccess, signal: AbortSignal): Promise<AwsCredentials | null> {
  const { ownEnv } = access;
  const relative = ownEnv('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI');
  const full = ownEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI');
  const url = relative ? `${containerHost}${relative}` : full;
  if (!url) return null;
  if (!mayBeAsked(url)) {
    const message = `AWS_CONTAINER_CREDENTIALS_FULL_URI must be an address with https, or of this machine or its node, found ${place(url)}`;
    throw new SourceError('bad-setting', message);
  }
  return keptCredentials(access, cacheKey('aws container', url), signal, async (signal) => {
    const tokenFile = ownEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE');
    const authorization = tokenFile
      ? await fileOf(access, tokenFile, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE')
      : ownEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN');
    const who = 'AWS credentials of the container (AWS_CONTAINER_CREDENTIALS_FULL_URI)';
    const headers: Record<string, string> = authorization ? { authorization } : {};
    const { status, text } = await askTokenPlace(access, who, { url, headers, signal });
    return temporary(who, url, status, text, authorization ? [authorization] : []);
  });
}

/**
 * Credentials of the machine's instance profile (IMDSv2). Rejects where there is none.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
export function machineCredentials(access: CloudAccess, signal: AbortSignal): Promise<AwsCredentials> {
  const root = (access.ownEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT') || machineAddress).replace(/\/+$/, '');
  return keptCredentials(access, cacheKey('aws machine', root), signal, async (signal) => {
    const who = 'AWS instance metadata';
    const ask = async (path: string, headers: Record<string, string>, method: 'GET' | 'PUT' = 'GET') => {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(machineTimeoutMs)]);
      const url = `${root}${path}`;
      const answer = await askTokenPlace(access, who, { url, method, headers, signal: inTime });
      if (answer.status === 200) return { ...answer, url };
      throw noToken(who, url, answer.status, '');
    };
    const session = await ask('/latest/api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': sessionSeconds }, 'PUT');
    const headers = { 'x-aws-ec2-metadata-token': session.text.trim() };
    const roles = await ask('/latest/meta-data/iam/security-credentials/', headers);
    const [role = ''] = roles.text.trim().split('\n');
    const path = `/latest/meta-data/iam/security-credentials/${encodeURIComponent(role.trim())}`;
    const { url, status, text } = await ask(path, headers);
    return temporary(who, url, status, text, [session.text.trim()]);
  });
}

function temporary(
  who: string,
  url: string,
  status: number,
  text: string,
  secrets: readonly string[],
): TemporaryCredentials {
  const answer = jsonObject(text);
  const accessKeyId = textOf(answer, 'AccessKeyId');
  const secretAccessKey = textOf(answer, 'SecretAccessKey');
  if (status !== 200 || !accessKeyId || !secretAccessKey) {
    const said = [
      textOf(answer, 'code') ?? textOf(answer, 'Code'),
      textOf(answer, 'message') ?? textOf(answer, 'Message'),
    ];
    throw noToken(who, url, status, said.filter((part) => part !== undefined).join(': '), secrets);
  }
  const endsAtMs = Date.parse(textOf(answer, 'Expiration') ?? '');
  return {
    credentials: { accessKeyId, secretAccessKey, sessionToken: textOf(answer, 'Token') },
    endsAtMs: Number.isFinite(endsAtMs) ? endsAtMs : 0,
  };
}

/** What is sent along is a secret: it goes by TLS, or not far. */
function mayBeAsked(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:') return true;
  if (protocol !== 'http:') return false;
  return plainHosts.includes(hostname) || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}
