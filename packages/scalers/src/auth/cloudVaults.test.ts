import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuthenticationLookups, AuthenticationSpec, AzureKeyVaultSpec } from './authentication.ts';
import { CloudServer, messageOf, type Said, TestCloud, within } from './cloud/cloudServer.fixture.ts';
import { crc32c } from './crc32c.ts';
import { authenticationOf, testLookups } from './lookups.fixture.ts';
import { resolveAuthentication } from './resolveAuthentication.ts';

let server: CloudServer;
let cloud: TestCloud;
let lookups: AuthenticationLookups;
const secretOf = { clientSecret: { valueFrom: { secretKeyRef: { name: 'app', key: 'secret' } } } };
let stored = '';
beforeAll(async () => {
  server = await new CloudServer().start();
});
afterAll(() => server.stop());
beforeEach(() => {
  cloud = new TestCloud();
  stored = 'hush';
  server.asked = [];
  const { ownEnv, readFile, http, cache, wallNowMs } = cloud;
  const changes = { ownEnv, readFile, http, cache, wallNowMs, nowMs: wallNowMs };
  lookups = testLookups({ ...changes, secret: async (_, name) => (name === 'app' ? { secret: stored } : null) });
});

const resolve = async (changes: Partial<AuthenticationSpec>) =>
  (await resolveAuthentication(authenticationOf(changes), lookups, within())).values;
const failure = (changes: Partial<AuthenticationSpec>) => messageOf(resolve(changes));

describe('azureKeyVault', () => {
  const vault = (changes: Partial<AzureKeyVaultSpec> = {}): { azureKeyVault: AzureKeyVaultSpec } => ({
    azureKeyVault: {
      vaultUri: `${server.url}/`,
      credentials: { clientId: 'c', tenantId: 't', ...secretOf },
      cloud: { type: 'Private', keyVaultResourceURL: server.url, activeDirectoryEndpoint: server.url },
      secrets: [
        { parameter: 'password', name: 'db' },
        { parameter: 'before', name: 'db', version: '00ff' },
      ],
      ...changes,
    },
  });
  let token = 'token-1';
  const values: Record<string, string> = { '/secrets/db': 'new', '/secrets/db/00ff': 'old' };
  beforeEach(() => {
    token = 'token-1';
    server.answer = ({ path, headers, query, form }): Said => {
      if (path === '/t/oauth2/v2.0/token') {
        const isRight = form.client_secret === 'hush' || form.client_assertion === 'jwt';
        return isRight
          ? { body: { access_token: token, expires_in: 3600 } }
          : { status: 401, body: { error: 'invalid_client' } };
      }
      if (headers.authorization !== `Bearer ${token}`)
        return { status: 401, body: { error: { code: 'Unauthorized' } } };
      if (path.startsWith('/secrets/closed')) return { status: 403, body: { error: { code: 'Forbidden' } } };
      const value = values[path];
      if (value === undefined || query['api-version'] !== '7.4')
        return { status: 404, body: { error: { code: 'SecretNotFound' } } };
      return { body: { value, id: path } };
    };
  });

  it('reads the newest version and others as an application with a secret', async () => {
    expect(await resolve(vault())).toEqual({ password: 'new', before: 'old' });
    expect(server.asked[0]?.form.scope).toBe(`${server.url}/.default`);
    await resolve(vault());
    expect(server.asked).toHaveLength(3);
    cloud.clockMs += 60_000;
    await resolve(vault());
    expect(server.asked.map(({ path }) => path).filter((path) => path.includes('token'))).toHaveLength(1);
    expect(server.asked).toHaveLength(5);
  });

  it('reads as the workload identity', async () => {
    cloud.env = {
      AZURE_CLIENT_ID: 'ebb',
      AZURE_TENANT_ID: 't',
      AZURE_FEDERATED_TOKEN_FILE: '/jwt',
      AZURE_AUTHORITY_HOST: server.url,
    };
    cloud.files = { '/jwt': 'jwt' };
    const identity = { podIdentity: { provider: 'azure-workload' as const }, credentials: undefined };
    expect(await resolve(vault(identity))).toMatchObject({ password: 'new' });
    expect(server.asked[0]?.form).toMatchObject({ client_id: 'ebb', client_assertion: 'jwt' });
    delete cloud.env.AZURE_FEDERATED_TOKEN_FILE;
    cloud.clockMs += 3_600_000;
    expect(await failure(vault(identity))).toContain(
      'TriggerAuthentication default/login: azureKeyVault: Azure workload identity: AZURE_FEDERATED_TOKEN_FILE is not set',
    );
  });

  it('signs in anew after a token was refused', async () => {
    await resolve(vault());
    token = 'token-2';
    cloud.clockMs += 60_000;
    expect(await failure(vault())).toContain('refused to show the secret db (Unauthorized)');
    expect(await resolve(vault())).toMatchObject({ password: 'new' });
  });

  it('shows its token to nobody but the vaults that it is for', async () => {
    const all = 'https://vault.azure.net';
    for (const [vaultUri, type] of [
      ['https://evil.example', undefined],
      ['https://evilvault.azure.net', undefined],
      ['http://mine.vault.azure.net', 'AzurePublicCloud'],
      ['https://mine.vault.azure.net', 'AzureChinaCloud'],
      ['nonsense', undefined],
    ] as const)
      expect(await failure(vault({ vaultUri, cloud: type && { type } }))).toContain(
        'azureKeyVault.vaultUri must be as',
      );
    const named = { type: 'Private', keyVaultResourceURL: all, activeDirectoryEndpoint: server.url };
    expect(await failure(vault({ cloud: named }))).toContain('must be as https://NAME.vault.azure.net');
    expect(server.asked).toEqual([]);
  });

  it.each<[string, Partial<AzureKeyVaultSpec>, string]>([
    ['a missing secret', { secrets: [{ parameter: 'p', name: 'none' }] }, 'has no secret none'],
    [
      'a closed one',
      { secrets: [{ parameter: 'p', name: 'closed' }] },
      'refused to show the secret closed (Forbidden)',
    ],
    ['no sign-in', { credentials: undefined }, 'needs credentials, or the podIdentity azure-workload'],
    ['another cloud', { podIdentity: { provider: 'gcp' } }, 'must be azure-workload or none, found gcp'],
    ['an unknown cloud', { cloud: { type: 'Mars' } }, 'found Mars'],
    ['half a cloud', { cloud: { type: 'private' } }, 'needs keyVaultResourceURL and activeDirectoryEndpoint'],
  ])('says what is wrong: %s', async (_case, changes, expected) => {
    const message = await failure(vault(changes));
    expect(message).toContain(expected);
    expect(message).not.toContain('token-1');
  });

  it('says that the application is refused', async () => {
    stored = 'wrong';
    expect(await failure(vault())).toContain('gave no token (401): invalid_client');
  });
});

