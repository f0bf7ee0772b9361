import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PodIdentity } from '../auth/authentication.ts';
import { signAwsRequest } from '../auth/awsSignature.ts';
import { type Asked, CloudServer, messageOf, type Said, TestCloud } from '../auth/cloud/cloudServer.fixture.ts';
import { readOnce, testContext } from '../contract/sourceConformance.fixture.ts';
import type { ScalerContext, TriggerSource } from '../contract/source.ts';
import { openTrigger } from '../runtime/openTrigger.ts';
import { prometheus } from './prometheus.ts';

let tokens: CloudServer;
let monitor: CloudServer;
let cloud: TestCloud;
let context: ScalerContext;
let source: TriggerSource | null = null;
let accepted: (asked: Asked) => boolean;
const query = 'sum(rate(x{a="b + ü"}[2m]))*2';
const vector = { status: 'success', data: { resultType: 'vector', result: [{ metric: {}, value: [1, '7'] }] } };

beforeAll(async () => {
  [tokens, monitor] = await Promise.all([new CloudServer().start(), new CloudServer().start()]);
});
afterAll(() => Promise.all([tokens.stop(), monitor.stop()]));
beforeEach(() => {
  cloud = new TestCloud();
  context = testContext({ cloud });
  accepted = () => true;
  [tokens.asked, monitor.asked] = [[], []];
  tokens.answer = () => ({ body: { access_token: `token-${tokens.asked.length}`, expires_in: 3600 } });
  monitor.answer = (asked): Said => (accepted(asked) ? { body: vector } : { status: 401, body: 'no' });
});
afterEach(async () => {
  await source?.close();
  source = null;
});

function open(identity: PodIdentity | null, metadata: Record<string, string> = {}, auth: Record<string, string> = {}) {
  const all = { serverAddress: `${monitor.url}/workspaces/w 1`, query, threshold: '5', ...metadata };
  source = openTrigger(prometheus, { metadata: all, auth, env: { JSON: '{}' }, identity }, context);
  return source;
}
const read = (...values: Parameters<typeof open>) => readOnce(open(...values), context);

