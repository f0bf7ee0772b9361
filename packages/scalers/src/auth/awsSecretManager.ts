import { SourceError } from '../contract/errors.ts';
import { place } from '../runtime/http.ts';
import type { AwsSecret, AwsSecretManagerSpec, Resolution } from './authentication.ts';
import { awsCredentials, awsRegion } from './awsCredentials.ts';
import { type AwsCredentials, signAwsRequest } from './awsSignature.ts';
import { cacheKey } from './cacheKey.ts';
import { awsEndpoint } from './cloud/awsRoles.ts';
import { jsonObject } from './cloud/cloudAccess.ts';

/** How soon a changed value is noticed. */
const keepMs = 60_000;

const refusals =
  /^(AccessDenied|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|IncompleteSignature|SignatureDoesNotMatch|ExpiredToken|MissingAuthenticationToken|NotAuthorized|OptInRequired)/;

interface Place {
  url: string;
  region: string;
}

/** Values of AWS Secrets Manager by parameter (`GetSecretValue`, which changes nothing). */
export async function readAwsSecrets(spec: AwsSecretManagerSpec, resolution: Resolution): Promise<Map<string, string>> {
  const region = await awsRegion(spec, resolution);
  const credentials = await awsCredentials(spec, region, resolution);
  const service = { variable: 'AWS_ENDPOINT_URL_SECRETS_MANAGER', host: `secretsmanager.${region}`, region };
  const at: Place = { url: awsEndpoint(resolution.lookups, service), region };
  const values = new Map<string, string>();
  for (const secret of spec.secrets) {
    const { name, versionId, versionStage } = secret;
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const who = [accessKeyId, secretAccessKey, sessionToken];
    const key = cacheKey('aws secret', at.url, ...who, name, versionId, versionStage);
    const text = await resolution.lookups.cache.get(key, resolution.signal, async (signal) => ({
      value: await getSecretValue(secret, at, credentials, { ...resolution, signal }),
      keepMs,
    }));
    values.set(secret.parameter, secret.secretKey ? keyOf(secret, text, resolution.title) : text);
  }
  return values;
}

async function getSecretValue(
  { name, versionId, versionStage }: AwsSecret,
  { url, region }: Place,
  credentials: AwsCredentials,
  { lookups, title, signal }: Resolution,
): Promise<string> {
  const body = JSON.stringify({ SecretId: name, VersionId: versionId, VersionStage: versionStage });
  const request = {
    method: 'POST' as const,
    url,
    body,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.GetSecretValue' },
  };
  const scope = { region, service: 'secretsmanager', wallNowMs: lookups.wallNowMs() };
  const { host: _, ...headers } = signAwsRequest(request, credentials, scope);
  const { status, text } = await lookups.http.request({ ...request, headers, signal });
  const answer = jsonObject(text);
  if (status < 200 || status > 299) throw refusal(status, answer, name, url, title);
  if (typeof answer?.SecretString === 'string') return answer.SecretString;
  const found = answer?.SecretBinary === undefined ? 'gave no text' : 'holds bytes, not text';
  throw new SourceError('bad-answer', `${title}: the secret ${name} of AWS Secrets Manager ${found}`);
}

function refusal(
  status: number,
  answer: Readonly<Record<string, unknown>> | null,
  name: string,
  url: string,
  title: string,
): SourceError {
  // `Prefix#Type`, sometimes with a colon and more behind it.
  const type = typeof answer?.__type === 'string' ? (answer.__type.split('#').at(-1)?.split(':')[0] ?? '') : '';
  const where = `${title}: AWS Secrets Manager (${place(url)})`;
  if (type === 'ResourceNotFoundException') {
    return new SourceError('not-found', `${where} has no secret ${name}, or not in that version`);
  }
  if (refusals.test(type) || status === 401 || status === 403) {
    return new SourceError('unauthorized', `${where} refused to show the secret ${name} (${type || status})`);
  }
  return new SourceError('bad-answer', `${where} answered ${status}${type ? ` ${type}` : ''} for the secret ${name}`);
}

function keyOf({ name, secretKey = '' }: AwsSecret, text: string, title: string): string {
  const values = jsonObject(text);
  const what = `${title}: the secret ${name} of AWS Secrets Manager`;
  if (!values) throw new SourceError('bad-answer', `${what} is not a JSON object, so it has no key ${secretKey}`);
  const value = Object.hasOwn(values, secretKey) ? values[secretKey] : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const keys = Object.keys(values).slice(0, 10).join(', ') || 'none';
  throw new SourceError('not-found', `${what} has no text under the key ${secretKey} (it has ${keys})`);
}
