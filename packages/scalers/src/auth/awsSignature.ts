import { createHash, createHmac } from 'node:crypto';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

export interface AwsRequest {
  method: string;
  url: string;
  /** All of them are signed. `host`, `x-amz-date` and `x-amz-security-token` are added. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface AwsScope {
  region: string;
  service: string;
  wallNowMs: number;
}

const algorithm = 'AWS4-HMAC-SHA256';

/**
 * The request's headers with `authorization`, by AWS Signature Version 4.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signAwsRequest(
  { method, url, headers, body }: AwsRequest,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  { region, service, wallNowMs }: AwsScope,
): Record<string, string> {
  const { host, pathname, searchParams } = new URL(url);
  const time = timeOf(wallNowMs);
  const day = time.slice(0, 8);
  const signed: Record<string, string> = {
    ...lowerCaseKeys(headers),
    host,
    'x-amz-date': time,
    ...(sessionToken ? { 'x-amz-security-token': sessionToken } : {}),
  };
  const names = Object.keys(signed).sort();
  const canonicalRequest = [
    method,
    pathname.split('/').map(encode).join('/'),
    canonicalQuery(searchParams),
    ...names.map((name) => `${name}:${(signed[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n');
  const signature = signatureOf(canonicalRequest, time, secretAccessKey, { region, service });
  const authorization = `${algorithm} Credential=${accessKeyId}/${scopeOf(day, region, service)}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...signed, authorization };
}

/**
 * The address of a GET request with its signature in the query, good for so many seconds; only the host is signed beside it.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function presignAwsAddress(
  url: string,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  { region, service, wallNowMs, expiresSeconds }: AwsScope & { expiresSeconds: number },
): string {
  const address = new URL(url);
  const time = timeOf(wallNowMs);
  const scope = scopeOf(time.slice(0, 8), region, service);
  const added = {
    'X-Amz-Algorithm': algorithm,
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(expiresSeconds),
    ...(sessionToken ? { 'X-Amz-Security-Token': sessionToken } : {}),
    'X-Amz-SignedHeaders': 'host',
  };
  for (const [name, value] of Object.entries(added)) address.searchParams.set(name, value);
  const query = canonicalQuery(address.searchParams);
  const path = address.pathname.split('/').map(encode).join('/');
  const canonicalRequest = ['GET', path, query, `host:${address.host}`, '', 'host', sha256('')].join('\n');
  const signature = signatureOf(canonicalRequest, time, secretAccessKey, { region, service });
  return `${address.origin}${address.pathname}?${query}&X-Amz-Signature=${signature}`;
}

function signatureOf(
  canonicalRequest: string,
  time: string,
  secretAccessKey: string,
  { region, service }: Omit<AwsScope, 'wallNowMs'>,
): string {
  const day = time.slice(0, 8);
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const content = [algorithm, time, scopeOf(day, region, service), sha256(canonicalRequest)].join('\n');
  return hmac(key, content).toString('hex');
}

function scopeOf(day: string, region: string, service: string): string {
  return `${day}/${region}/${service}/aws4_request`;
}

function timeOf(wallNowMs: number): string {
  return new Date(wallNowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function canonicalQuery(parameters: URLSearchParams): string {
  return [...parameters]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** RFC 3986, which leaves fewer characters as they are than JavaScript does. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function lowerCaseKeys(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