describe('Azure Monitor', () => {
  const azure: PodIdentity = { provider: 'azure-workload' };
  beforeEach(() => {
    cloud.env = {
      AZURE_CLIENT_ID: 'ebb',
      AZURE_TENANT_ID: 't',
      AZURE_FEDERATED_TOKEN_FILE: '/jwt',
      AZURE_AUTHORITY_HOST: tokens.url,
    };
    cloud.files = { '/jwt': 'jwt' };
  });

  it.each([
    [{}, 'https://prometheus.monitor.azure.com/.default'],
    [{ cloud: 'AzureUSGovernmentCloud' }, 'https://prometheus.monitor.usgovcloudapi.net/.default'],
    [{ cloud: 'azurechinacloud' }, 'https://prometheus.monitor.chinacloudapp.cn/.default'],
    [{ cloud: 'Private', azureManagedPrometheusResourceURL: 'https://p.airgap/.default' }, 'https://p.airgap/.default'],
  ])('is asked with a token for %j', async (metadata: Record<string, string>, scope) => {
    expect(await read(azure, metadata)).toMatchObject({ value: 7, active: true });
    expect(tokens.last?.form).toMatchObject({ scope, client_id: 'ebb', client_assertion: 'jwt' });
    expect(monitor.last).toMatchObject({
      path: '/workspaces/w%201/api/v1/query',
      query: { query },
      headers: { authorization: 'Bearer token-1' },
    });
  });

  it('keeps the token, and gets another one when it is refused', async () => {
    const opened = open(azure);
    await readOnce(opened, context);
    await readOnce(opened, context);
    expect(tokens.asked).toHaveLength(1);
    accepted = ({ headers }) => headers.authorization === 'Bearer token-2';
    expect(await readOnce(opened, context)).toMatchObject({ value: 7 });
    accepted = () => false;
    await expect(readOnce(opened, context)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('cannot be read without a token, and says why', async () => {
    tokens.answer = () => ({
      status: 400,
      body: { error: 'unauthorized_client', error_description: 'AADSTS700016: no jwt' },
    });
    const message = await messageOf(read(azure));
    expect(message).toContain('(400): unauthorized_client: AADSTS700016: no ***');
    expect(monitor.asked).toEqual([]);
  });

  it('is not what the settings say', () => {
    expect(() => open(azure, { cloud: 'AzureGermanCloud' })).toThrow('found "AzureGermanCloud"');
    expect(() => open(azure, { cloud: 'Private' })).toThrow('azureManagedPrometheusResourceURL is missing');
    expect(() => open(azure, { authModes: 'bearer' }, { bearerToken: 'b' })).toThrow(
      'authModes bearer cannot be used together with the pod identity azure-workload',
    );
  });
});

describe('Google', () => {
  it('is asked with a token of the metadata server', async () => {
    cloud.env = { GCE_METADATA_HOST: tokens.host };
    tokens.answer = () => ({ headers: { 'metadata-flavor': 'Google' }, body: { access_token: 'g', expires_in: 60 } });
    expect(await read({ provider: 'gcp' })).toMatchObject({ value: 7 });
    expect(tokens.last?.query).toEqual({ scopes: 'https://www.googleapis.com/auth/monitoring.read' });
    expect(monitor.last?.headers.authorization).toBe('Bearer g');
  });

  it('is asked as a user with a refresh token, and not with credentials that are none', async () => {
    const user = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' };
    const { request } = cloud.http;
    cloud.http.request = (asked) =>
      request({ ...asked, url: asked.url.replace('https://oauth2.googleapis.com', tokens.url) });
    expect(await read(null, {}, { GoogleApplicationCredentials: JSON.stringify(user) })).toMatchObject({ value: 7 });
    expect(tokens.last?.form).toMatchObject({ grant_type: 'refresh_token', refresh_token: 'r' });
    await source?.close();
    expect(await messageOf(read(null, { credentialsFromEnv: 'JSON' }))).toContain('credentials of the type none');
  });
});

describe('Amazon', () => {
  const region = 'eu-west-1';
  const key = { accessKeyId: 'AKID', secretAccessKey: 'sk', sessionToken: 'st' };
  beforeEach(() => {
    cloud.env = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'sk', AWS_SESSION_TOKEN: 'st' };
    accepted = (asked) => isSigned(asked, key);
  });

  /** As the server sees it: the address and headers that came, signed with the key that it knows. */
  function isSigned({ headers, query: given }: Asked, credentials: typeof key, inRegion = region): boolean {
    const names = /SignedHeaders=([^,]+),/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
    const own = names.filter((name) => !/^(host|x-amz-date|x-amz-security-token)$/.test(name));
    const url = new URL('/workspaces/w%201/api/v1/query', monitor.url);
    for (const [name, value] of Object.entries(given)) url.searchParams.append(name, value);
    const request = {
      method: 'GET',
      url: url.href,
      headers: Object.fromEntries(own.map((name) => [name, String(headers[name])])),
      body: '',
    };
    const scope = { region: inRegion, service: 'aps', wallNowMs: cloud.clockMs };
    return headers.authorization === signAwsRequest(request, credentials, scope).authorization;
  }

  it('is asked with a signature over address and headers', async () => {
    const metadata = { awsRegion: region, customHeaders: 'X-Scope=a', namespace: 'n' };
    expect(await read({ provider: 'aws' }, metadata)).toMatchObject({ value: 7 });
    const [asked] = monitor.asked;
    expect(asked?.query).toEqual({ query, namespace: 'n' });
    expect(asked?.headers).toMatchObject({ 'x-scope': 'a', 'x-amz-security-token': 'st' });
    expect(asked && isSigned(asked, { ...key, secretAccessKey: 'other' })).toBe(false);
    expect(asked && isSigned(asked, key, 'us-east-1')).toBe(false);
  });

  it('is asked with the key of the authentication, or as Ebb where the operator is the owner', async () => {
    const auth = { awsAccessKeyID: 'AKID', awsSecretAccessKey: 'sk', awsSessionToken: 'st' };
    cloud.env = {};
    expect(await read(null, { awsRegion: region }, auth)).toMatchObject({ value: 7 });
    await source?.close();
    cloud.env = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'sk', AWS_SESSION_TOKEN: 'st', AWS_REGION: region };
    expect(await read(null, { identityOwner: 'operator' })).toMatchObject({ value: 7 });
    await source?.close();
    accepted = ({ headers }) => headers.authorization === undefined;
    expect(await read(null, { awsRegion: region })).toMatchObject({ value: 7 });
  });

  it('does not sign for another host', async () => {
    monitor.answer = () => ({
      status: 307,
      headers: { location: `${tokens.url.replace('127.0.0.1', 'localhost')}/x` },
    });
    await messageOf(read({ provider: 'aws' }, { awsRegion: region }));
    expect(tokens.last?.headers.authorization).toBeUndefined();
    expect(tokens.last?.headers['x-amz-security-token']).toBeUndefined();
  });

  it('says that there is no region', async () => {
    expect(await messageOf(read({ provider: 'aws' }))).toContain('awsRegion is missing, and AWS_REGION is not set');
    expect(() => open({ provider: 'aws-eks' }, { awsRegion: region })).toThrow('aws-eks takes the role');
  });
});
