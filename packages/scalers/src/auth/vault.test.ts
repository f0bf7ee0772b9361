import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import type { AuthenticationLookups, VaultSpec } from './authentication.ts';
import { authenticationOf, testLookups } from './lookups.fixture.ts';
import { resolveAuthentication } from './resolveAuthentication.ts';

const rootToken = 'hvs.root';
const jwt = 'eyJ.service.account';

interface Asked {
  method: string;
  path: string;
  namespace: string | undefined;
  body: unknown;
}

let server: Server;
let address = '';
let asked: Asked[] = [];
let loginToken = 'hvs.login-1';
let nowMs = 0;

/** As the HTTP API of Vault is documented: what each path answers with a valid token. */
const stored: Record<string, object> = {
  'GET /v1/kv1/rabbitmq': { lease_id: '', lease_duration: 2_764_800, data: { url: 'amqp://one', port: 5672 } },
  'GET /v1/secret/data/rabbitmq': {
    lease_id: '',
    lease_duration: 0,
    data: { data: { url: 'amqp://two', ключ: 'unicode' }, metadata: { version: 3 } },
  },
  'GET /v1/secret/data/a%20b': { data: { data: { url: 'amqp://space' }, metadata: { version: 1 } } },
  'GET /v1/database/creds/reader': {
    lease_id: 'database/creds/reader/1',
    lease_duration: 300,
    data: { password: 'p' },
  },
};

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const { method = '', url: path = '' } = request;
      const body: unknown = text === '' ? null : JSON.parse(text);
      const namespace = request.headers['x-vault-namespace'] as string | undefined;
      asked.push({ method, path, namespace, body });
      const answer = (status: number, value: object) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      };
      if (request.headers['x-vault-request'] !== 'true') return answer(400, { errors: ['no request header'] });
      if (path === '/v1/auth/kubernetes/login') {
        const { role, jwt: given } = body as { role: string; jwt: string };
        if (role !== 'scaler') return answer(400, { errors: ['invalid role name'] });
        if (given !== jwt) return answer(403, { errors: ['permission denied'] });
        return answer(200, { auth: { client_token: loginToken, lease_duration: 60, renewable: true } });
      }
      const token = request.headers['x-vault-token'];
      if (token !== rootToken && token !== loginToken) return answer(403, { errors: ['permission denied'] });
      if (path === '/v1/team/data/x') {
        return namespace === 'team-a/'
          ? answer(200, { data: { data: { url: 'amqp://team' } } })
          : answer(404, { errors: [] });
      }
      if (method === 'POST' && path === '/v1/pki/issue/client') {
        const expiration = Math.floor(Date.now() / 1000) + 3600;
        return answer(200, { data: { certificate: 'CERT', ca_chain: ['A', 'B'], private_key: 'KEY', expiration } });
      }
      const found = stored[`${method} ${path}`];
      return found ? answer(200, found) : answer(404, { errors: [] });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  asked = [];
  nowMs = 0;
  loginToken = 'hvs.login-1';
});

const open: AuthenticationLookups[] = [];
afterEach(async () => {
  for (const { http } of open.splice(0)) await http.close();
});
function lookupsWith(changes: Partial<AuthenticationLookups> = {}): AuthenticationLookups {
  const lookups = testLookups({ nowMs: () => nowMs, ...changes });
  open.push(lookups);
  return lookups;
}

function vault(secrets: VaultSpec['secrets'], changes: Partial<VaultSpec> = {}): VaultSpec {
  return { address, authentication: 'token', credential: { token: rootToken }, secrets, ...changes };
}
async function resolve(spec: VaultSpec, lookups = lookupsWith()) {
  return (await resolveAuthentication(authenticationOf({ hashiCorpVault: spec }), lookups, AbortSignal.timeout(5000)))
    .values;
}
async function failure(spec: VaultSpec, lookups = lookupsWith()): Promise<SourceError> {
  const error: unknown = await resolve(spec, lookups).then(
    () => new Error('it gave values'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SourceError)) throw error;
  expect(error.message).not.toContain(rootToken);
  expect(error.message).not.toContain(jwt);
  return error;
}
const host = { parameter: 'host', key: 'url' };

