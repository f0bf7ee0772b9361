import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import type { AuthenticationLookups, AuthenticationSpec } from './authentication.ts';
import { authenticationOf, testLookups } from './lookups.fixture.ts';
import { resolveAuthentication } from './resolveAuthentication.ts';

const secrets: Record<string, Record<string, string>> = {
  'default/rabbitmq': { url: 'amqp://u:s3cret@mq', user: 'u' },
  'ebb-system/rabbitmq': { url: 'amqp://cluster' },
};
const held = testLookups({
  secret: async (namespace, name) => secrets[`${namespace}/${name}`] ?? null,
  configMap: async (namespace, name) => (namespace === 'default' && name === 'places' ? { host: 'mq' } : null),
  env: (name, container) =>
    ({ QUEUE: 'orders', 'side/QUEUE': 'side-orders' })[container ? `${container}/${name}` : name],
  serviceAccountToken: async (name) => (name === 'reader' ? 'jwt-of-reader\n' : null),
});

async function resolve(changes: Partial<AuthenticationSpec>, lookups: AuthenticationLookups = held) {
  return (await resolveAuthentication(authenticationOf(changes), lookups, AbortSignal.timeout(5000))).values;
}

async function failure(changes: Partial<AuthenticationSpec>, lookups?: AuthenticationLookups): Promise<SourceError> {
  const error: unknown = await resolve(changes, lookups).then(
    (values) => new Error(`gave ${JSON.stringify(values)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SourceError)) throw error;
  return error;
}

const url = { parameter: 'host', name: 'rabbitmq', key: 'url' };

describe('objects and environment', () => {
  it('gives the values of Secrets, ConfigMaps, variables and tokens by parameter', async () => {
    const values = await resolve({
      secretTargetRef: [url],
      configMapTargetRef: [{ parameter: 'vhost', name: 'places', key: 'host' }],
      env: [
        { parameter: 'queue', name: 'QUEUE', containerName: null },
        { parameter: 'other', name: 'QUEUE', containerName: 'side' },
      ],
      boundServiceAccountToken: [{ parameter: 'token', serviceAccountName: 'reader' }],
    });
    expect(values).toEqual({
      host: 'amqp://u:s3cret@mq',
      vhost: 'mq',
      queue: 'orders',
      other: 'side-orders',
      token: 'jwt-of-reader',
    });
  });

  it('lets a Secret win over a ConfigMap and that over the environment, as KEDA does', async () => {
    const env = [{ parameter: 'host', name: 'QUEUE', containerName: null }];
    const configMapTargetRef = [{ parameter: 'host', name: 'places', key: 'host' }];
    expect(await resolve({ env, configMapTargetRef })).toEqual({ host: 'mq' });
    expect(await resolve({ env, configMapTargetRef, secretTargetRef: [url] })).toEqual({ host: 'amqp://u:s3cret@mq' });
  });

  it('reads the Secrets of a cluster-wide one from the namespace for these', async () => {
    const kind = 'ClusterTriggerAuthentication';
    expect(await resolve({ kind, secretTargetRef: [url] })).toEqual({ host: 'amqp://cluster' });
    const elsewhere = { ...held, clusterNamespace: 'default' };
    expect(await resolve({ kind, secretTargetRef: [url] }, elsewhere)).toEqual({ host: 'amqp://u:s3cret@mq' });
  });

  it('names object and key of what is missing, and no value', async () => {
    const noObject = await failure({ secretTargetRef: [{ ...url, name: 'nothing' }] });
    expect(noObject.code).toBe('not-found');
    expect(noObject.message).toBe(
      'Secret default/nothing does not exist; TriggerAuthentication default/login needs it for host',
    );
    const noKey = await failure({ secretTargetRef: [{ ...url, key: 'uri' }] });
    expect(noKey.message).toBe(
      'Secret default/rabbitmq has no key uri (it has url, user); TriggerAuthentication default/login needs it for host',
    );
    expect(noKey.message).not.toContain('s3cret');
    const inherited = await failure({ secretTargetRef: [{ ...url, key: 'constructor' }] });
    expect(inherited.code).toBe('not-found');
    const variable = await failure({ env: [{ parameter: 'q', name: 'NONE', containerName: 'main' }] });
    expect(variable.message).toContain('NONE is not set in the environment of container main');
  });

  it('does not mistake the name of a parameter for something of JavaScript', async () => {
    const values = await resolve({ secretTargetRef: [{ ...url, parameter: '__proto__' }] });
    expect(Object.keys(values)).toEqual(['__proto__']);
  });

  it('hands on what OAuth 2 needs, under the names that KEDA gives it', async () => {
    const values = await resolve({
      oauth2: {
        type: 'clientCredentials',
        clientId: 'ebb',
        clientSecret: { valueFrom: { secretKeyRef: { name: 'rabbitmq', key: 'user' } } },
        tokenUrl: 'https://login.example/token',
        scopes: ['read', 'list'],
        tokenUrlParams: { audience: 'a b&c' },
      },
    });
    expect(values).toEqual({
      oauthTokenURI: 'https://login.example/token',
      clientID: 'ebb',
      clientSecret: 'u',
      scopes: 'read,list',
      endpointParams: 'audience=a+b%26c',
    });
  });

  it('hands on whose identity signs in, and the role that it names before one of a Secret', async () => {
    const podIdentity = { provider: 'aws' as const, roleArn: 'arn:r', externalID: 'x' };
    const role = { parameter: 'awsRoleArn', name: 'rabbitmq', key: 'user' };
    const found = await resolveAuthentication(
      authenticationOf({ podIdentity, secretTargetRef: [role] }),
      held,
      AbortSignal.timeout(5000),
    );
    expect(found).toEqual({ values: { awsRoleArn: 'arn:r', awsExternalId: 'x' }, identity: podIdentity });
  });

  it.each([
    [{ podIdentity: { provider: 'aws' as const, identityOwner: 'workload' as const } }, 'identityOwner workload'],
    [{ boundServiceAccountToken: [{ parameter: 'a', serviceAccountName: 'nobody' }] }, 'nobody'],
  ])('refuses by name what is not available here: %j', async (changes, named) => {
    const error = await failure(changes);
    expect(error.code).toBe('unsupported');
    expect(error.message).toContain(named);
  });
});

describe('filePath', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  async function root(): Promise<AuthenticationLookups> {
    const folder = await mkdtemp(join(tmpdir(), 'ebb-auth-'));
    folders.push(folder);
    const fileRoot = join(folder, 'root');
    await mkdir(join(fileRoot, 'a'), { recursive: true });
    await writeFile(join(fileRoot, 'a', 'login.json'), '{"host":"mq","password":"p"}');
    await writeFile(join(fileRoot, 'number.json'), '{"port":1}');
    await writeFile(join(fileRoot, 'broken.json'), '{"password":"hunter2');
    await writeFile(join(folder, 'outside.json'), '{"secret":"x"}');
    await symlink(join(folder, 'outside.json'), join(fileRoot, 'link.json'));
    return { ...held, fileRoot };
  }
  const kind = 'ClusterTriggerAuthentication';

  it('gives the values of the file, alone', async () => {
    const values = await resolve({ kind, filePath: 'a/login.json', secretTargetRef: [url] }, await root());
    expect(values).toEqual({ host: 'mq', password: 'p' });
  });

  it.each(['../outside.json', 'a/../../outside.json', '/etc/passwd', 'link.json', 'number.json', 'broken.json', 'a'])(
    'refuses %s',
    async (filePath) => {
      const error = await failure({ kind, filePath }, await root());
      expect(error.code).toBe('bad-setting');
      expect(error.message).not.toContain('hunter2');
    },
  );

  it('says that the file does not exist, that no folder is configured, and that it is for the cluster-wide kind', async () => {
    expect((await failure({ kind, filePath: 'none.json' }, await root())).code).toBe('not-found');
    expect((await failure({ kind, filePath: 'a/login.json' })).message).toContain('none is configured');
    expect((await failure({ filePath: 'a/login.json' }, await root())).message).toContain(
      'ClusterTriggerAuthentication only',
    );
  });
});
