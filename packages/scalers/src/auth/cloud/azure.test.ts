import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { azureClientToken, azureScope, azureWorkloadToken } from './azure.ts';
import { CloudServer, messageOf, TestCloud, within } from './cloudServer.fixture.ts';

const scope = 'https://prometheus.monitor.azure.com/.default';
let server: CloudServer;
let cloud: TestCloud;
beforeAll(async () => {
  server = await new CloudServer().start();
});
afterAll(() => server.stop());
beforeEach(() => {
  cloud = new TestCloud();
  cloud.env = {
    AZURE_CLIENT_ID: 'app',
    AZURE_TENANT_ID: 'tenant',
    AZURE_FEDERATED_TOKEN_FILE: '/token',
    AZURE_AUTHORITY_HOST: `${server.url}/`,
  };
  cloud.files = { '/token': 'assertion-1\n' };
  server.asked = [];
  server.answer = () => ({ body: { access_token: `token-${server.asked.length}`, expires_in: 3600 } });
});

describe('the workload identity of Azure', () => {
  it("exchanges the service account's token for one of the scope", async () => {
    expect(await azureWorkloadToken(cloud, {}, scope).get(within())).toBe('token-1');
    expect(server.last).toMatchObject({ method: 'POST', path: '/tenant/oauth2/v2.0/token' });
    expect(server.last?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(server.last?.form).toEqual({
      grant_type: 'client_credentials',
      client_id: 'app',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'assertion-1',
      scope,
    });
  });

  it('keeps it until shortly before its end, for all who ask for the same, and reads the file anew', async () => {
    const [first, second] = [azureWorkloadToken(cloud, {}, scope), azureWorkloadToken(cloud, {}, scope)];
    expect(first.key).toBe(second.key);
    expect(await Promise.all([first.get(within()), second.get(within())])).toEqual(['token-1', 'token-1']);
    cloud.files['/token'] = 'assertion-2';
    cloud.clockMs += 3_299_000;
    expect(await first.get(within())).toBe('token-1');
    cloud.clockMs += 1000;
    expect(await first.get(within())).toBe('token-2');
    expect(server.last?.form.client_assertion).toBe('assertion-2');
  });

  it('fetches another one after a refusal, once', async () => {
    const token = azureWorkloadToken(cloud, {}, scope);
    const shown = await token.get(within());
    token.drop(shown);
    expect(await token.get(within())).toBe('token-2');
    token.drop(shown);
    expect(await token.get(within())).toBe('token-2');
  });

  it('is another one by identityId and tenant, and of each scope', async () => {
    const other = { identityId: 'other', identityTenantId: 'elsewhere' };
    expect(await azureWorkloadToken(cloud, other, scope).get(within())).toBe('token-1');
    expect(server.last).toMatchObject({ path: '/elsewhere/oauth2/v2.0/token', form: { client_id: 'other' } });
    expect(await azureWorkloadToken(cloud, {}, scope).get(within())).toBe('token-2');
    expect(await azureWorkloadToken(cloud, {}, 'https://vault.azure.net/.default').get(within())).toBe('token-3');
  });

  it.each(['AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'AZURE_FEDERATED_TOKEN_FILE'])(
    'says that %s is missing',
    async (name) => {
      delete cloud.env[name];
      expect(await messageOf(azureWorkloadToken(cloud, {}, scope).get(within()))).toContain(`${name} is not set`);
      expect(server.asked).toEqual([]);
    },
  );

  it('names the file that cannot be read, or is empty', async () => {
    cloud.files = {};
    const asked = () => messageOf(azureWorkloadToken(cloud, {}, scope).get(within()));
    expect(await asked()).toContain('/token, which AZURE_FEDERATED_TOKEN_FILE names, cannot be read (ENOENT)');
    cloud.files = { '/token': '\n' };
    expect(await asked()).toContain('is empty');
  });

  it('tells what the authority says, and none of what it was sent', async () => {
    const description = 'AADSTS700213: no federated identity matches assertion-1\nTrace ID: 5';
    server.answer = () => ({ status: 401, body: { error: 'invalid_client', error_description: description } });
    const token = azureWorkloadToken(cloud, {}, scope);
    await expect(token.get(within())).rejects.toMatchObject({ code: 'unauthorized' });
    const message = await messageOf(token.get(within()));
    expect(message).toContain('(401): invalid_client: AADSTS700213: no federated identity matches ***');
    expect(message).not.toContain('Trace ID');
    expect(server.asked).toHaveLength(2);
    server.answer = () => ({ status: 503, body: 'busy' });
    await expect(token.get(within())).rejects.toMatchObject({ code: 'unreachable' });
    server.answer = () => ({ body: { token_type: 'Bearer' } });
    await expect(token.get(within())).rejects.toMatchObject({ code: 'bad-answer' });
  });

  it("never shows the service account's token to whom only a document trusts", async () => {
    const identity = { identityId: 'a', identityTenantId: 't', identityAuthorityHost: 'https://evil.example' };
    for (const host of ['https://evil.example', 'evil.example', 'http://login.microsoftonline.com', 'https://x@'])
      expect(
        await messageOf(azureWorkloadToken(cloud, { ...identity, identityAuthorityHost: host }, scope).get(within())),
      ).toContain('no authority that is trusted');
    expect(server.asked).toEqual([]);
    await azureWorkloadToken(cloud, { ...identity, identityAuthorityHost: server.url }, scope).get(within());
    expect(server.last?.form.client_id).toBe('a');
  });
});

it('proves an application by its secret', async () => {
  const application = { authority: server.url, tenantId: 't', clientId: 'c', clientSecret: 'hush' };
  expect(await azureClientToken(cloud, application, scope).get(within())).toBe('token-1');
  expect(server.last?.form).toEqual({ grant_type: 'client_credentials', client_id: 'c', client_secret: 'hush', scope });
  const other = { ...application, clientSecret: 'wrong' };
  server.answer = () => ({ status: 401, body: { error: 'invalid_client', error_description: 'not wrong' } });
  expect(await messageOf(azureClientToken(cloud, other, scope).get(within()))).toContain('not ***');
});

it.each([
  ['https://vault.azure.net', 'https://vault.azure.net/.default'],
  ['https://vault.azure.net/', 'https://vault.azure.net/.default'],
  ['api://rabbitmq/.default', 'api://rabbitmq/.default'],
])('the scope of %s', (resource, expected) => {
  expect(azureScope(resource)).toBe(expected);
});