describe('gcpSecretManager', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const payload = (text: string, change = 0) => {
    const data = Buffer.from(text);
    return { body: { payload: { data: data.toString('base64'), dataCrc32c: String(crc32c(data) + change) } } };
  };
  const secrets = [
    { parameter: 'a', id: 'queue' },
    { parameter: 'b', id: 'queue', version: '3' },
  ];
  const credentials = secretOf;
  beforeEach(() => {
    cloud.env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `${server.url}/`, GCE_METADATA_HOST: server.host };
    stored = JSON.stringify({
      type: 'service_account',
      project_id: 'p-1',
      client_email: 'e@p',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${server.url}/token`,
    });
    server.answer = ({ path, headers }): Said => {
      if (path === '/token') return { body: { access_token: 'of-the-key', expires_in: 3600 } };
      if (path.startsWith('/computeMetadata/v1')) {
        const body = path.endsWith('/token') ? { access_token: 'of-the-pod', expires_in: 3600 } : 'p-2';
        return { headers: { 'metadata-flavor': 'Google' }, body };
      }
      const who = headers.authorization;
      if (who === 'Bearer of-the-key' && path === '/v1/projects/p-1/secrets/queue/versions/latest:access')
        return payload('ключ');
      if (who === 'Bearer of-the-key' && path === '/v1/projects/p-1/secrets/queue/versions/3:access')
        return payload('three');
      if (path === '/v1/projects/p-1/secrets/broken/versions/latest:access') return payload('x', 1);
      if (who === 'Bearer of-the-pod' && path.startsWith('/v1/projects/p-2/')) return payload('pod');
      if (path.includes('/secrets/closed/')) return { status: 403, body: { error: { status: 'PERMISSION_DENIED' } } };
      return { status: 404, body: { error: { status: 'NOT_FOUND' } } };
    };
  });

  it('reads with the key of a service account, and as the pod', async () => {
    expect(await resolve({ gcpSecretManager: { credentials, secrets } })).toEqual({ a: 'ключ', b: 'three' });
    const podIdentity = { provider: 'gcp' as const };
    expect(await resolve({ gcpSecretManager: { podIdentity, secrets } })).toEqual({ a: 'pod', b: 'pod' });
    const before = server.asked.length;
    await resolve({ gcpSecretManager: { podIdentity, secrets } });
    expect(server.asked).toHaveLength(before);
    cloud.env.CLOUDSDK_CORE_PROJECT = 'p-3';
    expect(await failure({ gcpSecretManager: { podIdentity, secrets } })).toContain(
      'projects/p-3) has no secret queue',
    );
  });

  it.each([
    ['a missing secret', { credentials, secrets: [{ parameter: 'a', id: 'none' }] }, 'has no secret none'],
    ['a closed one', { credentials, secrets: [{ parameter: 'a', id: 'closed' }] }, 'secret closed (PERMISSION_DENIED)'],
    ['a damaged one', { credentials, secrets: [{ parameter: 'a', id: 'broken' }] }, 'damaged on its way'],
    ['no sign-in', { secrets }, 'needs credentials, or the podIdentity gcp'],
    ['another cloud', { podIdentity: { provider: 'aws' as const }, secrets }, 'must be gcp or none, found aws'],
  ])('says what is wrong: %s', async (_case, gcpSecretManager, expected) => {
    const message = await failure({ gcpSecretManager });
    expect(message).toContain(`TriggerAuthentication default/login: `);
    expect(message).toContain(expected);
    expect(message).not.toContain('of-the-key');
  });

  it('does not quote credentials that are none', async () => {
    stored = 'hunter2';
    const message = await failure({ gcpSecretManager: { credentials, secrets } });
    expect(message).toContain('gcpSecretManager.credentials.clientSecret is not credentials of Google in JSON');
    expect(message).not.toContain('hunter2');
  });
});

it.each([
  ['', 0],
  ['123456789', 0xe3069283],
  ['\0'.repeat(32), 0x8a9136aa],
])('the CRC-32C of %j', (text, expected) => {
  expect(crc32c(Buffer.from(text))).toBe(expected);
});