describe('what is read', () => {
  it('reads versions 1 and 2 of the secret engine, named or told by the answer', async () => {
    const values = await resolve(
      vault([
        { ...host, parameter: 'one', path: 'kv1/rabbitmq', type: 'secret' },
        { ...host, parameter: 'two', path: 'secret/data/rabbitmq', type: 'secretV2' },
        { ...host, parameter: 'told', path: '/secret/data/rabbitmq' },
        { parameter: 'unicode', path: 'secret/data/rabbitmq', key: 'ключ', type: '' },
        { ...host, parameter: 'space', path: 'secret/data/a b' },
      ]),
    );
    expect(values).toEqual({
      one: 'amqp://one',
      two: 'amqp://two',
      told: 'amqp://two',
      unicode: 'unicode',
      space: 'amqp://space',
    });
    // One path is asked for once.
    expect(asked).toHaveLength(3);
  });

  it('asks for one certificate for its three parts', async () => {
    const pki = { path: 'pki/issue/client', type: 'pki' as const, pkiData: { commonName: 'ebb' } };
    const values = await resolve(
      vault([
        { ...pki, parameter: 'cert', key: 'certificate' },
        { ...pki, parameter: 'key', key: 'private_key' },
        { ...pki, parameter: 'ca', key: 'ca_chain' },
      ]),
    );
    expect(values).toEqual({ cert: 'CERT', key: 'KEY', ca: 'A\nB' });
    expect(asked).toEqual([
      { method: 'POST', path: '/v1/pki/issue/client', namespace: undefined, body: { commonName: 'ebb' } },
    ]);
  });

  it('names the namespace of the vault', async () => {
    const secrets = [{ ...host, path: 'team/data/x' }];
    expect(await resolve(vault(secrets, { namespace: 'team-a/' }))).toEqual({ host: 'amqp://team' });
    expect((await failure(vault(secrets))).code).toBe('not-found');
  });

  it('keeps stored values for a minute and leased ones for most of their lease', async () => {
    const lookups = lookupsWith();
    const spec = vault([
      { ...host, path: 'secret/data/rabbitmq' },
      { parameter: 'password', path: 'database/creds/reader', key: 'password' },
    ]);
    const reads = async (atMs: number) => {
      nowMs = atMs;
      asked = [];
      await resolve(spec, lookups);
      return asked.map(({ path }) => path);
    };
    expect(await reads(0)).toHaveLength(2);
    expect(await reads(59_000)).toEqual([]);
    expect(await reads(61_000)).toEqual(['/v1/secret/data/rabbitmq']);
    expect(await reads(201_000)).toEqual(['/v1/secret/data/rabbitmq', '/v1/database/creds/reader']);
  });
});

describe('signing in', () => {
  const file = join(tmpdir(), `ebb-vault-${process.pid}.jwt`);
  writeFileSync(file, `${jwt}\n`);
  const kubernetes = (changes: Partial<VaultSpec> = {}) =>
    vault([{ ...host, path: 'secret/data/rabbitmq' }], {
      authentication: 'kubernetes',
      mount: 'kubernetes',
      role: 'scaler',
      credential: { serviceAccount: file },
      ...changes,
    });

  it('prefers the token of the environment, as the client of Vault does', async () => {
    const spec = vault([{ ...host, path: 'kv1/rabbitmq' }], { credential: { token: 'wrong' } });
    const lookups = lookupsWith({ ownEnv: (name) => (name === 'VAULT_TOKEN' ? rootToken : undefined) });
    expect(await resolve(spec, lookups)).toEqual({ host: 'amqp://one' });
  });

  it('signs in with the token of the service account, and again only when the sign-in is nearly over', async () => {
    const lookups = lookupsWith();
    expect(await resolve(kubernetes(), lookups)).toEqual({ host: 'amqp://two' });
    expect(asked[0]).toMatchObject({ path: '/v1/auth/kubernetes/login', body: { jwt, role: 'scaler' } });
    nowMs = 39_000;
    await resolve(kubernetes(), lookups);
    expect(asked).toHaveLength(2);
    nowMs = 41_000;
    loginToken = 'hvs.login-2';
    await resolve(kubernetes(), lookups);
    expect(asked.filter(({ path }) => path.endsWith('/login'))).toHaveLength(2);
  });

  it('takes the token of a named service account where one is configured', async () => {
    const spec = kubernetes({ credential: { serviceAccountName: 'reader' } });
    expect((await failure(spec)).code).toBe('unsupported');
    const lookups = lookupsWith({ serviceAccountToken: async (name) => (name === 'reader' ? jwt : null) });
    expect(await resolve(spec, lookups)).toEqual({ host: 'amqp://two' });
  });

  it('says what is missing or refused', async () => {
    expect(await failure(kubernetes({ role: undefined }))).toMatchObject({ code: 'bad-setting' });
    expect((await failure(kubernetes({ mount: undefined }))).message).toContain('hashiCorpVault.mount is missing');
    expect(await failure(kubernetes({ role: 'other' }))).toMatchObject({ code: 'unauthorized' });
    expect(await failure(kubernetes({ credential: { serviceAccount: `${file}.none` } }))).toMatchObject({
      code: 'not-found',
    });
    const secrets = [{ ...host, path: 'kv1/rabbitmq' }];
    expect(await failure(vault(secrets, { credential: { token: 'hvs.wrong' } }))).toMatchObject({
      code: 'unauthorized',
    });
    expect(await failure(vault(secrets, { credential: undefined }))).toMatchObject({ code: 'bad-setting' });
  });
});

describe('what cannot be read', () => {
  it.each([
    [{ ...host, path: 'secret/data/none' }, 'not-found'],
    [{ ...host, path: 'secret/data/rabbitmq', key: 'uri' }, 'not-found'],
    [{ ...host, path: 'kv1/rabbitmq', key: 'port' }, 'bad-answer'],
    [{ ...host, path: 'kv1/rabbitmq', type: 'secretV2' as const }, 'bad-answer'],
    [{ ...host, path: '../sys/seal-status' }, 'bad-setting'],
  ])('%j', async (secret, code) => {
    expect((await failure(vault([secret]))).code).toBe(code);
    for (const { path } of asked) expect(path).toMatch(/^\/v1\/(?!.*\.\.)/);
  });

  it('says that nothing listens, and refuses an address that is none', async () => {
    const secrets = [{ ...host, path: 'kv1/rabbitmq' }];
    expect(await failure(vault(secrets, { address: 'http://127.0.0.1:1' }))).toMatchObject({ code: 'unreachable' });
    expect(await failure(vault(secrets, { address: 'file:///etc/passwd' }))).toMatchObject({ code: 'bad-setting' });
  });
});
