import { createVerify, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Asked, CloudServer, messageOf, type Said, TestCloud, within } from './cloudServer.fixture.ts';
import { googleAccountToken, googleOwnProject, googleOwnToken, googleProjectOf } from './google.ts';

const scopes = ['https://www.googleapis.com/auth/monitoring.read'];
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
let server: CloudServer;
let cloud: TestCloud;
beforeAll(async () => {
  server = await new CloudServer().start();
});
afterAll(() => server.stop());
beforeEach(() => {
  cloud = new TestCloud();
  cloud.env = { GCE_METADATA_HOST: server.host, HOME: '/h' };
  server.asked = [];
});

describe('the metadata server', () => {
  const headers = { 'metadata-flavor': 'Google' };

  it('gives tokens and the project', async () => {
    server.answer = ({ path, headers: given }): Said =>
      given['metadata-flavor'] !== 'Google'
        ? { status: 403 }
        : path.endsWith('/project-id')
          ? { headers, body: 'my-project' }
          : { headers, body: { access_token: `t${server.asked.length}`, expires_in: 1000, token_type: 'Bearer' } };
    const token = googleOwnToken(cloud, scopes);
    expect(await token.get(within())).toBe('t1');
    expect(server.last).toMatchObject({
      path: '/computeMetadata/v1/instance/service-accounts/default/token',
      query: { scopes: scopes[0] },
    });
    cloud.clockMs += 899_000;
    expect(await token.get(within())).toBe('t1');
    cloud.clockMs += 1000;
    expect(await token.get(within())).toBe('t2');
    expect(await googleOwnProject(cloud, within())).toBe('my-project');
    cloud.env.CLOUDSDK_CORE_PROJECT = 'said';
    expect(await googleOwnProject(cloud, within())).toBe('said');
  });

  it('is not taken for what it is not, and says what is missing', async () => {
    const token = googleOwnToken(cloud, scopes);
    server.answer = () => ({ body: { access_token: 'x' } });
    expect(await messageOf(token.get(within()))).toContain('no metadata server of Google (GCE_METADATA_HOST)');
    server.answer = () => ({ status: 404, headers, body: 'no such account' });
    expect(await messageOf(token.get(within()))).toContain('gave no token (404): no such account');
    cloud.env.GCE_METADATA_HOST = '127.0.0.1:1';
    expect(await messageOf(token.get(within()))).toContain('GOOGLE_APPLICATION_CREDENTIALS is not set');
  });
});

const account = (changes: object = {}) =>
  JSON.stringify({
    type: 'service_account',
    project_id: 'p',
    client_email: 'ebb@p.iam.example',
    private_key: pem,
    token_uri: `${server.url}/token`,
    ...changes,
  });

describe('the key of a service account', () => {
  function claimsOf(assertion: string): Record<string, unknown> {
    const [head = '', body = '', signature = ''] = assertion.split('.');
    expect(createVerify('RSA-SHA256').update(`${head}.${body}`).verify(publicKey, signature, 'base64url')).toBe(true);
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({ alg: 'RS256', typ: 'JWT' });
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  }

  it('signs an assertion for the token', async () => {
    server.answer = () => ({ body: { access_token: 'a', expires_in: 3600 } });
    const token = googleAccountToken(cloud, account(), scopes, 'the Secret');
    expect(await token.get(within())).toBe('a');
    expect(server.last?.form.grant_type).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const nowSeconds = cloud.clockMs / 1000;
    expect(claimsOf(server.last?.form.assertion ?? '')).toEqual({
      iss: 'ebb@p.iam.example',
      scope: scopes[0],
      aud: `${server.url}/token`,
      iat: nowSeconds,
      exp: nowSeconds + 3600,
    });
    cloud.env = { GOOGLE_APPLICATION_CREDENTIALS: '/key.json' };
    cloud.files = { '/key.json': account() };
    expect(await googleOwnToken(cloud, scopes).get(within())).toBe('a');
    expect(await googleOwnProject(cloud, within())).toBe('p');
  });

  it.each<[string, () => string, string]>([
    ['no JSON', () => '{"private_key": "hunter2', 'is not credentials of Google in JSON'],
    ['no key', () => account({ private_key: '' }), 'has no private_key'],
    ['a broken key', () => account({ private_key: 'hunter2' }), 'private_key that is not a key in PEM'],
    [
      'files of its own',
      () => account({ type: 'external_account' }),
      'known here are service_account and authorized_user',
    ],
    ['a strange address', () => account({ token_uri: 'file:///etc/passwd' }), 'its token address is not an address'],
  ])('refuses %s without quoting it', async (_case, json, expected) => {
    const message = await messageOf(googleAccountToken(cloud, json(), scopes, 'the Secret').get(within()));
    expect(message).toContain(expected);
    expect(message).not.toContain('hunter2');
  });

  it('tells why there is no token', async () => {
    server.answer = ({ form }: Asked) => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: `Invalid JWT ${form.assertion}` },
    });
    const message = await messageOf(googleAccountToken(cloud, account(), scopes, 'the Secret').get(within()));
    expect(message).toContain('Google sign-in of ebb@p.iam.example');
    expect(message).toContain('(400): invalid_grant: Invalid JWT ***');
  });

  it('says the project', () => {
    expect(googleProjectOf(account(), 'the Secret')).toBe('p');
    expect(() => googleProjectOf('{}', 'the Secret')).toThrow('the Secret has no project_id');
  });
});

describe('an identity from elsewhere', () => {
  const external = (changes: object) =>
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/pools/x',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${server.url}/exchange`,
      credential_source: { file: '/var/run/token' },
      ...changes,
    });
  beforeEach(() => {
    cloud.env = { GOOGLE_APPLICATION_CREDENTIALS: '/federation.json' };
    cloud.files = { '/federation.json': external({}), '/var/run/token': 'jwt-of-the-pod\n' };
    server.answer = ({ path, headers }) => {
      if (path === '/exchange') return { body: { access_token: 'exchanged', expires_in: 600 } };
      if (path === '/subject' && headers['x-key'] === 'k') return { body: { value: 'jwt-by-address' } };
      if (path === '/impersonate' && headers.authorization === 'Bearer exchanged') {
        return { body: { accessToken: 'impersonated', expireTime: '2026-11-23T11:20:30Z' } };
      }
      return { status: 403, body: { error: { message: 'denied for exchanged' } } };
    };
  });

  it('is exchanged', async () => {
    const token = googleOwnToken(cloud, scopes);
    expect(await token.get(within())).toBe('exchanged');
    expect(server.last?.form).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: '//iam.googleapis.com/pools/x',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: 'jwt-of-the-pod',
      scope: scopes[0],
    });
  });

  it('impersonates a service account, with the subject out of JSON of an address', async () => {
    const source = {
      url: `${server.url}/subject`,
      headers: { 'x-key': 'k' },
      format: { type: 'json', subject_token_field_name: 'value' },
    };
    const change = { credential_source: source, service_account_impersonation_url: `${server.url}/impersonate` };
    cloud.files['/federation.json'] = external(change);
    const token = googleOwnToken(cloud, scopes);
    expect(await token.get(within())).toBe('impersonated');
    expect(server.asked.map(({ path }) => path)).toEqual(['/subject', '/exchange', '/impersonate']);
    expect(server.asked[1]?.form).toMatchObject({
      subject_token: 'jwt-by-address',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    });
    expect(JSON.parse(server.last?.body ?? '')).toEqual({ scope: scopes, lifetime: '3600s' });
    cloud.clockMs += 3_299_000;
    expect(await token.get(within())).toBe('impersonated');
    expect(server.asked).toHaveLength(3);
  });

  it('says what it cannot use, and who refused', async () => {
    const asked = (change: object) => {
      cloud.files['/federation.json'] = external(change);
      return messageOf(googleOwnToken(cloud, scopes).get(within()));
    };
    expect(await asked({ credential_source: { environment_id: 'aws1' } })).toContain('neither a file nor an address');
    expect(await asked({ credential_source: { file: '/none' } })).toContain('/none');
    const refused = await asked({ service_account_impersonation_url: `${server.url}/no` });
    expect(refused).toContain('impersonation');
    expect(refused).toContain('denied for ***');
  });
});

it('takes what gcloud keeps of a user', async () => {
  const file = '/h/.config/gcloud/application_default_credentials.json';
  const user = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' };
  cloud.files = { [file]: JSON.stringify(user) };
  cloud.http.request = async (request) => {
    expect(request.url).toBe('https://oauth2.googleapis.com/token');
    expect(Object.fromEntries(new URLSearchParams(request.body))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'c',
      client_secret: 's',
      refresh_token: 'r',
    });
    return { status: 200, headers: {}, text: '{"access_token":"u","expires_in":60}' };
  };
  expect(await googleOwnToken(cloud, scopes).get(within())).toBe('u');
});
